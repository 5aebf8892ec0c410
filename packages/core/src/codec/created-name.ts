/** Reads the name out of a stored creation and nothing else: for answers that name hundreds of thousands of records. */
import { eventTypes } from "../event/event.ts";
import type { Position } from "../ids.ts";
import { entryKey } from "../storage/keyspace.ts";
import { crc32c } from "./crc32c.ts";
import { frameHeaderBytes } from "./frame.ts";
import { MessagePackCursor } from "./msgpack-cursor.ts";
import { entryFormat } from "./upcast.ts";

const lengthBytes = 4;
const saltBytes = 16;
const headerMembers = 10;

const cursor = new MessagePackCursor();

/**
 * The name in a stored entry. Its checksum has been checked.
 *
 * @returns undefined for whatever is no plain creation: updates, older formats, erased content, damage. Decoding it whole
 * says what it is.
 */
export function readCreatedName(position: Position, value: Uint8Array): string | undefined {
  try {
    return createdName(position, Buffer.from(value.buffer, value.byteOffset, value.byteLength));
  } catch {
    return undefined;
  }
}

/** @throws any error for an entry that must be decoded whole */
function createdName(position: Position, bytes: Buffer): string | undefined {
  const body = frameHeaderBytes;
  const checksum = crc32c(bytes, body, crc32c(entryKey(position)));
  if (bytes.readUInt32LE(0) !== checksum) return undefined;
  const headerStart = body + lengthBytes;
  const headerEnd = headerStart + bytes.readUInt32LE(body);
  cursor.goTo(bytes, headerStart, headerEnd);
  if (cursor.list() !== headerMembers || cursor.value() !== entryFormat) return undefined;
  if (cursor.value() !== position) return undefined;
  cursor.value();
  if (eventTypes[(cursor.value() as number) - 1] !== "record.created") return undefined;
  cursor.goTo(bytes, headerEnd, bytes.length);
  if (cursor.list() !== 2) return undefined;
  cursor.binary(saltBytes);
  return findMember("data") && findMember("name") ? (cursor.value() as string) : undefined;
}

/** Goes into the map at the cursor, to the value of a member. @returns whether it is there */
function findMember(wanted: string): boolean {
  for (let left = cursor.map(); left > 0; left -= 1) {
    if (cursor.name() === wanted) return true;
    cursor.value();
  }
  return false;
}
