/** Row keys: lists of text, numbers and booleans as bytes whose order is the order of the parts. */

export type KeyPart = string | number | boolean;

const falseTag = 0x10;
const trueTag = 0x11;
const numberTag = 0x20;
const textTag = 0x30;

/**
 * Encodes a key so that byte order is the order of its parts: booleans, then numbers by value, then text by its UTF-8
 * bytes; a key that is the beginning of another comes first. Text ends in 00 00, and a 00 inside it is written 00 ff.
 *
 * `["a", 2]` is `30 61 00 00 20 c0 00 00 00 00 00 00 00`.
 */
export function encodeKey(parts: readonly KeyPart[]): Buffer {
  return Buffer.concat(parts.map(encodePart));
}

function encodePart(part: KeyPart): Buffer {
  if (typeof part === "boolean") return Buffer.from([part ? trueTag : falseTag]);
  if (typeof part === "number") return encodeNumber(part);
  const bytes = Buffer.from(part, "utf8");
  if (!bytes.includes(0))
    return Buffer.concat([Buffer.from([textTag]), bytes, Buffer.from([0, 0])]);
  const escaped = [...bytes].flatMap((byte) => (byte === 0 ? [0, 0xff] : [byte]));
  return Buffer.from([textTag, ...escaped, 0, 0]);
}

function encodeNumber(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(9);
  bytes[0] = numberTag;
  // Adding zero turns -0 into 0: they are the same number and must be the same key.
  bytes.writeDoubleBE(value + 0, 1);
  // A float64 sorts by its bits once the sign is flipped, and all bits are for negative numbers.
  const isNegative = ((bytes[1] ?? 0) & 0x80) !== 0;
  if (isNegative) for (let index = 1; index < 9; index += 1) bytes[index] = ~(bytes[index] ?? 0);
  else bytes[1] = (bytes[1] ?? 0) | 0x80;
  return bytes;
}

/** Decodes what `encodeKey` made. */
export function decodeKey(bytes: Uint8Array): KeyPart[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: KeyPart[] = [];
  let at = 0;
  while (at < buffer.length) {
    const tag = buffer[at];
    at += 1;
    if (tag === falseTag || tag === trueTag) {
      parts.push(tag === trueTag);
    } else if (tag === numberTag) {
      parts.push(decodeNumber(buffer.subarray(at, at + 8)));
      at += 8;
    } else {
      const end = textEnd(buffer, at);
      parts.push(decodeText(buffer.subarray(at, end)));
      at = end + 2;
    }
  }
  return parts;
}

function decodeNumber(bytes: Uint8Array): number {
  const copy = Buffer.from(bytes);
  const isNegative = ((copy[0] ?? 0) & 0x80) === 0;
  if (isNegative) for (let index = 0; index < 8; index += 1) copy[index] = ~(copy[index] ?? 0);
  else copy[0] = (copy[0] ?? 0) & 0x7f;
  return copy.readDoubleBE(0);
}

function textEnd(buffer: Buffer, start: number): number {
  let end = buffer.indexOf(0, start);
  while (buffer[end + 1] === 0xff) end = buffer.indexOf(0, end + 2);
  return end;
}

function decodeText(bytes: Buffer): string {
  if (!bytes.includes(0)) return bytes.toString("utf8");
  const plain = [...bytes].filter((byte, index) => !(byte === 0xff && bytes[index - 1] === 0));
  return Buffer.from(plain).toString("utf8");
}
