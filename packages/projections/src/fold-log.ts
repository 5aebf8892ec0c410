/** Folds events into the rows of one build: bounded batches, each written with its checkpoint while the next is folded. */
import { isStoreError, StoreError, type RecordedEvent } from "@sennit/core";
import type { Storage } from "@sennit/core/storage";

import { checkpointEntry, type Checkpoint } from "./checkpoint.ts";
import { fold } from "./fold-error.ts";
import { voidsFold } from "./open-checkpoint.ts";
import type { ProjectionDefinition } from "./projection.ts";
import type { ProjectionRows } from "./projection-rows.ts";
import { RowBatch } from "./row-batch.ts";

/** Rows changed after which a batch is written. Much larger ones outlive the young generation and cost more to collect. */
const batchRowsMax = 4000;
/** Events after which a batch is written. */
const batchEventsMax = 5000;

/** What is folded into. */
export interface FoldTarget {
  readonly storage: Storage;
  readonly definition: ProjectionDefinition;
  readonly rows: ProjectionRows;
  /** How far the rows are when the fold begins. */
  readonly checkpoint: Checkpoint;
  /** Called once a batch is durable. */
  readonly onWritten: (checkpoint: Checkpoint) => void;
  /** Asked after each batch: nothing more is written once it is true. */
  readonly isOver: () => boolean;
}

/**
 * Folds the events that follow the checkpoint.
 *
 * @returns false when an event says that content was erased which may already be in the rows
 * @throws FoldError, `disk-full`, `write-failed`, and what the chunks throw
 */
export async function foldLog(
  target: FoldTarget,
  chunks: AsyncIterable<Iterable<RecordedEvent>>,
): Promise<boolean> {
  const { rows, definition, checkpoint, storage } = target;
  let batch = new RowBatch(rows, definition, checkpoint.stateHash);
  let writing: Promise<void> = Promise.resolve();
  let last: RecordedEvent | undefined;
  try {
    for await (const events of chunks) {
      for (const event of events) {
        if (voidsFold(event, checkpoint)) return false;
        // A fold reads rows and cannot wait.
        const shut = storage.readable();
        if (shut !== undefined) await shut;
        fold(batch, event);
        last = event;
        if (batch.eventCount < batchEventsMax && batch.rowCount < batchRowsMax) continue;
        await writing;
        if (target.isOver()) return true;
        writing = write(target, batch, event);
        // The failure is thrown by the next await; until then it must not count as one nobody looks at.
        writing.catch(() => undefined);
        batch = batch.next();
      }
    }
  } finally {
    await writing;
  }
  if (last !== undefined && batch.eventCount > 0 && !target.isOver()) {
    await write(target, batch, last);
  }
  return true;
}

async function write(
  { storage, definition, checkpoint: begun, onWritten }: FoldTarget,
  batch: RowBatch,
  { position, hash }: RecordedEvent,
): Promise<void> {
  const { name, version } = definition;
  const { begunAt } = begun;
  const { stateHash } = batch;
  const checkpoint: Checkpoint = { version, begunAt, position, eventHash: hash, stateHash };
  const { puts, deletes } = batch.changes();
  puts.push(checkpointEntry(checkpoint));
  try {
    await storage.write({ puts, deletes });
  } catch (error) {
    const { code, message } = isStoreError(error)
      ? error
      : new StoreError("write-failed", String(error));
    throw new StoreError(code, `Projection "${name}" cannot be written: ${message}`, {
      cause: error,
      hint: "The log is not affected; the projection goes on from here as soon as it can be written.",
      details: { projection: name, position },
    });
  }
  onWritten(checkpoint);
}
