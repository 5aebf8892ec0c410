/** The three event types: as a client sends them and as the log holds them. */
import type { EventId, Position, RecordId, RecordVersionRef, Version } from "../ids.ts";
import type { Derivation, NewDerivation, NewDocument, PinnedDocument } from "./document.ts";
import type { JsonValue } from "./json.ts";

/** The types of events. Their order is that of the codes in stored headers and version blocks. */
export const eventTypes = ["record.created", "record.updated", "record.invalidated"] as const;
export type EventType = (typeof eventTypes)[number];

/** What the head of a record must be for an event to be taken. */
export type ExpectedVersion = Version | "none" | "exists" | "any";

/** Wishes that travel beside an event and are not stored. */
export interface EventOptions {
  /** Refuse the event unless the record is at this version. Default `"any"`. */
  readonly expectedVersion?: ExpectedVersion | undefined;
  /** Withdraw everything derived from what is withdrawn. Default true. */
  readonly cascade?: boolean | undefined;
  /** Keep the new version valid although a source of it is withdrawn. Default false. */
  readonly allowInvalidSources?: boolean | undefined;
  /** `"placeholder"` makes a placeholder of kind `unknown` for a source that is not there. Default `"refuse"`. */
  readonly unknownSources?: "refuse" | "placeholder" | undefined;
}

interface NewEnvelope extends EventOptions {
  readonly id?: EventId | undefined;
  readonly recordId: RecordId;
  /** RFC 3339: when it happened in the world. */
  readonly occurredAt?: string | undefined;
  readonly actor?: string | undefined;
  readonly causationId?: EventId | undefined;
  readonly correlationId?: EventId | undefined;
}

/** An RFC 7396 merge patch over a record's document. */
export type DocumentPatch = {
  readonly name?: string | undefined;
  readonly kind?: string | undefined;
  readonly tags?: Readonly<Record<string, string | number | boolean | null>> | null | undefined;
  readonly uris?: readonly string[] | null | undefined;
  readonly attributes?: JsonValue | undefined;
  readonly artifacts?: NewDocument["artifacts"] | null;
  readonly derivedFrom?: readonly NewDerivation[] | null | undefined;
  readonly onInvalidate?: readonly RecordId[] | null | undefined;
};

export interface NewUpdate {
  /** Exactly one of `patch` and `document`. */
  readonly patch?: DocumentPatch | undefined;
  readonly document?: NewDocument | undefined;
  readonly reason?: string | undefined;
  /** The earlier version whose content this one brings back. */
  readonly restores?: Version | undefined;
}

export interface NewInvalidation {
  readonly cause: string;
  /** Default: all versions so far. Without `to`: `from` and all later ones. */
  readonly versions?: { readonly from: Version; readonly to?: Version | undefined } | undefined;
}

/** An event as a client sends it, with its options. */
export type NewEvent =
  | (NewEnvelope & { readonly type: "record.created"; readonly data: NewDocument })
  | (NewEnvelope & { readonly type: "record.updated"; readonly data: NewUpdate })
  | (NewEnvelope & { readonly type: "record.invalidated"; readonly data: NewInvalidation });

interface RecordedEnvelope {
  readonly position: Position;
  readonly id: EventId;
  readonly recordId: RecordId;
  readonly version: Version;
  /** RFC 3339, UTC, six digits: one value for a whole batch, strictly later than the batch before. */
  readonly recordedAt: string;
  readonly occurredAt?: string;
  readonly actor?: string;
  readonly causationId?: EventId;
  readonly correlationId?: EventId;
  /** RFC 6962 leaf hash of the stored header: 64 hexadecimal digits. */
  readonly hash: string;
  /** Only on an event whose content was erased: the position of the event that recorded it. The content is empty. */
  readonly erasedBy?: Position;
}

interface UpdateData {
  readonly patch?: Omit<DocumentPatch, "derivedFrom"> & {
    readonly derivedFrom?: readonly Derivation[];
  };
  readonly document?: PinnedDocument;
  readonly reason?: string;
  readonly restores?: Version;
}

/** The first invalidation event of a cascade. */
export interface InvalidationRoot {
  readonly eventId: EventId;
  readonly recordId: RecordId;
}

interface InvalidationData {
  readonly cause: string;
  /** The versions withdrawn, both ends included. */
  readonly versions: { readonly from: Version; readonly to: Version };
  /** Only on a cascaded invalidation: the invalidation everything started with. */
  readonly root?: InvalidationRoot;
  /** Only on a cascaded invalidation: the withdrawn source it came through. */
  readonly via?: RecordVersionRef;
}

/** One immutable fact in the log. */
export type RecordedEvent =
  | (RecordedEnvelope & { readonly type: "record.created"; readonly data: PinnedDocument })
  | (RecordedEnvelope & { readonly type: "record.updated"; readonly data: UpdateData })
  | (RecordedEnvelope & { readonly type: "record.invalidated"; readonly data: InvalidationData });

type Envelope = Omit<NewEnvelope, "recordId">;

/** Makes a `record.created` event. */
export function created(recordId: RecordId, data: NewDocument, envelope: Envelope = {}): NewEvent {
  return { ...envelope, type: "record.created", recordId, data };
}

/** Makes a `record.updated` event from a merge patch. */
export function updated(
  recordId: RecordId,
  patch: DocumentPatch,
  envelope: Envelope = {},
): NewEvent {
  return { ...envelope, type: "record.updated", recordId, data: { patch } };
}

/** Makes a `record.updated` event that replaces the whole document. */
export function replaced(
  recordId: RecordId,
  document: NewDocument,
  envelope: Envelope = {},
): NewEvent {
  return { ...envelope, type: "record.updated", recordId, data: { document } };
}

/** Makes a `record.invalidated` event. */
export function invalidated(
  recordId: RecordId,
  data: NewInvalidation,
  envelope: Envelope = {},
): NewEvent {
  return { ...envelope, type: "record.invalidated", recordId, data };
}
