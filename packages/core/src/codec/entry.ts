/**
 * A log entry: one event as stored bytes.
 *
 * After the frame's checksum stand the header's length (4 bytes, little-endian), the header and the payload, each one
 * MessagePack value. The header holds the structure (place, identity, edges) and the digest of the payload; the leaf
 * hash covers the header alone. Content stands in the payload, behind a random salt, so that it can be destroyed one
 * day without touching the header, the lineage or the proofs. `docs/internals/storage-format.md` has every member.
 */
import { assert, unreachable } from "../assert.ts";
import { StoreError } from "../errors.ts";
import { defaultRelation, type Derivation, type Relation } from "../event/document.ts";
import type { InvalidationRoot, RecordedEvent } from "../event/event.ts";
import {
  decodeUuid,
  encodeUuid,
  type EventId,
  type Position,
  type RecordId,
  type RecordVersionRef,
  type Version,
} from "../ids.ts";
import { leafHash, sha256 } from "../merkle/hashing.ts";
import { entryKey } from "../storage/keyspace.ts";
import { formatTimestamp } from "../timestamp.ts";
import { frameHeaderBytes, sealFrame, unframe } from "./frame.ts";
import { decodeMessagePack, encodeMessagePack } from "./msgpack.ts";

/** The version of the entry format, first member of every header. */
export const entryFormat = 1;
const saltBytes = 16;
const lengthBytes = 4;

/** How an event came into the log: sent by a client, or added by the store to the same batch. */
export type EventOrigin = "given" | "consequence" | "placeholder";

const origins: readonly EventOrigin[] = ["given", "consequence", "placeholder"];
const types = ["record.created", "record.updated", "record.invalidated"] as const;

/** What an event changes in the structure of the store. */
export type EntryStructure =
  | {
      readonly type: "record.created";
      readonly kind: string;
      readonly edges: readonly Derivation[];
    }
  | {
      readonly type: "record.updated";
      /** The new sources, or null when the update leaves them as they are. */
      readonly edges: readonly Derivation[] | null;
      readonly restores: Version | null;
    }
  | {
      readonly type: "record.invalidated";
      readonly from: Version;
      readonly to: Version;
      readonly root: InvalidationRoot | null;
      readonly via: RecordVersionRef | null;
    };

/** The header of an entry: everything but the content. */
export interface EntryHeader {
  readonly position: Position;
  readonly recordedAtUs: number;
  readonly origin: EventOrigin;
  readonly id: EventId;
  readonly recordId: RecordId;
  readonly version: Version;
  readonly structure: EntryStructure;
}

/** The content of an entry, without what the header holds. */
export interface EntryPayload {
  readonly occurredAt?: string;
  readonly actor?: string;
  readonly causationId?: EventId;
  readonly correlationId?: EventId;
  readonly data: Readonly<Record<string, unknown>>;
}

/** An entry ready to be written. */
export interface EncodedEntry {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly entry: Entry;
}

/** Encodes an entry with its checksum. `salt` must be 16 bytes nobody can guess. */
export function encodeEntry(
  header: EntryHeader,
  payload: EntryPayload,
  salt: Uint8Array,
): EncodedEntry {
  assert(salt.length === saltBytes, "a salt has 16 bytes");
  const payloadBytes = encodeMessagePack([salt, payload]);
  const payloadDigest = sha256(payloadBytes);
  const headerBytes = encodeMessagePack([
    entryFormat,
    header.position,
    header.recordedAtUs,
    types.indexOf(header.structure.type) + 1,
    origins.indexOf(header.origin),
    encodeUuid(header.id),
    header.recordId,
    header.version,
    encodeStructure(header.structure),
    payloadDigest,
  ]);
  const key = entryKey(header.position);
  const headerStart = frameHeaderBytes + lengthBytes;
  const value = Buffer.allocUnsafe(headerStart + headerBytes.length + payloadBytes.length);
  value.writeUInt32LE(headerBytes.length, frameHeaderBytes);
  value.set(headerBytes, headerStart);
  value.set(payloadBytes, headerStart + headerBytes.length);
  sealFrame(key, value);
  return { key, value, entry: new Entry(header, headerBytes, payloadBytes, payloadDigest) };
}

function encodeStructure(structure: EntryStructure): unknown {
  switch (structure.type) {
    case "record.created":
      return [structure.kind, structure.edges.map(encodeEdge)];
    case "record.updated":
      return [
        structure.edges === null ? null : structure.edges.map(encodeEdge),
        structure.restores,
      ];
    case "record.invalidated": {
      const { from, to, root, via } = structure;
      return [
        from,
        to,
        root === null ? null : [encodeUuid(root.eventId), root.recordId],
        via === null ? null : [via.recordId, via.version],
      ];
    }
    default:
      return unreachable(structure);
  }
}

function encodeEdge(edge: Derivation): unknown {
  return [
    edge.recordId,
    edge.version,
    edge.role,
    edge.relation === defaultRelation ? null : edge.relation,
  ];
}

/** A stored entry, decoded as far as it is asked: the header at once, the content when wanted. */
export class Entry {
  readonly header: EntryHeader;
  readonly #headerBytes: Buffer;
  readonly #payloadBytes: Buffer;
  readonly #payloadDigest: Uint8Array;
  #payload: EntryPayload | undefined;

  /** Puts an entry together from parts that belong to one another. */
  constructor(
    header: EntryHeader,
    headerBytes: Buffer,
    payloadBytes: Buffer,
    payloadDigest: Uint8Array,
  ) {
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

  /** The stored bytes of the header: what the leaf hash covers. */
  get headerBytes(): Uint8Array {
    return this.#headerBytes;
  }

  /** The stored bytes of the payload: what the header's digest covers. */
  get payloadBytes(): Uint8Array {
    return this.#payloadBytes;
  }

  /** The event's content, without what the header holds. */
  payload(): EntryPayload {
    if (this.#payload === undefined) {
      const [, payload] = decodeMessagePack(this.#payloadBytes) as [Uint8Array, EntryPayload];
      this.#payload = payload;
    }
    return this.#payload;
  }

  /** The leaf hash of the header, 32 bytes. */
  leafHash(): Buffer {
    return leafHash(this.#headerBytes);
  }

  /** True when the content is the one the header commits to. */
  payloadMatchesDigest(): boolean {
    return sha256(this.#payloadBytes).equals(this.#payloadDigest);
  }

  /** The event in its public form. */
  event(): RecordedEvent {
    const { header } = this;
    const { data, ...envelope } = this.payload();
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
    } as RecordedEvent;
  }
}

/** Puts kind, edges, ranges and the like back where the event's `data` has them. */
function joinData(
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

type EncodedEdge = [RecordId, Version, string | null, Relation | null];
type EncodedHeader = [
  number,
  Position,
  number,
  number,
  number,
  Uint8Array,
  RecordId,
  Version,
  unknown[],
  Uint8Array,
];

function decodeHeader(position: Position, bytes: Uint8Array): [EntryHeader, Uint8Array] {
  const parts = decodeMessagePack(bytes) as EncodedHeader;
  const [
    format,
    storedPosition,
    recordedAtUs,
    typeCode,
    originCode,
    id,
    recordId,
    version,
    structure,
    digest,
  ] = parts;
  if (format > entryFormat) {
    throw new StoreError(
      "format-too-new",
      `Log entry ${position} has format ${format}; this Sennit reads up to ${entryFormat}.`,
      {
        details: { position, format },
      },
    );
  }
  const type = types[typeCode - 1];
  const origin = origins[originCode];
  if (storedPosition !== position || type === undefined || origin === undefined) {
    throw new StoreError(
      "entry-unreadable",
      `Log entry ${position} does not hold what its place says.`,
      {
        details: { position },
      },
    );
  }
  const header: EntryHeader = {
    position,
    recordedAtUs,
    origin,
    id: decodeUuid(id),
    recordId,
    version,
    structure: decodeStructure(type, structure),
  };
  return [header, digest];
}

function decodeStructure(type: EntryStructure["type"], parts: unknown[]): EntryStructure {
  switch (type) {
    case "record.created":
      return { type, kind: parts[0] as string, edges: (parts[1] as EncodedEdge[]).map(decodeEdge) };
    case "record.updated": {
      const edges = parts[0] as EncodedEdge[] | null;
      return {
        type,
        edges: edges === null ? null : edges.map(decodeEdge),
        restores: parts[1] as Version | null,
      };
    }
    case "record.invalidated": {
      const [from, to, root, via] = parts as [
        Version,
        Version,
        [Uint8Array, RecordId] | null,
        [RecordId, Version] | null,
      ];
      return {
        type,
        from,
        to,
        root: root === null ? null : { eventId: decodeUuid(root[0]), recordId: root[1] },
        via: via === null ? null : { recordId: via[0], version: via[1] },
      };
    }
    default:
      return unreachable(type);
  }
}

function decodeEdge([recordId, version, role, relation]: EncodedEdge): Derivation {
  return { recordId, version, role, relation: relation ?? defaultRelation };
}
