/** Positions, versions, ids and refs: their meaning, their text form and how they are made. */
import { randomFillSync } from "node:crypto";

import { StoreError } from "./errors.ts";
import { limits } from "./limits.ts";

/** An event's place in the log: 1, 2, 3 and so on without gaps. 0 is the empty store. */
export type Position = number;

/** A record's n-th event: 1 is its creation. */
export type Version = number;

/** A record's id: 1-512 bytes of UTF-8 without control characters, not ending in `@` and digits. */
export type RecordId = string;

/** An event's id: a UUID in lower case. Version 7 is recommended; any version is taken. */
export type EventId = string;

/** One version of one record. */
export interface RecordVersionRef {
  readonly recordId: RecordId;
  readonly version: Version;
}

/** A reference as a person writes it: `ID`, `ID@VERSION` or `KIND/NAME`. */
export interface Ref {
  /** The text before `@VERSION`: an id, or `KIND/NAME`. */
  readonly target: string;
  readonly version?: Version | undefined;
}

// eslint-disable-next-line no-control-regex -- control characters are what this pattern is about
const controls = /[\u0000-\u001f\u007f-\u009f]/u;
const versionSuffix = /@(\d+)$/;
const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Says what is wrong with a record id, or nothing. */
export function recordIdProblem(value: unknown): string | undefined {
  if (typeof value !== "string") return "must be text";
  if (value.length === 0) return "must not be empty";
  if (!value.isWellFormed())
    return "must be well-formed Unicode (it holds half of a surrogate pair)";
  if (
    value.length > limits.recordIdBytesMax ||
    Buffer.byteLength(value) > limits.recordIdBytesMax
  ) {
    return `must be at most ${limits.recordIdBytesMax} bytes of UTF-8`;
  }
  if (controls.test(value)) return "must not hold control characters";
  if (versionSuffix.test(value)) return "must not end in @ and digits: that names a version";
  return undefined;
}

/** True for the text of a UUID in lower case. */
export function isEventId(value: unknown): value is EventId {
  return typeof value === "string" && uuidPattern.test(value);
}

/**
 * Parses `ID`, `ID@VERSION` or `KIND/NAME`.
 *
 * @throws `ref-invalid`
 */
export function parseRef(text: string): Ref {
  const match = versionSuffix.exec(text);
  const target = match === null ? text : text.slice(0, match.index);
  const problem = recordIdProblem(target);
  if (problem !== undefined) {
    throw new StoreError("ref-invalid", `${JSON.stringify(text)} is no reference: it ${problem}.`);
  }
  if (match === null) return { target };
  const version = Number(match[1]);
  if (version < 1 || version > limits.versionMax) {
    throw new StoreError(
      "ref-invalid",
      `${JSON.stringify(text)} names no version: versions start at 1.`,
    );
  }
  return { target, version };
}

/** Writes `ID@VERSION`. */
export function formatRef(ref: RecordVersionRef): string {
  return `${ref.recordId}@${ref.version}`;
}

const uuidBytes = 16;
const uuidLength = 36;
/** Where the two digits of each byte begin in the text of a UUID. */
const digitsAt = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34] as const;
const hyphen = 0x2d;
const digitCodes: readonly number[] = [...Buffer.from("0123456789abcdef")];
// One text serves all ids: it is read before the next call can change it. Hexadecimal by Node would make six strings of each.
const uuidText = Buffer.alloc(uuidLength, hyphen);

/** The 16 bytes of a UUID. */
export function encodeUuid(id: EventId): Buffer {
  const bytes = Buffer.allocUnsafe(uuidBytes);
  for (let index = 0; index < uuidBytes; index += 1) {
    const at = digitsAt[index] as number;
    bytes[index] = (digitValue(id.charCodeAt(at)) << 4) | digitValue(id.charCodeAt(at + 1));
  }
  return bytes;
}

/** The value of a hexadecimal digit in lower case. */
function digitValue(code: number): number {
  return code < 0x3a ? code - 0x30 : code - 0x57;
}

/** The text of 16 bytes as a UUID in lower case. */
export function decodeUuid(bytes: Uint8Array): EventId {
  for (let index = 0; index < uuidBytes; index += 1) {
    const at = digitsAt[index] as number;
    const byte = bytes[index] as number;
    uuidText[at] = digitCodes[byte >>> 4] as number;
    uuidText[at + 1] = digitCodes[byte & 0xf] as number;
  }
  return uuidText.toString("latin1");
}

const poolBytes = 4096;
let pool = Buffer.alloc(0);
let poolOffset = 0;

/** Random bytes from the operating system, drawn in blocks because one call per event would dominate an append. */
export function randomBytes(size: number): Buffer {
  const at = draw(size);
  return pool.subarray(at, at + size);
}

/** Where so many bytes begin in the pool that nobody else gets. */
function draw(size: number): number {
  if (poolOffset + size > pool.length) {
    // A new pool each time: what was drawn from the one before belongs to those who have it.
    pool = randomFillSync(Buffer.allocUnsafeSlow(Math.max(poolBytes, size)));
    poolOffset = 0;
  }
  poolOffset += size;
  return poolOffset - size;
}

/** Makes a UUIDv7 (RFC 9562) of the given time in milliseconds since the epoch. */
export function newEventId(timeMs: number = Date.now()): EventId {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(timeMs, 0, 6);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return decodeUuid(bytes);
}

/** Bits of a store-made id that do not say time or position. */
const storeIdTailBits = 26;

const storeId = Buffer.alloc(uuidBytes);

/**
 * Makes the id of an event that came without one: a UUIDv7 whose random part begins with the event's position, so that
 * it can be found again without an index.
 *
 * @param tail 26 bits that set ids of different stores apart; copies of one log must use the same
 */
export function storeEventId(timeMs: number, position: Position, tail: number): EventId {
  const bytes = storeId;
  bytes.writeUIntBE(timeMs, 0, 6);
  // 48 bits of position: 12 after the version, 36 after the variant; then the tail.
  const high = Math.floor(position / 2 ** 36);
  const low = position % 2 ** 36;
  bytes.writeUInt16BE(0x7000 | high, 6);
  bytes.writeUInt32BE((0x8000_0000 + Math.floor(low / 2 ** 6)) >>> 0, 8);
  bytes.writeUInt32BE(
    ((low % 2 ** 6) * 2 ** storeIdTailBits + (tail % 2 ** storeIdTailBits)) >>> 0,
    12,
  );
  return decodeUuid(bytes);
}

/** The position a store-made id carries. For any other id the answer means nothing and must be checked. */
export function positionOfStoreId(id: EventId): Position | undefined {
  if (id[14] !== "7") return undefined;
  const high = Number.parseInt(id.slice(15, 18), 16);
  const middle = Number.parseInt(id.slice(19, 23) + id.slice(24, 28), 16) - 0x8000_0000;
  const end = Math.floor(Number.parseInt(id.slice(28), 16) / 2 ** storeIdTailBits);
  if (middle < 0 || middle >= 2 ** 30) return undefined;
  const position = high * 2 ** 36 + middle * 2 ** 6 + end;
  return position >= 1 ? position : undefined;
}

/** The tail bits of an id, for the ids of events that follow from it. */
export function idTail(id: EventId): number {
  return Number.parseInt(id.slice(28), 16) % 2 ** storeIdTailBits;
}

/** Random tail bits for the id of an event that follows from no other. */
export function newEventTail(): number {
  const at = draw(4);
  return pool.readUInt32BE(at) % 2 ** storeIdTailBits;
}
