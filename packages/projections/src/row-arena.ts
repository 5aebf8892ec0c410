/** Puts keys and framed rows one behind the other into large buffers: one object each for thousands of rows costs less to collect. */
import { crc32c, encodeMessagePack, frameHeaderBytes } from "@sennit/core/storage";

import { writeAscii } from "./ascii.ts";
import { rowPrefixBytes } from "./checkpoint.ts";
import { copyKey } from "./keys.ts";
import type { RowValue } from "./row-value.ts";

const bufferBytes = 128 * 1024;

/** Where a change stands: its key, and behind it the framed row unless it was deleted. */
export interface PlacedRow {
  readonly buffer: Buffer;
  readonly start: number;
  readonly keyEnd: number;
  /** Equal to `keyEnd` for a row that was deleted. */
  readonly end: number;
  /** Of table, key and value; of a deleted row, of table and key, negated. */
  readonly checksum: number;
}

/** Rows in the order they are placed. Nothing is ever taken out. */
export class RowArena {
  #buffer: Buffer = Buffer.alloc(0);
  #at = 0;

  /** Places the key last made by `keyText`, as one that is deleted. */
  placeDeleted(keyBytes: number): PlacedRow {
    const start = this.#reserve(keyBytes);
    const buffer = this.#buffer;
    copyKey(keyBytes, buffer, start);
    const end = start + keyBytes;
    this.#at = end;
    const checksum = ~crc32c(buffer, start + rowPrefixBytes, 0, end) >>> 0;
    return { buffer, start, keyEnd: end, end, checksum };
  }

  /** Places the key last made by `keyText`, and a row. */
  place(keyBytes: number, row: RowValue): PlacedRow {
    const bound = boundOf(row);
    const packed = bound === undefined ? encodeMessagePack(row) : undefined;
    const start = this.#reserve(keyBytes + frameHeaderBytes + (bound ?? packed?.length ?? 0));
    const buffer = this.#buffer;
    copyKey(keyBytes, buffer, start);
    const keyEnd = start + keyBytes;
    const body = keyEnd + frameHeaderBytes;
    const end = packed === undefined ? writeValue(buffer, body, row) : body + packed.length;
    if (packed !== undefined) buffer.set(packed, body);
    const keySum = crc32c(buffer, start + rowPrefixBytes, 0, keyEnd);
    const checksum = crc32c(buffer, body, keySum, end);
    buffer.writeUInt32LE(checksum, keyEnd);
    this.#at = end;
    return { buffer, start, keyEnd, end, checksum };
  }

  #reserve(bytes: number): number {
    if (this.#at + bytes > this.#buffer.length) {
      this.#buffer = Buffer.allocUnsafeSlow(Math.max(bufferBytes, bytes));
      this.#at = 0;
    }
    return this.#at;
  }
}

/** Bytes that text, numbers and lists of them need at most; undefined for what holds an object. */
function boundOf(value: RowValue): number | undefined {
  if (typeof value === "string") return value.length * 3 + 5;
  if (typeof value !== "object" || value === null) return 9;
  if (!isList(value)) return undefined;
  let bytes = 5;
  for (const item of value) {
    const bound = boundOf(item);
    if (bound === undefined) return undefined;
    bytes += bound;
  }
  return bytes;
}

/** Writes a value that `boundOf` knows as MessagePack. @returns where it ends */
function writeValue(buffer: Buffer, at: number, value: RowValue): number {
  if (typeof value === "string") return writeText(buffer, at, value);
  if (typeof value === "number") return writeNumber(buffer, at, value);
  if (isList(value)) {
    let end = writeListHead(buffer, at, value.length);
    for (const item of value) end = writeValue(buffer, end, item);
    return end;
  }
  buffer[at] = value === null ? 0xc0 : value === true ? 0xc3 : 0xc2;
  return at + 1;
}

function writeListHead(buffer: Buffer, at: number, length: number): number {
  if (length < 16) {
    buffer[at] = 0x90 | length;
    return at + 1;
  }
  buffer[at] = 0xdd;
  return buffer.writeUInt32BE(length, at + 1);
}

/** The head is as long as the longest text of so many characters needs, so that the text need not be measured first. */
function writeText(buffer: Buffer, at: number, text: string): number {
  const longest = text.length * 3;
  if (longest < 32) {
    const end = writeAscii(text, buffer, at + 1);
    const bytes = end === -1 ? buffer.write(text, at + 1) : text.length;
    buffer[at] = 0xa0 | bytes;
    return at + 1 + bytes;
  }
  if (longest < 256) {
    const end = writeAscii(text, buffer, at + 2);
    const bytes = end === -1 ? buffer.write(text, at + 2) : text.length;
    buffer[at] = 0xd9;
    buffer[at + 1] = bytes;
    return at + 2 + bytes;
  }
  const bytes = buffer.write(text, at + 5);
  buffer[at] = 0xdb;
  buffer.writeUInt32BE(bytes, at + 1);
  return at + 5 + bytes;
}

function writeNumber(buffer: Buffer, at: number, value: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff) {
    if (value < 128) {
      // Not -0, which is the same number and must be the same row.
      buffer[at] = value + 0;
      return at + 1;
    }
    buffer[at] = 0xce;
    return buffer.writeUInt32BE(value, at + 1);
  }
  buffer[at] = 0xcb;
  return buffer.writeDoubleBE(value, at + 1);
}

function isList(value: RowValue): value is readonly RowValue[] {
  return Array.isArray(value);
}
