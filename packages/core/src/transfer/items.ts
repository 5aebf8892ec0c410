/** What an export is made of, whatever its form: a start, the entries, the idempotency keys, perhaps a checkpoint, an end. */
import { createHash } from "node:crypto";

import type { Entry } from "../codec/entry.ts";
import { encodeMessagePack } from "../codec/msgpack.ts";
import { StoreError, type ErrorCode } from "../errors.ts";
import type { Position } from "../ids.ts";
import type { IdempotentBatch } from "../records/state.ts";

/** Names the format at the beginning of every export. */
export const exportFormat = "sennit-export";
/** The version of the format that is written, and the newest that is read. */
export const exportVersion = 1;

interface ExportStart {
  readonly type: "start";
  readonly storeId: string;
}

/** Which log it is that has been exported. */
export interface ExportEnd {
  readonly type: "end";
  readonly head: Position;
  /** The Merkle root of all entries, 32 bytes. */
  readonly root: Uint8Array;
  readonly keys: KeysSummary;
}

/** What tells idempotency keys from others: no root covers them. */
export interface KeysSummary {
  readonly count: number;
  /** SHA-256 of the keys as MessagePack, one after another, 32 bytes. */
  readonly sha256: Uint8Array;
}

/** Counts and hashes idempotency keys in their order. */
export class KeysTally {
  readonly #hash = createHash("sha256");
  #count = 0;

  add(key: string, { digest, positions }: IdempotentBatch): void {
    this.#hash.update(encodeMessagePack([key, digest, positions]));
    this.#count += 1;
  }

  summary(): KeysSummary {
    return { count: this.#count, sha256: this.#hash.copy().digest() };
  }
}

/** One line or value of an export, in the order in which they stand there. */
export type ExportItem =
  | ExportStart
  | { readonly type: "entry"; readonly entry: Entry }
  | { readonly type: "key"; readonly key: string; readonly batch: IdempotentBatch }
  | { readonly type: "checkpoint"; readonly note: string }
  | ExportEnd;

/** Turns the values of one form into bytes and back. */
export interface ExportForm {
  encode(item: ExportItem): Uint8Array;
  /**
   * The items of a file. Only their own form has been checked, not that they belong together.
   *
   * @throws `import-truncated`, `import-invalid`, `import-tampered`, `format-too-new`
   */
  decode(bytes: AsyncIterable<Uint8Array>): AsyncIterable<ExportItem>;
}

/** Bytes of one line or value: the largest entry, written twice in base64 and once as text, stays below. */
export const itemBytesMax = 16 * 1024 * 1024;

/** A failure that names the line (or value) of the file, counted from 1. */
export function importError(
  code: ErrorCode,
  line: number,
  problem: string,
  cause?: unknown,
): StoreError {
  return new StoreError(code, `Line ${line} ${problem}.`, { details: { line }, cause });
}

/** @throws `import-invalid` for another format, `format-too-new` for a newer version */
export function checkStart(format: unknown, version: unknown): void {
  if (format !== exportFormat || typeof version !== "number" || !(version >= 1)) {
    throw new StoreError("import-invalid", "The file is no export of a Sennit store.");
  }
  if (version <= exportVersion) return;
  throw new StoreError(
    "format-too-new",
    `The export has format ${version}; this Sennit reads up to ${exportVersion}.`,
    { hint: "Import it with the newer Sennit that wrote it.", details: { format: version } },
  );
}

/** The bytes of hexadecimal digits in lower case. @throws Error for other text */
export function bytesOfHex(text: string): Buffer {
  const bytes = Buffer.from(text, "hex");
  if (bytes.toString("hex") !== text) throw new Error(`${JSON.stringify(text)} is no hexadecimal`);
  return bytes;
}

/** The file ends before it says that it does. */
export function truncated(line: number): StoreError {
  return new StoreError("import-truncated", `The file breaks off after line ${line}.`, {
    details: { line },
  });
}
