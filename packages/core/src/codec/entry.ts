/**
 * A log entry: one event as stored bytes.
 *
 * After the frame's checksum stand the header's length (4 bytes, little-endian), the header and the payload, each one
 * MessagePack value. The header holds the structure (place, identity, edges) and the digest of the payload; the leaf
 * hash covers the header alone. Content stands in the payload, behind a random salt, so that an erasure destroys it
 * without touching the header, the lineage or the proofs. `docs/internals/storage-format.md` has every member.
 */
import { assert, unreachable } from "../assert.ts";
import type { RecordedEvent } from "../event/event.ts";
import type { EventId, Position } from "../ids.ts";
import { leafHash, sha256 } from "../merkle/hashing.ts";
import { entryKey } from "../storage/keyspace.ts";
import { formatTimestamp } from "../timestamp.ts";
import {
  decodeHeader,
  encodeHeader,
  type EntryHeader,
  type EntryStructure,
} from "./entry-header.ts";
import { frameHeaderBytes, sealFrame, unframe } from "./frame.ts";
import { decodeMessagePack, encodeMessagePack } from "./msgpack.ts";

const saltBytes = 16;
const lengthBytes = 4;

/** The content of an entry, without what the header holds. */
export interface EntryPayload {
  readonly occurredAt?: string;
  readonly actor?: string;
  readonly causationId?: EventId;
  readonly correlationId?: EventId;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What stands in the place of content that was erased. */
export interface Erasure {
  /** Position of the event that recorded the erasure. */
  readonly erasedBy: Position;
  /**
   * 16 bytes that are equal for versions of the record whose content was equal, and say nothing else about it; null for
   * an invalidation.
   */
  readonly contentTag: Uint8Array | null;
}

/** An entry ready to be written. */
export interface EncodedEntry {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly entry: Entry;
}

/**
 * Encodes an entry with its checksum. `salt` must be 16 bytes nobody can guess.
 *
 * @param isOurs nobody else can change the payload, so that the entry need not decode it again
 */
export function encodeEntry(
  header: EntryHeader,
  payload: EntryPayload,
  salt: Uint8Array,
  isOurs = false,
): EncodedEntry {
  assert(salt.length === saltBytes, "a salt has 16 bytes");
  const payloadBytes = encodeMessagePack([salt, payload]);
  const payloadDigest = sha256(payloadBytes);
  const headerBytes = encodeHeader(header, payloadDigest);
  const content = isOurs ? { payload, erasure: undefined, salt } : undefined;
  return sealed(new Entry(header, headerBytes, payloadBytes, payloadDigest, content));
}

/** The entry as it is stored, with its key and its checksum. */
export function sealed(entry: Entry): EncodedEntry {
  const { headerBytes, payloadBytes } = entry;
  const key = entryKey(entry.header.position);
  const headerStart = frameHeaderBytes + lengthBytes;
  const value = Buffer.allocUnsafe(headerStart + headerBytes.length + payloadBytes.length);
  value.writeUInt32LE(headerBytes.length, frameHeaderBytes);
  value.set(headerBytes, headerStart);
  value.set(payloadBytes, headerStart + headerBytes.length);
  sealFrame(key, value);
  return { key, value, entry };
}

/** A stored entry, decoded as far as it is asked: the header at once, the content when wanted. */
export class Entry {
  readonly header: EntryHeader;
  readonly #headerBytes: Buffer;
  readonly #payloadBytes: Buffer;
  readonly #payloadDigest: Uint8Array;
  #content: EntryContent | undefined;
  #leafHash: Buffer | undefined;

  /**
   * Puts an entry together from parts that belong to one another.
   *
   * @param content what the payload's bytes hold, where that is known
   */
  constructor(
    header: EntryHeader,
    headerBytes: Buffer,
    payloadBytes: Buffer,
    payloadDigest: Uint8Array,
    content?: EntryContent,
  ) {
    this.#content = content;
    this.header = header;
    this.#headerBytes = headerBytes;
    this.#payloadBytes = payloadBytes;
    this.#payloadDigest = payloadDigest;
  }

  /**
   * Checks and decodes a stored entry.
   *
   * @throws `checksum-mismatch`, `entry-unreadable`, `format-too-new`
   */
  static decode(position: Position, value: Uint8Array): Entry {
    const body = unframe(entryKey(position), value, () => `log entry ${position}`);
    const headerEnd = lengthBytes + body.readUInt32LE(0);
    const headerBytes = body.subarray(lengthBytes, headerEnd);
    return Entry.fromParts(position, headerBytes, body.subarray(headerEnd));
  }

  /**
   * Puts an entry together from the bytes of its header and payload, which need not belong to one another.
   *
   * @throws `entry-unreadable`, `format-too-new`
   */
  static fromParts(position: Position, headerBytes: Buffer, payloadBytes: Buffer): Entry {
    const [header, digest] = decodeHeader(position, headerBytes);
    return new Entry(header, headerBytes, payloadBytes, digest);
  }

  /** An entry of which only the header is known: its content counts as erased. @throws `entry-unreadable`, `format-too-new` */
  static withoutPayload(position: Position, headerBytes: Buffer): Entry {
    return Entry.fromParts(position, headerBytes, encodeMessagePack([0, null]));
  }

  /** The stored bytes of the header: what the leaf hash covers. */
  get headerBytes(): Uint8Array {
    return this.#headerBytes;
  }

  /** The stored bytes of the payload: what the header's digest covers. */
  get payloadBytes(): Uint8Array {
    return this.#payloadBytes;
  }

  /** The event's content, without what the header holds; an empty one where it was erased. */
  payload(): EntryPayload {
    return this.#decoded().payload;
  }

  /** The 16 bytes the payload begins with; undefined where the content was erased. */
  get salt(): Uint8Array | undefined {
    return this.#decoded().salt;
  }

  /** What stands in the place of erased content; undefined where it is there. */
  get erasure(): Erasure | undefined {
    return this.#decoded().erasure;
  }

  /** The same entry with its content destroyed. The header, and so the leaf hash, stays. */
  erased({ erasedBy, contentTag }: Erasure): Entry {
    const payloadBytes = encodeMessagePack([erasedBy, contentTag]);
    return new Entry(this.header, this.#headerBytes, payloadBytes, this.#payloadDigest);
  }

  /** The leaf hash of the header, 32 bytes. */
  leafHash(): Buffer {
    this.#leafHash ??= leafHash(this.#headerBytes);
    return this.#leafHash;
  }

  /** True when the content is the one the header commits to. */
  payloadMatchesDigest(): boolean {
    return sha256(this.#payloadBytes).equals(this.#payloadDigest);
  }

  /** The event in its public form. Erased content is empty, and `erasedBy` says where that was recorded. */
  event(): RecordedEvent {
    const { header } = this;
    const { payload, erasure } = this.#decoded();
    const { data, ...envelope } = payload;
    // The payload was validated before it was stored and its bytes were checked when read.
    return {
      position: header.position,
      id: header.id,
      type: header.structure.type,
      recordId: header.recordId,
      version: header.version,
      recordedAt: formatTimestamp(header.recordedAtUs),
      ...envelope,
      data: joinData(header.structure, data),
      hash: this.leafHash().toString("hex"),
      ...(erasure !== undefined && { erasedBy: erasure.erasedBy }),
    } as RecordedEvent;
  }

  #decoded(): EntryContent {
    this.#content ??= decodeContent(this.header.structure, this.#payloadBytes);
    return this.#content;
  }
}

interface EntryContent {
  readonly payload: EntryPayload;
  readonly erasure: Erasure | undefined;
  readonly salt: Uint8Array | undefined;
}

/** A payload begins with its salt, and what is left of an erased one with a position. */
function decodeContent({ type }: EntryStructure, bytes: Uint8Array): EntryContent {
  const [first, second] = decodeMessagePack(bytes) as
    | [Uint8Array, EntryPayload]
    | [Position, Uint8Array | null];
  if (typeof first === "number") {
    const contentTag = second as Uint8Array | null;
    const payload = { data: emptyData[type] };
    return { payload, erasure: { erasedBy: first, contentTag }, salt: undefined };
  }
  return { payload: second as EntryPayload, erasure: undefined, salt: first };
}

/** The data of erased events: an update empties everything but the sources, which stand in the header. */
const emptyData: Readonly<Record<EntryStructure["type"], EntryPayload["data"]>> = {
  "record.created": { name: "" },
  "record.updated": {
    patch: {
      name: "",
      tags: null,
      uris: null,
      attributes: null,
      artifacts: null,
      onInvalidate: null,
    },
  },
  "record.invalidated": { cause: "" },
};

/** Puts kind, edges, ranges and the like back where the event's `data` has them. */
export function joinData(
  structure: EntryStructure,
  data: EntryPayload["data"],
): Readonly<Record<string, unknown>> {
  switch (structure.type) {
    case "record.created":
      return {
        kind: structure.kind,
        ...data,
        ...(structure.edges.length > 0 && { derivedFrom: structure.edges }),
      };
    case "record.updated": {
      const { patch, document, ...rest } = data;
      const sources = structure.edges === null ? {} : { derivedFrom: structure.edges };
      return {
        ...(patch !== undefined && { patch: { ...(patch as object), ...sources } }),
        ...(document !== undefined && { document: { ...(document as object), ...sources } }),
        ...rest,
        ...(structure.restores !== null && { restores: structure.restores }),
      };
    }
    case "record.invalidated": {
      const { from, to, root, via } = structure;
      return {
        ...data,
        versions: { from, to },
        ...(root !== null && { root }),
        ...(via !== null && { via }),
      };
    }
    default:
      return unreachable(structure);
  }
}
