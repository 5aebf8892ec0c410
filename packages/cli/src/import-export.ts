/** Makes a store from a file that `sennit export` wrote. */
import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import { resolve } from "node:path";
import { constants, gunzipSync } from "node:zlib";

import {
  importStore,
  looksLikeExport,
  openCheckpoint,
  StoreError,
  type Checkpoint,
  type ImportedStore,
  type VerifierKey,
} from "@sennit/core";

import { fileReason } from "./file-error.ts";
import type { Context } from "./context.ts";
import { plural, printable } from "./output.ts";
import { readVerifierKey } from "./receipt-files.ts";
import { newStoreDirectory, storeDirectoryName } from "./target/place.ts";

/** Name of the format in `--format`. */
export const exportFormatName = "sennit";

/** Bytes at the beginning by which a file is recognized. */
const headBytes = 64;
/** Compressed bytes that are looked into. */
const compressedBytes = 4096;
/** Bytes at the end of an export, in which its checkpoint stands. */
const tailBytes = 64 * 1024;

type Bytes = AsyncIterable<Uint8Array>;

/**
 * The bytes of FILE when it begins as an export does, or is said to be one; undefined for what another tool wrote.
 *
 * @throws `file-unreadable`, `import-truncated` for an empty file, `import-invalid` for a compressed export
 */
export async function openExport({ values, io }: Context): Promise<Bytes | undefined> {
  const name = values.argument(0);
  const source: Bytes = name === "-" ? io.stdin : createReadStream(resolve(io.cwd, name));
  const chunks = source[Symbol.asyncIterator]();
  const head = await readHead(chunks, name);
  const isNamed = values.text("format") === exportFormatName;
  try {
    assertPlain(head, name, isNamed);
  } catch (error) {
    await chunks.return?.();
    throw error;
  }
  if (isNamed || looksLikeExport(head)) return joined(head, chunks);
  await chunks.return?.();
  return undefined;
}

async function readHead(chunks: AsyncIterator<Uint8Array>, name: string): Promise<Uint8Array> {
  let head: Uint8Array = new Uint8Array();
  try {
    while (head.length < headBytes) {
      const next = await chunks.next();
      if (next.done === true) break;
      head = Buffer.concat([head, next.value]);
    }
  } catch (error) {
    const reason = fileReason(error);
    throw new StoreError("file-unreadable", `Cannot read ${printable(name)}: ${reason}.`, {
      cause: error,
      details: { path: name },
    });
  }
  return head;
}

function assertPlain(head: Uint8Array, name: string, isNamed: boolean): void {
  const what = name === "-" ? "The standard input" : printable(name);
  if (head.length === 0) {
    throw new StoreError("import-truncated", `${what} is empty.`, { details: { path: name } });
  }
  const isGzip = head[0] === 0x1f && head[1] === 0x8b;
  if (!isGzip || !(isNamed || looksLikeExport(uncompressed(head)))) return;
  throw new StoreError("import-invalid", `${what} is an export compressed with gzip.`, {
    hint: "Uncompress it first: gunzip -c FILE | sennit import - DIR",
    details: { path: name },
  });
}

/** The beginning of what is compressed; nothing when it cannot be read. */
function uncompressed(head: Uint8Array): Uint8Array {
  try {
    const finishFlush = constants.Z_SYNC_FLUSH;
    return gunzipSync(head.subarray(0, compressedBytes), { finishFlush });
  } catch {
    return new Uint8Array();
  }
}

async function* joined(
  head: Uint8Array,
  chunks: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield head;
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
      yield next.value;
    }
  } finally {
    await chunks.return?.();
  }
}

/** Runs the import. @throws codes of `importStore`; with `--key` also `checkpoint-untrusted`, `key-invalid` */
export async function importExport(
  { values, out, io }: Context,
  source: Bytes,
): Promise<undefined> {
  const [target, flag] = [values.positionals[1], values.text("store")];
  if (target !== undefined && flag !== undefined && target !== flag) {
    throw new StoreError("usage", "DIR and --store name two stores.", {
      hint: "Name one of them.",
      details: { flag: "--store", value: flag },
    });
  }
  const given = values.text("key");
  const key = given === undefined ? undefined : await readVerifierKey(io.cwd, given);
  const named = target ?? flag ?? storeDirectoryName;
  const directory = newStoreDirectory(io.cwd, named, "The import of an export");
  const options = {
    signal: io.signal,
    onProgress: (position: number) => out.progress(`imported ${position}`),
  };
  const result =
    key === undefined
      ? await importStore(source, directory, options)
      : await importSigned(source, directory, key, options);
  out.progressDone();
  if (out.isJson) {
    out.json({ store: directory, ...result, trusted: key !== undefined });
    return undefined;
  }
  out.line(`The store in ${printable(directory)} holds ${plural(result.head, "event")}.`);
  out.line(`root ${result.root}, as ${key === undefined ? "the file says" : "the key signed it"}`);
  out.note("It has the id of the store exported, and signs with a new key.");
  if (key === undefined) {
    out.note("Who exported it is not proven: --key checks the checkpoint in the file.");
  }
  return undefined;
}

/** Imports only what the key has signed. Of anything else no store is left. */
async function importSigned(
  source: Bytes,
  directory: string,
  key: VerifierKey,
  options: Parameters<typeof importStore>[2],
): Promise<ImportedStore> {
  let signed: Checkpoint | undefined;
  async function* checked(): AsyncGenerator<Uint8Array> {
    let tail: Uint8Array = new Uint8Array();
    for await (const chunk of source) {
      tail = Buffer.concat([tail, chunk]).subarray(-tailBytes);
      yield chunk;
    }
    // Before the last byte is acknowledged there is no store yet, so that an unsigned one is never made.
    signed = await openCheckpoint(noteIn(Buffer.from(tail).toString("utf8"), key.name), key);
    if (signed === undefined) throw untrusted("does not end in a checkpoint signed with the key");
  }
  const result = await importStore(checked(), directory, options);
  // A file made to mislead can hold a true checkpoint where an import does not look for one.
  const isOfThis = signed?.size === result.head && hex(signed.root) === result.root;
  if (isOfThis && key.name === result.verifierKey.split("+")[0]) return result;
  await rm(directory, { recursive: true, force: true });
  throw untrusted("is not the log that the key has signed");
}

/** The note near the end of a file of either form; text that is none when there is no checkpoint. */
function noteIn(tail: string, name: string): string {
  const line = tail.split("\n").find((text) => text.startsWith('{"checkpoint":'));
  if (line !== undefined) {
    try {
      const { checkpoint } = JSON.parse(line) as { readonly checkpoint: unknown };
      return String(checkpoint);
    } catch {
      return "";
    }
  }
  const from = tail.slice(Math.max(0, tail.lastIndexOf(`${name}\n`)));
  return /^.+\n\d+\n[\w+/=]+\n\n(?:\u2014 \S+ [\w+/=]+\n)+/.exec(from)?.[0] ?? "";
}

function untrusted(problem: string): StoreError {
  return new StoreError("checkpoint-untrusted", `The file ${problem}.`, {
    hint: "Get the key from somebody you trust, or an export made without --unsigned; without --key an import says whether the file is whole.",
  });
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
