/**
 * The header of a log entry: place, identity and edges of an event, and the digest of its content.
 *
 * It is one MessagePack array, covered by the leaf hash and never written again. `docs/internals/storage-format.md` has
 * every member.
 */
import { unreachable } from "../assert.ts";
import { StoreError } from "../errors.ts";
import { defaultRelation, type Derivation, type Relation } from "../event/document.ts";
import { eventTypes, type InvalidationRoot } from "../event/event.ts";
import {
  decodeUuid,
  encodeUuid,
  type EventId,
  type Position,
  type RecordId,
  type RecordVersionRef,
  type Version,
} from "../ids.ts";
import { decodeMessagePack, encodeMessagePack } from "./msgpack.ts";
import { entryFormat, upcastHeader, type StoredHeader } from "./upcast.ts";

/** How an event came into the log: sent by a client, or added by the store to the same batch. */
export type EventOrigin = "given" | "consequence" | "placeholder";

const origins: readonly EventOrigin[] = ["given", "consequence", "placeholder"];

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
      /**
       * SHA-256 of the salted document that a patch makes; null when the event carries its document whole, and for
       * patches of entry format 1, whose documents have to be folded.
       */
      readonly documentDigest: Uint8Array | null;
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

/** Encodes a header that commits to the payload with this digest. */
export function encodeHeader(header: EntryHeader, payloadDigest: Uint8Array): Buffer {
  return encodeMessagePack([
    entryFormat,
    header.position,
    header.recordedAtUs,
    eventTypes.indexOf(header.structure.type) + 1,
    origins.indexOf(header.origin),
    encodeUuid(header.id),
    header.recordId,
    header.version,
    encodeStructure(header.structure),
    payloadDigest,
  ] satisfies StoredHeader);
}

function encodeStructure(structure: EntryStructure): unknown {
  switch (structure.type) {
    case "record.created":
      return [structure.kind, structure.edges.map(encodeEdge)];
    case "record.updated":
      return [
        structure.edges === null ? null : structure.edges.map(encodeEdge),
        structure.restores,
        structure.documentDigest,
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

type EncodedEdge = [RecordId, Version, string | null, Relation | null];

/**
 * Decodes a header of any known version.
 *
 * @returns the header and the payload's digest
 * @throws `entry-unreadable`, `format-too-new`
 */
export function decodeHeader(position: Position, bytes: Uint8Array): [EntryHeader, Uint8Array] {
  const [
    ,
    storedPosition,
    recordedAtUs,
    typeCode,
    originCode,
    id,
    recordId,
    version,
    structure,
    digest,
  ] = upcastHeader(position, decodeMessagePack(bytes) as StoredHeader);
  const type = eventTypes[typeCode - 1];
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
    structure: decodeStructure(type, structure as unknown[]),
  };
  return [header, digest];
}

export function decodeStructure(type: EntryStructure["type"], parts: unknown[]): EntryStructure {
  switch (type) {
    case "record.created":
      return { type, kind: parts[0] as string, edges: (parts[1] as EncodedEdge[]).map(decodeEdge) };
    case "record.updated": {
      const edges = parts[0] as EncodedEdge[] | null;
      return {
        type,
        edges: edges === null ? null : edges.map(decodeEdge),
        restores: parts[1] as Version | null,
        documentDigest: parts[2] as Uint8Array | null,
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
