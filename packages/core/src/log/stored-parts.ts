/** What is stored beside the entries and follows from them: version rows and blocks, ids, documents, the commit record. */
import { assert, must } from "../assert.ts";
import { encodeCommit, type CommitRecord } from "../codec/commit-record.ts";
import type { EntryHeader } from "../codec/entry-header.ts";
import { frame } from "../codec/frame.ts";
import { encodeMessagePack } from "../codec/msgpack.ts";
import { VersionBlock, type NewVersion, type VersionEntry } from "../codec/version-block.ts";
import { positionOfStoreId, type EventId, type Position, type RecordId } from "../ids.ts";
import type { IdempotentBatch } from "../records/state.ts";
import {
  blockKey,
  commitKey,
  documentKey,
  eventIdKey,
  idempotencyKey,
  olderBlockKey,
} from "../storage/keyspace.ts";
import type { StorageEntry } from "../storage/storage.ts";
import type { StoredTree } from "./stored-tree.ts";

/** What a version row says of content that its own event made. */
export interface MadeContent {
  /** True when the event holds a patch, so that the whole document is stored beside it. */
  readonly isPatched: boolean;
  /** True when the content has been erased. Default false. */
  readonly isErased?: boolean;
  /** Undefined where it is not stored. */
  readonly digest: Buffer | undefined;
}

/** The row of an event with content of its own. */
export function madeRow(
  { position, recordedAtUs, version, structure }: EntryHeader,
  { isPatched, isErased = false, digest }: MadeContent,
): NewVersion {
  return {
    type: structure.type,
    position,
    recordedAtUs,
    contentVersion: version,
    contentPosition: position,
    patched: isPatched,
    erased: isErased,
    digest,
    from: 0,
    to: 0,
  };
}

/** The row of an invalidation: it carries the content of the version before it. */
export function carriedRow(
  { position, recordedAtUs, structure }: EntryHeader,
  previous: VersionEntry | undefined,
): NewVersion {
  assert(structure.type === "record.invalidated", "only an invalidation makes no content");
  const { from, to, type } = structure;
  const before = must(previous, "an invalidation follows a version");
  return { ...before, type, position, recordedAtUs, from, to };
}

/** The block after one more version; `full` is the one before it when that takes no more and is to be put away. */
export function blockWith(
  block: VersionBlock | undefined,
  row: NewVersion,
): { readonly next: VersionBlock; readonly full: VersionBlock | undefined } {
  if (block === undefined) return { next: VersionBlock.first(row), full: undefined };
  if (block.isFull) return { next: block.next(row), full: block };
  return { next: block.with(row), full: undefined };
}

/** A full block under the key of its index. */
export function olderBlockPut(recordId: RecordId, block: VersionBlock): StorageEntry {
  const key = olderBlockKey(recordId, block.index);
  return [key, frame(key, block.bytes)];
}

/** The index of an id that does not carry its position; undefined for one that does. */
export function eventIdPut(id: EventId, position: Position): StorageEntry | undefined {
  if (positionOfStoreId(id) === position) return undefined;
  const body = Buffer.allocUnsafe(8);
  body.writeDoubleLE(position);
  const key = eventIdKey(id);
  return [key, frame(key, body)];
}

/** The document after a patch, as it is encoded. */
export function documentPut(position: Position, bytes: Buffer): StorageEntry {
  const key = documentKey(position);
  return [key, frame(key, bytes)];
}

/** What an idempotency key stands for. */
export function idempotencyPut(key: string, batch: IdempotentBatch): StorageEntry {
  const storageKey = idempotencyKey(key);
  return [storageKey, frame(storageKey, encodeMessagePack([batch.digest, batch.positions]))];
}

/** What ends a write of entries: the newest blocks, the tiles that grow, and the commit record. */
export function commitPuts(
  tree: StoredTree,
  blocks: ReadonlyMap<RecordId, VersionBlock>,
  leaves: readonly Buffer[],
  last: Omit<CommitRecord, "frontier">,
): { readonly puts: readonly StorageEntry[]; readonly commit: CommitRecord } {
  const puts: StorageEntry[] = [];
  for (const [recordId, block] of blocks) {
    const key = blockKey(recordId);
    puts.push([key, frame(key, block.bytes)]);
  }
  for (const tile of tree.append(leaves)) puts.push(tile);
  const commit = { ...last, frontier: [...tree.frontier.hashes] };
  puts.push([commitKey, encodeCommit(commit)]);
  return { puts, commit };
}
