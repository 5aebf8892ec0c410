/** Reads a file of Bluesky documents: `[name, document]` pairs as a JSON array or as JSON Lines, plain or gzip. */
import { open } from "node:fs/promises";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";

import { isPlainObject, nearest, StoreError } from "@sennit/core";

import { fileReason } from "../file-error.ts";
import { importInvalid } from "./import-invalid.ts";

/** Bytes of JSON text taken from one file, after decompression: the text and its values are held in memory at once. */
const importBytesMax: number = 256 * 1024 * 1024;

/** The kinds of Bluesky documents that are read. */
const documentNames = [
  "start",
  "descriptor",
  "event",
  "event_page",
  "stop",
  "resource",
  "datum",
  "datum_page",
  "stream_resource",
  "stream_datum",
] as const;

type DocumentName = (typeof documentNames)[number];

/** One document and its place in the file. */
export interface BlueskyDocument {
  readonly name: DocumentName;
  readonly body: Readonly<Record<string, unknown>>;
  /** Counted from 0. */
  readonly index: number;
  /** RFC 6901 pointer to the body: `/12/1`. In JSON Lines the first number counts the pairs. */
  readonly pointer: string;
}

export interface ReadDocumentsOptions {
  /** Default `importBytesMax`. */
  readonly bytesMax?: number | undefined;
}

/**
 * Reads every document of a file. Gzip is known by its first bytes, whatever the file is called.
 *
 * The whole text is parsed at once, so memory is that of the parsed file: bounded by `importBytesMax`, not constant.
 *
 * @throws `file-unreadable`, `import-invalid`
 */
export async function readDocuments(
  path: string,
  { bytesMax = importBytesMax }: ReadDocumentsOptions = {},
): Promise<readonly BlueskyDocument[]> {
  const bytes = await readBytes(path, bytesMax);
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const text = decodeText(isGzip ? await decompress(bytes, bytesMax) : bytes);
  const value = parsePairs(text);
  if (!Array.isArray(value)) throw notPairs();
  return value.map((pair: unknown, index) => toDocument(pair, index));
}

async function readBytes(path: string, bytesMax: number): Promise<Buffer> {
  let bytes: Buffer;
  try {
    const file = await open(path, "r");
    try {
      if ((await file.stat()).size > bytesMax) throw tooLarge(bytesMax);
      bytes = await file.readFile();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof StoreError) throw error;
    const reason = fileReason(error);
    throw new StoreError("file-unreadable", `Cannot read ${path}: ${reason}.`, {
      cause: error,
      details: { path },
    });
  }
  // What is no regular file, such as a pipe, tells its size only now.
  if (bytes.length > bytesMax) throw tooLarge(bytesMax);
  return bytes;
}

async function decompress(bytes: Buffer, bytesMax: number): Promise<Buffer> {
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: bytesMax });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ERR_BUFFER_TOO_LARGE") throw tooLarge(bytesMax);
    const message = "starts like gzip and is damaged or cut short";
    throw importInvalid({ pointer: "", message }, [], { cause: error });
  }
}

function tooLarge(bytesMax: number): StoreError {
  return importInvalid({ pointer: "", message: `holds more than ${bytesMax} bytes of JSON` }, [], {
    hint: "Split the file between runs and import the parts one after another.",
  });
}

function decodeText(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw importInvalid({ pointer: "", message: "is not UTF-8 text" }, [], { cause: error });
  }
}

function parsePairs(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    // A single pair on a line of its own is JSON Lines too.
    return isNamed(value) ? [value] : value;
  } catch (error) {
    const lines = text.split("\n");
    const first = lines.find((line) => line.trim() !== "") ?? "";
    if (!isPairText(first)) throw notJson("is not JSON", error);
    return parseLines(lines);
  }
}

/** True for a line that is a whole pair by itself, which the first line of a JSON array is not. */
function isPairText(line: string): boolean {
  if (!line.trimEnd().endsWith("]")) return false;
  try {
    return isNamed(JSON.parse(line));
  } catch {
    return false;
  }
}

function parseLines(lines: readonly string[]): unknown[] {
  const pairs: unknown[] = [];
  for (const [index, line] of lines.entries()) {
    if (line.trim() === "") continue;
    try {
      pairs.push(JSON.parse(line));
    } catch (error) {
      throw notJson(`is not JSON in line ${index + 1}`, error);
    }
  }
  return pairs;
}

function isNamed(value: unknown): boolean {
  return Array.isArray(value) && typeof value[0] === "string";
}

function notJson(message: string, error: unknown): StoreError {
  const reason = error instanceof Error ? `: ${error.message}` : "";
  return importInvalid({ pointer: "", message: `${message}${reason}` }, [], {
    cause: error,
    hint: "Give a JSON array of [name, document] pairs. NaN and Infinity are not JSON.",
  });
}

function notPairs(): StoreError {
  return importInvalid({ pointer: "", message: "must be an array of [name, document] pairs" });
}

function toDocument(pair: unknown, index: number): BlueskyDocument {
  const at = `/${index}`;
  if (!Array.isArray(pair) || pair.length !== 2) {
    throw importInvalid({ pointer: at, message: "must be a pair [name, document]" });
  }
  const [name, body] = pair as [unknown, unknown];
  if (!isDocumentName(name)) {
    const near = typeof name === "string" ? nearest(name, documentNames) : undefined;
    const suggestion = near === undefined ? "" : ` (did you mean "${near}"?)`;
    const message = `must be one of ${documentNames.join(", ")}${suggestion}`;
    throw importInvalid({ pointer: `${at}/0`, message });
  }
  if (!isPlainObject(body)) {
    throw importInvalid({ pointer: `${at}/1`, message: "must be an object" });
  }
  return { name, body, index, pointer: `${at}/1` };
}

const names: ReadonlySet<unknown> = new Set(documentNames);

function isDocumentName(value: unknown): value is DocumentName {
  return names.has(value);
}
