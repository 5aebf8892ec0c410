/** Decodes events for a fold, which needs few members of most: what is dear to make is made when it is asked for. */
import { eventTypes, type EventType, type RecordedEvent } from "../event/event.ts";
import { decodeUuid, type EventId, type Position, type RecordId, type Version } from "../ids.ts";
import { leafHash } from "../merkle/hashing.ts";
import { entryKey } from "../storage/keyspace.ts";
import { formatTimestamp } from "../timestamp.ts";
import { crc32c } from "./crc32c.ts";
import { decodeStructure, type EntryStructure } from "./entry-header.ts";
import { Entry, joinData } from "./entry.ts";
import { frameHeaderBytes } from "./frame.ts";
import { MessagePackCursor } from "./msgpack-cursor.ts";
import { entryFormat } from "./upcast.ts";

const lengthBytes = 4;
const uuidBytes = 16;
const digestBytes = 32;
const saltBytes = 16;
const headerMembers = 10;

/** Where the stored bytes of an entry stand. */
export interface EntryBytes {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

/**
 * Checks and decodes a stored entry as `Entry.event` does, for code of our own: members that are not there are undefined, and
 * `id`, `recordedAt` and `hash` are made on demand, so the event keeps the bytes and must not be copied by its members.
 *
 * @throws the codes of `Entry.decode`
 */
export function decodeFoldedEvent(position: Position, entry: EntryBytes): RecordedEvent {
  return decodePlain(position, entry) ?? decodeWhole(position, entry);
}

function decodeWhole(position: Position, { bytes, start, end }: EntryBytes): RecordedEvent {
  return Entry.decode(position, bytes.subarray(start, end)).event();
}

const cursor = new MessagePackCursor();

/** Undefined for what is rare or wrong: older formats, erased content, damage. Decoding it whole says what it is. */
function decodePlain(position: Position, entry: EntryBytes): RecordedEvent | undefined {
  try {
    return new FoldedEvent(position, entry) as unknown as RecordedEvent;
  } catch {
    return undefined;
  }
}

const notPlain = new Error("The entry must be decoded whole.");

class FoldedEvent {
  readonly position: Position;
  readonly type: EventType;
  readonly recordId: RecordId;
  readonly version: Version;
  occurredAt: string | undefined = undefined;
  actor: string | undefined = undefined;
  causationId: EventId | undefined = undefined;
  correlationId: EventId | undefined = undefined;
  readonly data: Readonly<Record<string, unknown>>;
  readonly erasedBy = undefined;
  readonly #bytes: Buffer;
  readonly #headerStart: number;
  readonly #headerEnd: number;
  readonly #recordedAtUs: number;
  readonly #idStart: number;

  /** @throws any error for an entry that must be decoded whole */
  constructor(position: Position, { bytes, start, end }: EntryBytes) {
    const body = start + frameHeaderBytes;
    const headerStart = body + lengthBytes;
    const checksum = crc32c(bytes, body, crc32c(entryKey(position)), end);
    if (bytes.readUInt32LE(start) !== checksum) throw notPlain;
    const headerEnd = headerStart + bytes.readUInt32LE(body);
    if (headerEnd > end) throw notPlain;
    this.#bytes = bytes;
    this.#headerStart = headerStart;
    this.#headerEnd = headerEnd;
    this.position = position;
    cursor.goTo(bytes, headerStart, headerEnd);
    if (cursor.list() !== headerMembers || cursor.value() !== entryFormat) throw notPlain;
    if (cursor.value() !== position) throw notPlain;
    this.#recordedAtUs = cursor.value() as number;
    const type = eventTypes[(cursor.value() as number) - 1];
    if (type === undefined) throw notPlain;
    this.type = type;
    cursor.value();
    this.#idStart = cursor.binary(uuidBytes);
    this.recordId = cursor.value() as RecordId;
    this.version = cursor.value() as Version;
    const structure = decodeStructure(type, cursor.value() as unknown[]);
    cursor.binary(digestBytes);
    cursor.goTo(bytes, headerEnd, end);
    if (cursor.list() !== 2) throw notPlain;
    cursor.binary(saltBytes);
    this.data = this.#readData(structure);
  }

  #readData(structure: EntryStructure): Readonly<Record<string, unknown>> {
    let data: Readonly<Record<string, unknown>> | undefined;
    for (let left = cursor.map(); left > 0; left -= 1) {
      const name = cursor.name();
      if (name === "data") data = readDataOf(structure);
      else if (name === "actor") this.actor = cursor.value() as string;
      else if (name === "occurredAt") this.occurredAt = cursor.value() as string;
      else if (name === "causationId") this.causationId = cursor.value() as EventId;
      else if (name === "correlationId") this.correlationId = cursor.value() as EventId;
      else throw notPlain;
    }
    if (!cursor.isAtEnd || data === undefined) throw notPlain;
    return data;
  }

  get id(): EventId {
    return decodeUuid(this.#bytes.subarray(this.#idStart, this.#idStart + uuidBytes));
  }

  get recordedAt(): string {
    return formatTimestamp(this.#recordedAtUs);
  }

  get hash(): string {
    return leafHash(this.#bytes.subarray(this.#headerStart, this.#headerEnd)).toString("hex");
  }
}

/** As `joinData` does, but most events are creations, and theirs are read into the object they end in. */
function readDataOf(structure: EntryStructure): Readonly<Record<string, unknown>> {
  if (structure.type !== "record.created") {
    return joinData(structure, cursor.value() as Readonly<Record<string, unknown>>);
  }
  const data: Record<string, unknown> = { kind: structure.kind };
  cursor.membersInto(data, cursor.map());
  if (structure.edges.length > 0) data["derivedFrom"] = structure.edges;
  return data;
}
