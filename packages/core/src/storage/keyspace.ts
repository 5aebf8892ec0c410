/**
 * The keys of a store, one leading byte per space. Numbers are big-endian, so byte order is numeric order.
 *
 * | space | key | value |
 * |---|---|---|
 * | `C` | - | the commit record: head, time, record count |
 * | `D` | record id | the record's newest version block |
 * | `E` | position, 8 bytes | the log entry |
 * | `I` | event id, 16 bytes | position of the event with an id given by a client |
 * | `K` | idempotency key | what the batch with this key was, and where it is |
 * | `O` | record id, 0x00, block index in 4 bytes | an older, full version block |
 * | `P` | - | position of the last erasure, until the files have been rewritten after it |
 * | `S` | position, 8 bytes | the whole document after the patch at that position |
 * | `Z` | level, tile index in 8 bytes | up to 256 hashes of the Merkle tree |
 */
import { encodeUuid, type EventId, type Position, type RecordId } from "../ids.ts";

const space = (letter: string): number => letter.charCodeAt(0);

const commitSpace = space("C");
const blockSpace = space("D");
const entrySpace = space("E");
const eventIdSpace = space("I");
const idempotencySpace = space("K");
const olderBlockSpace = space("O");
const documentSpace = space("S");
const tileSpace = space("Z");

/** The first byte of the keys of each space. */
export const keySpaces = {
  commit: commitSpace,
  block: blockSpace,
  entry: entrySpace,
  eventId: eventIdSpace,
  idempotency: idempotencySpace,
  olderBlock: olderBlockSpace,
  document: documentSpace,
  tile: tileSpace,
} as const;

/** The only key of the commit record. */
export const commitKey: Uint8Array = Buffer.from([commitSpace]);

/** There while the files may hold content that has been erased. */
export const purgeKey: Uint8Array = Buffer.from([space("P")]);

function positionKey(spaceByte: number, position: Position): Buffer {
  const key = Buffer.allocUnsafe(9);
  key[0] = spaceByte;
  key.writeUInt32BE(Math.floor(position / 0x1_0000_0000), 1);
  key.writeUInt32BE(position >>> 0, 5);
  return key;
}

function textKey(spaceByte: number, text: string, suffixBytes = 0): Buffer {
  const length = Buffer.byteLength(text);
  const key = Buffer.allocUnsafe(1 + length + suffixBytes);
  key[0] = spaceByte;
  key.write(text, 1);
  return key;
}

/** `E` and the position: entry 1 stands at `45 00 00 00 00 00 00 00 01`. */
export function entryKey(position: Position): Buffer {
  return positionKey(entrySpace, position);
}

/** The position in an entry's key. */
export function entryKeyPosition(key: Uint8Array): Position {
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
  return view.getUint32(1) * 0x1_0000_0000 + view.getUint32(5);
}

export function documentKey(position: Position): Buffer {
  return positionKey(documentSpace, position);
}

export function blockKey(recordId: RecordId): Buffer {
  return textKey(blockSpace, recordId);
}

/** Record ids hold no 0x00, so no other id's key can start with this one. */
export function olderBlockKey(recordId: RecordId, blockIndex: number): Buffer {
  const key = textKey(olderBlockSpace, recordId, 5);
  key[key.length - 5] = 0;
  key.writeUInt32BE(blockIndex, key.length - 4);
  return key;
}

export function eventIdKey(id: EventId): Buffer {
  return Buffer.concat([Buffer.from([eventIdSpace]), encodeUuid(id)]);
}

export function idempotencyKey(key: string): Buffer {
  return textKey(idempotencySpace, key);
}

/** All keys of idempotency keys, as a half-open range. */
export const idempotencyKeyRange = {
  from: Buffer.from([idempotencySpace]),
  until: Buffer.from([idempotencySpace + 1]),
} as const;

/** The idempotency key in a key of its space. */
export function idempotencyKeyText(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString("utf8", 1);
}

/** `Z`, the level of the tile and its index within the level. */
export function tileKey(level: number, index: number): Buffer {
  const key = Buffer.allocUnsafe(10);
  key[0] = tileSpace;
  key[1] = level;
  key.writeUInt32BE(Math.floor(index / 0x1_0000_0000), 2);
  key.writeUInt32BE(index >>> 0, 6);
  return key;
}
