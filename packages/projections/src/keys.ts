/** Row keys: lists of text, numbers and booleans as bytes whose order is the order of the parts. */

import { writeAscii } from "./ascii.ts";

export type KeyPart = string | number | boolean;

const falseTag = 0x10;
const trueTag = 0x11;
const numberTag = 0x20;
const textTag = 0x30;
const numberBytes = 9;
/** Bytes behind a text: without them, a key is the beginning of all texts that begin like its last one. */
export const textEndBytes = 2;

/** Where keys are put together; what `encodeKey` returns is a copy. */
let scratch = Buffer.allocUnsafe(1024);

/**
 * Encodes a key so that byte order is the order of its parts: booleans, then numbers by value, then text by its UTF-8
 * bytes; a key that is the beginning of another comes first. Text ends in 00 00, and a 00 inside it is written 00 ff.
 * The two zeros are one key.
 *
 * `["a", 2]` is `30 61 00 00 20 c0 00 00 00 00 00 00 00`.
 *
 * @param prefix bytes to stand before the key
 * @throws TypeError for NaN, which has no place in an order, and for text with half of a surrogate pair, which has no bytes
 */
export function encodeKey(parts: readonly KeyPart[], prefix?: Uint8Array): Buffer {
  const end = writeKey(parts, prefix);
  const key = Buffer.allocUnsafe(end);
  scratch.copy(key, 0, 0, end);
  return key;
}

/** Encodes a key without a copy. It is there for `stagedKey` until another one is encoded. @returns its length @throws as `encodeKey` */
export function stageKey(parts: readonly KeyPart[], prefix: Uint8Array): number {
  return writeKey(parts, prefix);
}

/** The bytes that begin with the key of the last `stageKey`. Nobody may change or keep them. */
export function stagedKey(): Buffer {
  return scratch;
}

function writeKey(parts: readonly KeyPart[], prefix?: Uint8Array): number {
  reserve(prefix?.length ?? 0, parts);
  let at = 0;
  if (prefix !== undefined) {
    scratch.set(prefix);
    at = prefix.length;
  }
  for (const part of parts) {
    if (typeof part === "string") at = writeText(part, at);
    else if (typeof part === "number") at = writeNumber(part, at);
    else if (typeof part === "boolean") scratch[at++] = part ? trueTag : falseTag;
    else throw new TypeError("A part of a key is text, a number or a boolean.");
  }
  return at;
}

function reserve(prefixBytes: number, parts: readonly KeyPart[]): void {
  let bytes = prefixBytes;
  // A UTF-16 unit is at most three bytes; an escaped 00 is two.
  for (const part of parts) bytes += typeof part === "string" ? part.length * 3 + 3 : numberBytes;
  if (bytes > scratch.length) scratch = Buffer.allocUnsafe(bytes * 2);
}

/** Longer texts are quicker in one call, shorter ones a unit at a time. */
const shortText = 64;

function writeText(text: string, start: number): number {
  scratch[start] = textTag;
  const plainEnd = text.length <= shortText ? writeAscii(text, scratch, start + 1) : -1;
  const at = plainEnd === -1 ? writeAny(text, start + 1) : plainEnd;
  scratch[at] = 0;
  scratch[at + 1] = 0;
  return at + 2;
}

function writeAny(text: string, start: number): number {
  if (!text.isWellFormed()) throw new TypeError("Text in a key must be well-formed Unicode.");
  if (!text.includes("\0")) return start + scratch.write(text, start);
  let at = start;
  for (const byte of Buffer.from(text)) {
    at = scratch.writeUInt8(byte, at);
    if (byte === 0) at = scratch.writeUInt8(0xff, at);
  }
  return at;
}

function writeNumber(value: number, at: number): number {
  if (Number.isNaN(value)) throw new TypeError("A number in a key must not be NaN.");
  scratch[at] = numberTag;
  // Adding zero turns -0 into 0: they are the same number and must be the same key.
  scratch.writeDoubleBE(value + 0, at + 1);
  // A float64 sorts by its bits once the sign is flipped, and all bits are for negative numbers.
  if (value < 0) flip(scratch, at + 1, at + numberBytes);
  else scratch[at + 1] = (scratch[at + 1] ?? 0) | 0x80;
  return at + numberBytes;
}

function flip(bytes: Buffer, from: number, until: number): void {
  for (let index = from; index < until; index += 1) bytes[index] = ~(bytes[index] ?? 0);
}

/**
 * Decodes what `encodeKey` made.
 *
 * @throws TypeError for bytes it cannot have made
 */
export function decodeKey(bytes: Uint8Array): KeyPart[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: KeyPart[] = [];
  let at = 0;
  while (at < buffer.length) {
    const tag = buffer[at];
    at += 1;
    if (tag === falseTag || tag === trueTag) {
      parts.push(tag === trueTag);
    } else if (tag === numberTag && at + 8 <= buffer.length) {
      parts.push(decodeNumber(buffer, at));
      at += 8;
    } else if (tag === textTag) {
      const end = textEnd(buffer, at);
      parts.push(decodeText(buffer, at, end));
      at = end + 2;
    } else {
      throw new TypeError("These bytes are no key.");
    }
  }
  return parts;
}

function decodeNumber(buffer: Buffer, at: number): number {
  const isNegative = ((buffer[at] ?? 0) & 0x80) === 0;
  const copy = Buffer.from(buffer.subarray(at, at + 8));
  if (isNegative) flip(copy, 0, 8);
  else copy[0] = (copy[0] ?? 0) & 0x7f;
  return copy.readDoubleBE(0);
}

function textEnd(buffer: Buffer, start: number): number {
  let end = buffer.indexOf(0, start);
  while (end !== -1 && buffer[end + 1] === 0xff) end = buffer.indexOf(0, end + 2);
  if (end === -1 || buffer[end + 1] !== 0) throw new TypeError("These bytes are no key.");
  return end;
}

function decodeText(buffer: Buffer, start: number, end: number): string {
  const text = buffer.toString("utf8", start, end);
  if (!text.includes("\0")) return text;
  const escaped = buffer.subarray(start, end);
  const plain = escaped.filter((byte, index) => !(byte === 0xff && escaped[index - 1] === 0));
  return Buffer.from(plain).toString("utf8");
}
