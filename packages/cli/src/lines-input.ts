/** Opens lines to be read, and refuses what cannot be lines of text. */
import { createReadStream } from "node:fs";
import { resolve } from "node:path";

import { StoreError } from "@sennit/core";

import { fileError } from "./file-error.ts";
import type { Io } from "./io.ts";
import { commandLine } from "./output.ts";

/** Bytes at the beginning in which a byte that no text has shows that there is none. */
const lookBytes = 512;

/**
 * The bytes of a file, or of standard input.
 *
 * @param path `-` for standard input
 * @param onStart gets the beginning of what comes
 * @throws `file-unreadable`, also for what begins as only binary files do: none of it could be stored
 */
export async function* linesInput(
  io: Io,
  path: string,
  onStart: (first: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  let isFirst = true;
  for await (const chunk of path === "-" ? io.stdin : fileBytes(io.cwd, path)) {
    if (isFirst) {
      assertText(chunk, path);
      onStart(chunk.subarray(0, lookBytes));
    }
    isFirst = false;
    yield chunk;
  }
}

async function* fileBytes(cwd: string, path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(resolve(cwd, path)) as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw fileError(error, path) ?? error;
  }
}

function assertText(chunk: Uint8Array, path: string): void {
  const [first, second] = chunk;
  const file = path === "-" ? "FILE" : commandLine([path]);
  const input = path === "-" ? "Standard input" : path;
  if (first === 0x1f && second === 0x8b) {
    throw noText(path, `${input} is compressed.`, `zcat ${file} | sennit ingest -`);
  }
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    const hint = `iconv -f UTF-16 -t UTF-8 ${file} | sennit ingest -`;
    throw noText(path, `${input} is UTF-16, and lines are read as UTF-8.`, hint);
  }
  if (chunk.subarray(0, lookBytes).includes(0)) {
    throw noText(path, `${input} is binary.`, "Give a text file with one JSON event on each line.");
  }
}

function noText(path: string, message: string, hint: string): StoreError {
  return new StoreError("file-unreadable", message, { hint, details: { path } });
}

/** How lines are made of JSON that stands on many, or in one array; undefined for what does not begin like that. */
export function wayToLines(start: Uint8Array, path: string): string | undefined {
  const text = Buffer.from(start).toString("utf8").trimStart();
  const file = path === "-" ? "FILE" : commandLine([path]);
  if (text.startsWith("[")) return `jq -c '.[]' ${file} | sennit ingest -`;
  return /^\{\s*\n/.test(text) ? `jq -c . ${file} | sennit ingest -` : undefined;
}
