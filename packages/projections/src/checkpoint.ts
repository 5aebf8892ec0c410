/**
 * What stands in the storage of one build of a projection.
 *
 * | key | value |
 * |---|---|
 * | `c` | the checkpoint |
 * | `r`, table, 0x00, row key | a row |
 */
import { isPlainObject, type Position } from "@sennit/core";
import {
  decodeMessagePack,
  encodeMessagePack,
  frame,
  unframe,
  type Storage,
  type StorageEntry,
} from "@sennit/core/storage";

import type { ProjectionDefinition } from "./projection.ts";

/** How far a projection has been applied, by which version, and to which log. Written in one batch with the rows. */
export interface Checkpoint {
  readonly version: number;
  /** Head of the log when the fold began. Content erased later may still be in the rows. */
  readonly begunAt: Position;
  readonly position: Position;
  /** Hash of the event at that position: another log has another one there. Empty at 0. */
  readonly eventHash: string;
  /** A running digest of every change of a row in order: equal for equal folds, however they were split. */
  readonly stateHash: string;
}

/** The state hash of no rows at all. */
export const emptyStateHash = "0000000000000000";

const checkpointKey = Buffer.from("c");
const rowLetter = 0x72;

/** Bytes before the table in a row's key. */
export const rowPrefixBytes = 1;

/** What the keys of all rows of a table begin with. */
export function rowsPrefix(table: string): Buffer {
  return Buffer.concat([Buffer.from([rowLetter]), Buffer.from(`${table}\0`)]);
}

/** The checkpoint of a fold that begins. @param begunAt head of the log */
export function emptyCheckpoint({ version }: ProjectionDefinition, begunAt: Position): Checkpoint {
  return { version, begunAt, position: 0, eventHash: "", stateHash: emptyStateHash };
}

/** The storage entry of a checkpoint. */
export function checkpointEntry(checkpoint: Checkpoint): StorageEntry {
  return [checkpointKey, frame(checkpointKey, encodeMessagePack(checkpoint))];
}

/** The checkpoint in a storage, or undefined when there is none that can be read. */
export function readCheckpoint(storage: Storage): Checkpoint | undefined {
  try {
    const value = storage.get(checkpointKey);
    if (value === undefined) return undefined;
    const checkpoint = decodeMessagePack(unframe(checkpointKey, value, () => "a checkpoint"));
    return isPlainObject(checkpoint) ? (checkpoint as unknown as Checkpoint) : undefined;
  } catch {
    return undefined;
  }
}
