/** A store's state as files: one document per record, an index of them, and a manifest that says what they are of. */
import { createHash, randomUUID } from "node:crypto";
import {
  lstat,
  mkdir,
  open,
  readdir,
  realpath,
  rename,
  rm,
  rmdir,
  writeFile,
  type FileHandle,
} from "node:fs/promises";
import { dirname, join } from "node:path";

import {
  isStoreError,
  StoreError,
  throwIfAborted,
  type Reader,
  type RecordView,
} from "@sennit/core";

import { printable } from "../output.ts";
import { safeName } from "./safe-name.ts";

export interface Checkout {
  /** The position the files speak for. */
  readonly position: number;
  /** The Merkle root of the log up to there. */
  readonly root: string;
  readonly records: number;
}

export interface CheckoutOptions {
  readonly storeId: string;
  readonly signal: AbortSignal;
  readonly onProgress: (records: number) => void;
}

const manifestName = "manifest.json";

/** Files written at once. */
const batchSize = 64;

/**
 * Writes every record as the reader's instant has it. The bytes depend on the store and the instant alone.
 *
 * A new directory is there whole or not at all: it is written under another name beside it and renamed. What a process
 * that was killed leaves is that other name. An empty directory that is there already stays the one it is, with its mode:
 * it is written in under another name, and the files are moved into place, the manifest last. What a process that was
 * killed leaves in it lacks the manifest. A checkout that fails leaves nothing.
 *
 * @param target absent, an empty directory, or a link to one
 * @throws `directory-not-empty`, `file-unreadable`, `disk-full`, `aborted`
 */
export async function writeCheckout(
  reader: Reader,
  target: string,
  options: CheckoutOptions,
): Promise<Checkout> {
  try {
    const directory = await existing(target);
    return directory === undefined
      ? await writeNew(reader, target, options)
      : await writeInto(reader, directory, options);
  } catch (error) {
    throw checkoutError(error, target);
  }
}

/** The empty directory that a path leads to; undefined when nothing stands there. */
async function existing(target: string): Promise<string | undefined> {
  try {
    await lstat(target);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  const directory = await realpath(target);
  if ((await readdir(directory)).length > 0) throw notEmpty(target);
  return directory;
}

async function writeNew(
  reader: Reader,
  target: string,
  options: CheckoutOptions,
): Promise<Checkout> {
  const partial = `${target}.partial-${randomUUID()}`;
  try {
    await mkdir(dirname(target), { recursive: true });
    await mkdir(partial);
    const checkout = await writeAll(reader, partial, options);
    await rename(partial, target);
    return checkout;
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
}

async function writeInto(
  reader: Reader,
  directory: string,
  options: CheckoutOptions,
): Promise<Checkout> {
  const name = `checkout.partial-${randomUUID()}`;
  const partial = join(directory, name);
  const moved: string[] = [];
  try {
    await mkdir(partial);
    const checkout = await writeAll(reader, partial, options);
    // Whoever else wrote here meanwhile must find it again.
    if ((await readdir(directory)).some((other) => other !== name)) throw notEmpty(directory);
    const written = await readdir(partial);
    for (const child of written.toSorted(manifestLast)) {
      await rename(join(partial, child), join(directory, child));
      moved.push(child);
    }
    await rmdir(partial);
    return checkout;
  } catch (error) {
    for (const child of moved.toReversed()) await rm(join(directory, child), { recursive: true });
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
}

function manifestLast(one: string, other: string): number {
  return Number(one === manifestName) - Number(other === manifestName);
}

async function writeAll(
  reader: Reader,
  directory: string,
  { storeId, signal, onProgress }: CheckoutOptions,
): Promise<Checkout> {
  const { root, lastRecordedAt, records } = await reader.summary({ signal });
  const index = await IndexFile.create(join(directory, "index.ndjson"));
  try {
    const folders = new Set<string>();
    let batch: RecordView[] = [];
    const flush = async () => {
      await index.add(await Promise.all(batch.map((record) => writeRecord(directory, record))));
      batch = [];
      onProgress(index.lines);
    };
    for await (const record of reader.allRecords({ signal })) {
      const folder = safeName(record.kind);
      if (!folders.has(folder))
        await mkdir(join(directory, "records", folder), { recursive: true });
      folders.add(folder);
      batch.push(record);
      if (batch.length === batchSize) await flush();
    }
    await flush();
    throwIfAborted(signal);
  } finally {
    await index.close();
  }
  const manifest = {
    format: "sennit-checkout",
    version: 1,
    storeId,
    position: reader.asOf,
    root,
    recordedAt: lastRecordedAt,
    records,
    index: { path: "index.ndjson", sizeBytes: index.sizeBytes, sha256: index.digest() },
  };
  await writeFile(join(directory, manifestName), `${JSON.stringify(manifest, undefined, 2)}\n`);
  return { position: reader.asOf, root, records };
}

/** @returns the record's line of the index */
async function writeRecord(directory: string, record: RecordView): Promise<object> {
  const { id: recordId, kind, name, version, status } = record;
  const path = `records/${safeName(kind)}/${safeName(recordId)}.json`;
  const bytes = Buffer.from(`${JSON.stringify(record, undefined, 2)}\n`);
  // A file is never written over: two records of one name would be a defect, not one record less.
  await writeFile(join(directory, path), bytes, { flag: "wx" });
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { recordId, kind, name, version, status, path, sizeBytes: bytes.length, sha256 };
}

/** The index, line by line, with its size and digest. */
class IndexFile {
  readonly #file: FileHandle;
  readonly #hash = createHash("sha256");
  lines = 0;
  sizeBytes = 0;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async create(path: string): Promise<IndexFile> {
    return new IndexFile(await open(path, "wx"));
  }

  async add(lines: readonly object[]): Promise<void> {
    const bytes = Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    await this.#file.appendFile(bytes);
    this.#hash.update(bytes);
    this.sizeBytes += bytes.length;
    this.lines += lines.length;
  }

  digest(): string {
    return this.#hash.digest("hex");
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

function notEmpty(target: string): StoreError {
  return new StoreError("directory-not-empty", `${printable(target)} is not empty.`, {
    details: { flag: "--out", path: target },
  });
}

function checkoutError(error: unknown, target: string): unknown {
  if (isStoreError(error) || !(error instanceof Error) || !("code" in error)) return error;
  if (error.code === "ENOTEMPTY" || error.code === "EEXIST") return notEmpty(target);
  return new StoreError(
    error.code === "ENOSPC" ? "disk-full" : "file-unreadable",
    `Cannot write to ${printable(target)}: ${error.message}`,
    { cause: error, details: { flag: "--out", path: target } },
  );
}
