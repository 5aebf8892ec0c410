/** Where the versions of records are read from: the stored bytes, or those bytes below what is still being written. */
import { readCreatedName } from "../codec/created-name.ts";
import { Entry } from "../codec/entry.ts";
import { unframe } from "../codec/frame.ts";
import { decodeMessagePack } from "../codec/msgpack.ts";
import { VersionBlock } from "../codec/version-block.ts";
import { StoreError } from "../errors.ts";
import { positionOfStoreId, type EventId, type Position, type RecordId } from "../ids.ts";
import {
  blockKey,
  documentKey,
  entryKey,
  eventIdKey,
  idempotencyKey,
  olderBlockKey,
} from "../storage/keyspace.ts";
import type { Storage } from "../storage/storage.ts";
import { RecentBlocks } from "./recent-blocks.ts";

/** Synchronous look-ups of one state of the store. Each is one or two reads of a key. */
export interface State {
  /** The newest version block of a record. */
  block(recordId: RecordId): VersionBlock | undefined;
  /** A full, older version block. */
  olderBlock(recordId: RecordId, blockIndex: number): VersionBlock | undefined;
  entry(position: Position): Entry | undefined;
  /** The name in the creation at a position; undefined where `entry` has to be asked: for anything else, and for damage. */
  createdName(position: Position): string | undefined;
  /** The whole document after the patch at this position, as it is stored. */
  documentBytes(position: Position): Buffer | undefined;
  positionOfEvent(id: EventId): Position | undefined;
  /** The stored answer to the batch that carried this idempotency key. */
  idempotentBatch(key: string): IdempotentBatch | undefined;
}

/** What is remembered of a batch that carried an idempotency key. */
export interface IdempotentBatch {
  /** SHA-256 of the batch as it was sent; null once one of its events has been erased. */
  readonly digest: Uint8Array | null;
  /** Positions of the events given, in the order given. */
  readonly positions: readonly Position[];
}

/** The entry at a position that is named somewhere, and so must be there. @throws `log-gap` */
export function mustHaveEntry(state: State, position: Position): Entry {
  const entry = state.entry(position);
  if (entry !== undefined) return entry;
  throw new StoreError("log-gap", `Position ${position} is missing from the log.`, {
    details: { position },
  });
}

/** The state on disk. Every read checks its checksum. @throws `checksum-mismatch`, `format-too-new` */
export class StoredState implements State {
  readonly #storage: Storage;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  block(recordId: RecordId): VersionBlock | undefined {
    return this.#block(blockKey(recordId), recordId);
  }

  olderBlock(recordId: RecordId, blockIndex: number): VersionBlock | undefined {
    return this.#block(olderBlockKey(recordId, blockIndex), recordId);
  }

  #block(key: Uint8Array, recordId: RecordId): VersionBlock | undefined {
    const body = this.#body(key, () => `the versions of record ${JSON.stringify(recordId)}`);
    return body === undefined ? undefined : new VersionBlock(body);
  }

  entry(position: Position): Entry | undefined {
    const value = this.#storage.get(entryKey(position));
    return value === undefined ? undefined : Entry.decode(position, value);
  }

  createdName(position: Position): string | undefined {
    const value = this.#storage.get(entryKey(position));
    return value === undefined ? undefined : readCreatedName(position, value);
  }

  documentBytes(position: Position): Buffer | undefined {
    return this.#body(documentKey(position), () => `the document at position ${position}`);
  }

  positionOfEvent(id: EventId): Position | undefined {
    // An id made by the store says where its event stands, so it needs no index.
    const carried = positionOfStoreId(id);
    if (carried !== undefined && this.entry(carried)?.header.id === id) return carried;
    const body = this.#body(eventIdKey(id), () => `the index of event ${id}`);
    return body === undefined ? undefined : body.readDoubleLE(0);
  }

  idempotentBatch(key: string): IdempotentBatch | undefined {
    const body = this.#body(idempotencyKey(key), () => `idempotency key ${JSON.stringify(key)}`);
    if (body === undefined) return undefined;
    const [digest, positions] = decodeMessagePack(body) as [Uint8Array | null, Position[]];
    return { digest, positions };
  }

  #body(key: Uint8Array, what: () => string): Buffer | undefined {
    const value = this.#storage.get(key);
    return value === undefined ? undefined : unframe(key, value, what);
  }
}

/** Entries of the array of what was replaced that are kept for the next batch. */
const replacedKept = 3 * 1024;

/**
 * The state that the next event meets: everything decided so far, on disk or still on its way there.
 *
 * A batch is decided between `begin` and either `keep` or `rollback`; what was kept is let go by `forget` once it is
 * on disk.
 */
export class PendingState implements State {
  readonly #stored: State;
  readonly #blocks = new Map<RecordId, VersionBlock>();
  readonly #olderBlocks = new Map<string, VersionBlock>();
  readonly #entries = new Map<Position, Entry>();
  readonly #documents = new Map<Position, Buffer>();
  readonly #eventIds = new Map<EventId, Position>();
  readonly #batches = new Map<string, IdempotentBatch>();
  /** What the batch being decided replaced, newest last: a map, a key and what stood there, one after another. */
  readonly #replaced: unknown[] = [];
  /** How much of it counts. The array keeps its length: emptying it would cost every batch a new one. */
  #replacedEnd = 0;
  /** Blocks lately written: the next event about a record often comes soon. */
  readonly #recentBlocks = new RecentBlocks();

  constructor(stored: State) {
    this.#stored = stored;
  }

  begin(): void {
    this.#replacedEnd = 0;
  }

  keep(): void {
    this.#replacedEnd = 0;
    if (this.#replaced.length > replacedKept) this.#replaced.length = 0;
  }

  rollback(): void {
    for (let at = this.#replacedEnd - 3; at >= 0; at -= 3) {
      const map = this.#replaced[at] as Map<unknown, unknown>;
      const [key, before] = [this.#replaced[at + 1], this.#replaced[at + 2]];
      if (before === undefined) map.delete(key);
      else map.set(key, before);
    }
    this.#replaced.length = 0;
    this.#replacedEnd = 0;
  }

  block(recordId: RecordId): VersionBlock | undefined {
    return (
      this.#blocks.get(recordId) ?? this.#recentBlocks.get(recordId) ?? this.#stored.block(recordId)
    );
  }

  olderBlock(recordId: RecordId, blockIndex: number): VersionBlock | undefined {
    return (
      this.#olderBlocks.get(`${blockIndex}:${recordId}`) ??
      this.#stored.olderBlock(recordId, blockIndex)
    );
  }

  entry(position: Position): Entry | undefined {
    return this.#entries.get(position) ?? this.#stored.entry(position);
  }

  createdName(position: Position): string | undefined {
    return this.#entries.has(position) ? undefined : this.#stored.createdName(position);
  }

  documentBytes(position: Position): Buffer | undefined {
    return this.#documents.get(position) ?? this.#stored.documentBytes(position);
  }

  positionOfEvent(id: EventId): Position | undefined {
    const carried = positionOfStoreId(id);
    if (carried !== undefined && this.#entries.get(carried)?.header.id === id) return carried;
    return this.#eventIds.get(id) ?? this.#stored.positionOfEvent(id);
  }

  idempotentBatch(key: string): IdempotentBatch | undefined {
    return this.#batches.get(key) ?? this.#stored.idempotentBatch(key);
  }

  setBlock(recordId: RecordId, block: VersionBlock): void {
    this.#set(this.#blocks, recordId, block);
  }

  setOlderBlock(recordId: RecordId, block: VersionBlock): void {
    this.#set(this.#olderBlocks, `${block.index}:${recordId}`, block);
  }

  /** @param hasIdKey whether the id stands under a key of its own, because it does not carry the position */
  setEntry(entry: Entry, hasIdKey: boolean): void {
    const { id, position } = entry.header;
    this.#set(this.#entries, position, entry);
    if (hasIdKey) this.#set(this.#eventIds, id, position);
  }

  setDocumentBytes(position: Position, bytes: Buffer): void {
    this.#set(this.#documents, position, bytes);
  }

  setIdempotentBatch(key: string, batch: IdempotentBatch): void {
    this.#set(this.#batches, key, batch);
  }

  /** Lets go of everything at or before a position: it can be read from the storage now. */
  forget(head: Position): void {
    for (const [position, entry] of this.#entries) {
      if (position > head) break;
      this.#entries.delete(position);
      this.#eventIds.delete(entry.header.id);
      this.#documents.delete(position);
      const { recordId } = entry.header;
      const block = this.#blocks.get(recordId);
      if (block === undefined || block.lastPosition > head) continue;
      this.#blocks.delete(recordId);
      this.#recentBlocks.set(recordId, block);
    }
    forgetUpTo(this.#olderBlocks, head, (block) => block.lastPosition);
  }

  /** Lets go of everything: from here on only what is stored counts. */
  forgetAll(): void {
    this.#replaced.length = 0;
    this.#replacedEnd = 0;
    this.#blocks.clear();
    this.#olderBlocks.clear();
    this.#entries.clear();
    this.#documents.clear();
    this.#eventIds.clear();
    this.#batches.clear();
    this.#recentBlocks.clear();
  }

  /** Lets go of blocks that have been written over. */
  forgetBlocks(recordIds: Iterable<RecordId>): void {
    for (const recordId of recordIds) this.#recentBlocks.delete(recordId);
  }

  /** Lets go of an idempotency key whose batch is on disk. Its events' positions do not tell: they may be duplicates. */
  forgetBatch(key: string): void {
    this.#batches.delete(key);
  }

  #set<K, V>(map: Map<K, V>, key: K, value: V): void {
    this.#replaced[this.#replacedEnd] = map;
    this.#replaced[this.#replacedEnd + 1] = key;
    this.#replaced[this.#replacedEnd + 2] = map.get(key);
    this.#replacedEnd += 3;
    map.set(key, value);
  }
}

function forgetUpTo<K, V>(
  map: Map<K, V>,
  head: Position,
  positionOf: (value: V) => Position,
): void {
  for (const [key, value] of map) if (positionOf(value) <= head) map.delete(key);
}
