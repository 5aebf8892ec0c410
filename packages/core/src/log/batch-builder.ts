/** Gives the events of a batch their places: position, version, id, bytes, version block, node of the graph. */
import type { EntryHeader, EntryStructure, EventOrigin } from "../codec/entry-header.ts";
import { encodeEntry, type Entry, type EntryPayload } from "../codec/entry.ts";
import { encodePatchedDocument } from "../codec/patched-document.ts";
import type { NewVersion, VersionBlock, VersionEntry } from "../codec/version-block.ts";
import { StoreError } from "../errors.ts";
import { contentDigest, type RecordDocument } from "../event/document.ts";
import { randomBytes, storeEventId, type EventId, type Position, type RecordId } from "../ids.ts";
import { limits } from "../limits.ts";
import type { LineageGraph } from "../lineage/graph.ts";
import { sha256 } from "../merkle/hashing.ts";
import type { PendingState } from "../records/state.ts";
import type { RecordVersions } from "../records/versions.ts";
import type { StorageEntry } from "../storage/storage.ts";
import type { AppendedEvent } from "./event-log.ts";
import {
  blockWith,
  carriedRow,
  documentPut,
  eventIdPut,
  madeRow,
  olderBlockPut,
} from "./stored-parts.ts";

/** The members of an event that are neither its structure nor its data. */
export type EnvelopePayload = Omit<EntryPayload, "data">;

const saltBytes = 16;

/** What is drawn by chance for a given event. The ids of what the store adds because of it are derived, so that copies agree. */
export class EventSeed {
  /** Bits that end the ids made by the store. */
  readonly idTail: number;
  /** The salt of the given event, 16 bytes. */
  readonly salt: Uint8Array = randomBytes(saltBytes);
  #secret: Uint8Array | undefined;

  constructor(idTail: number) {
    this.idTail = idTail;
  }

  /** What the salts of all that the store adds are made from, 16 bytes. It is stored nowhere. */
  get secret(): Uint8Array {
    // Most events add nothing.
    this.#secret ??= randomBytes(saltBytes);
    return this.#secret;
  }
}

/** An event that has been checked and may be given a place. */
export interface PlaceableEvent {
  readonly recordId: RecordId;
  /** The record's versions so far; undefined for its first. */
  readonly versions: RecordVersions | undefined;
  /** Undefined: the store makes one. */
  readonly id?: EventId | undefined;
  readonly seed: EventSeed;
  readonly origin: EventOrigin;
  readonly envelope: EnvelopePayload;
  readonly structure: EntryStructure;
  readonly data: EntryPayload["data"];
  /** The content the event makes; undefined for an invalidation. */
  readonly content?: NewContent | undefined;
}

/** The content of a new version. */
export interface NewContent {
  /** True when the event holds a patch, so that the whole document is stored beside it. */
  readonly isPatched: boolean;
  /** Built only when it is needed: for most first versions it is not. */
  readonly document: () => RecordDocument;
}

/** Where a batch starts: the state before it, and the time it gets. */
export interface BatchStart {
  readonly head: Position;
  readonly recordCount: number;
  readonly recordedAtUs: number;
}

/** The outcome of one batch: what to write, and what to answer. */
export interface DecidedBatch extends BatchStart {
  readonly appended: readonly AppendedEvent[];
  /** Leaf hashes of the batch's entries, in order. */
  readonly leaves: readonly Buffer[];
  readonly puts: readonly StorageEntry[];
  readonly deletes?: readonly Uint8Array[];
  /** Blocks of the records touched, in order: the last of a record is its newest. */
  readonly blocks: readonly (readonly [RecordId, VersionBlock])[];
}

/** Places one event after another and keeps the pending state and the graph in step. */
export class BatchBuilder {
  readonly #state: PendingState;
  readonly #graph: LineageGraph | undefined;
  readonly #recordedAtUs: number;
  readonly #recordedAtMs: number;
  readonly #puts: StorageEntry[] = [];
  readonly #leaves: Buffer[] = [];
  readonly #blocks: (readonly [RecordId, VersionBlock])[] = [];
  #head: Position;
  #recordCount: number;
  #givenBytes = 0;
  #addedEvents = 0;

  constructor(state: PendingState, graph: LineageGraph | undefined, start: BatchStart) {
    this.#state = state;
    this.#graph = graph;
    this.#head = start.head;
    this.#recordCount = start.recordCount;
    this.#recordedAtUs = start.recordedAtUs;
    this.#recordedAtMs = Math.floor(start.recordedAtUs / 1000);
  }

  get recordedAtUs(): number {
    return this.#recordedAtUs;
  }

  /** @throws `event-too-large`, `batch-too-large` */
  place(event: PlaceableEvent): Entry {
    const { recordId, versions, origin, content } = event;
    const position = this.#head + 1;
    const previous = versions?.current;
    const salt = saltOf(event, position);
    const patched =
      content?.isPatched === true ? encodePatchedDocument(salt, content.document()) : undefined;
    const header: EntryHeader = {
      position,
      recordedAtUs: this.#recordedAtUs,
      origin,
      id: event.id ?? storeEventId(this.#recordedAtMs, position, event.seed.idTail),
      recordId,
      version: (previous?.version ?? 0) + 1,
      structure: withDigest(event.structure, patched?.digest),
    };
    const payload = { ...event.envelope, data: event.data };
    const { key, value, entry } = encodeEntry(header, payload, salt, origin === "consequence");
    this.#count(value.length, origin);

    this.#puts.push([key, value]);
    this.#leaves.push(entry.leafHash());
    // An id made by the store carries its position; only a client's may not.
    const idPut = event.id === undefined ? undefined : eventIdPut(event.id, position);
    if (idPut !== undefined) this.#puts.push(idPut);
    this.#state.setEntry(entry, idPut !== undefined);
    if (patched !== undefined) this.#putDocument(position, patched.bytes);
    this.#addVersion(header, versions?.newestBlock, previous, content);
    this.#graph?.apply(header);
    this.#head = position;
    if (previous === undefined) this.#recordCount += 1;
    return entry;
  }

  build(appended: readonly AppendedEvent[]): DecidedBatch {
    return {
      appended,
      puts: this.#puts,
      leaves: this.#leaves,
      blocks: this.#blocks,
      head: this.#head,
      recordedAtUs: this.#recordedAtUs,
      recordCount: this.#recordCount,
    };
  }

  #count(bytes: number, origin: EventOrigin): void {
    checkSize(bytes, limits.eventBytesMax, "event");
    if (origin === "given") this.#givenBytes += bytes;
    else this.#addedEvents += 1;
    if (this.#givenBytes > limits.batchBytesMax) {
      throw new StoreError(
        "batch-too-large",
        `The batch takes more than ${limits.batchBytesMax} bytes.`,
        { details: { bytesMax: limits.batchBytesMax } },
      );
    }
    if (this.#addedEvents > limits.consequencesMax) {
      throw new StoreError(
        "batch-too-large",
        `The batch has more than ${limits.consequencesMax} consequences.`,
        { hint: "Withdraw in steps: invalidate records further down first." },
      );
    }
  }

  #addVersion(
    header: EntryHeader,
    block: VersionBlock | undefined,
    previous: VersionEntry | undefined,
    content: NewContent | undefined,
  ): void {
    const { recordId } = header;
    const row = content === undefined ? carriedRow(header, previous) : rowOf(header, content);
    const { next, full } = blockWith(block, row);
    if (full !== undefined) {
      this.#puts.push(olderBlockPut(recordId, full));
      this.#state.setOlderBlock(recordId, full);
    }
    this.#state.setBlock(recordId, next);
    this.#blocks.push([recordId, next]);
  }

  #putDocument(position: Position, bytes: Buffer): void {
    checkSize(bytes.length, limits.documentBytesMax, "document the patch makes");
    this.#puts.push(documentPut(position, bytes));
    this.#state.setDocumentBytes(position, bytes);
  }
}

/** A patch commits to the document it makes. */
function withDigest(structure: EntryStructure, documentDigest: Buffer | undefined): EntryStructure {
  if (structure.type !== "record.updated" || documentDigest === undefined) return structure;
  return { ...structure, documentDigest };
}

/**
 * Added events have salts of their own, so that each can be erased without the others. None can be worked out from another,
 * or from that of the given event.
 */
function saltOf({ origin, seed }: PlaceableEvent, position: Position): Uint8Array {
  if (origin === "given") return seed.salt;
  const { secret } = seed;
  const input = Buffer.alloc(secret.length + 8);
  input.set(secret);
  input.writeDoubleLE(position, secret.length);
  return sha256(input).subarray(0, saltBytes);
}

/** Most records never get a second version, so the first one's digest is worked out when it is asked for. */
function rowOf(header: EntryHeader, { isPatched, document }: NewContent): NewVersion {
  const digest = header.version === 1 ? undefined : contentDigest(document());
  return madeRow(header, { isPatched, digest });
}

function checkSize(bytes: number, bytesMax: number, what: string): void {
  if (bytes <= bytesMax) return;
  throw new StoreError(
    "event-too-large",
    `The ${what} takes ${bytes} bytes; at most ${bytesMax} are stored.`,
    { details: { bytes, bytesMax } },
  );
}
