/** Makes a store from a file that `sennit export` wrote. */
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { resolve } from "node:path";

import { importStore, looksLikeExport, StoreError } from "@sennit/core";

import { storeDirectoryName, type Context } from "./context.ts";
import { plural, printable } from "./output.ts";

/** Name of the format in `--format`. */
export const exportFormatName = "sennit";

/** True for a file that begins as an export does. `-` is not looked into. */
export async function isExport(cwd: string, name: string): Promise<boolean> {
  if (name === "-") return false;
  const path = resolve(cwd, name);
  // What cannot be opened fails with its name when it is read; a directory is no export either.
  const file = await open(path).catch(() => undefined);
  try {
    const read = await file?.read({ buffer: Buffer.alloc(64) });
    return read !== undefined && looksLikeExport(read.buffer.subarray(0, read.bytesRead));
  } catch {
    return false;
  } finally {
    await file?.close();
  }
}

/** Runs the import. @throws codes of `importStore` */
export async function importExport({ values, out, io }: Context): Promise<undefined> {
  const name = values.argument(0);
  const [target, flag] = [values.positionals[1], values.text("store")];
  if (target !== undefined && flag !== undefined && target !== flag) {
    throw new StoreError("usage", "DIR and --store name two stores.", {
      hint: "Name one of them.",
      details: { flag: "--store", value: flag },
    });
  }
  const directory = resolve(io.cwd, target ?? flag ?? storeDirectoryName);
  const source = name === "-" ? io.stdin : createReadStream(resolve(io.cwd, name));
  const result = await importStore(source, directory, {
    signal: io.signal,
    onProgress: (position) => out.progress(`imported ${position}`),
  });
  out.progressDone();
  if (out.isJson) {
    out.json({ store: directory, ...result });
    return undefined;
  }
  out.line(`The store in ${printable(directory)} holds ${plural(result.head, "event")}.`);
  out.line(`root ${result.root}, as the file says`);
  out.note("It has the id of the store exported, and signs with a new key.");
  return undefined;
}
