/** Rows as MessagePack, written into a buffer that is there: most hold texts, numbers and lists of them, which need no encoder. */
import { writeAscii } from "./ascii.ts";
import type { RowValue } from "./row-value.ts";

/** Bytes that text, numbers and lists of them need at most; undefined for what holds an object. */
export function rowBytesBound(value: RowValue): number | undefined {
  if (typeof value === "string") return value.length * 3 + 5;
  if (typeof value !== "object" || value === null) return 9;
  if (!isList(value)) return undefined;
  let bytes = 5;
  for (const item of value) {
    const bound = rowBytesBound(item);
    if (bound === undefined) return undefined;
    bytes += bound;
  }
  return bytes;
}

/** Writes a value that `rowBytesBound` knows as MessagePack. @returns where it ends */
export function writeRow(buffer: Buffer, at: number, value: RowValue): number {
  if (typeof value === "string") return writeText(buffer, at, value);
  if (typeof value === "number") return writeNumber(buffer, at, value);
  if (isList(value)) {
    let end = writeListHead(buffer, at, value.length);
    for (const item of value) end = writeRow(buffer, end, item);
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
