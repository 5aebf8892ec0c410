/** Batches under an idempotency key: the first answer to one that is known, and what is kept of a new one. */
import { must } from "../assert.ts";
import { StoreError } from "../errors.ts";
import type { NewEvent } from "../event/event.ts";
import type { PendingState } from "../records/state.ts";
import type { BatchStart, DecidedBatch } from "./batch-builder.ts";
import { batchDigest } from "./batch-input.ts";
import { storedAnswer } from "./duplicates.ts";
import { idempotencyPut } from "./stored-parts.ts";

/** The first answer to a batch whose key is known; undefined for a new one. @throws `idempotency-key-reused`, `content-erased` */
export function answerToKey(
  state: PendingState,
  decided: BatchStart,
  events: readonly NewEvent[],
  key: string | undefined,
): DecidedBatch | undefined {
  const before = key === undefined ? undefined : state.idempotentBatch(key);
  if (before === undefined) return undefined;
  if (before.digest === null) {
    throw new StoreError(
      "content-erased",
      `Events of the batch with idempotency key ${JSON.stringify(key)} have been erased.`,
      { details: { idempotencyKey: key, positions: before.positions } },
    );
  }
  if (!batchDigest(events).equals(before.digest)) {
    throw new StoreError(
      "idempotency-key-reused",
      `Idempotency key ${JSON.stringify(key)} belongs to another batch.`,
      { details: { idempotencyKey: key, positions: before.positions } },
    );
  }
  const appended = before.positions.map((position) =>
    storedAnswer(state, must(state.entry(position), "an idempotent batch's events are stored")),
  );
  return { ...decided, puts: [], leaves: [], blocks: [], appended };
}

/** The batch with what makes its key known, if it has one. */
export function withKey(
  state: PendingState,
  batch: DecidedBatch,
  events: readonly NewEvent[],
  key: string | undefined,
): DecidedBatch {
  if (key === undefined) return batch;
  const remembered = {
    digest: batchDigest(events),
    positions: batch.appended.map(({ position }) => position),
  };
  state.setIdempotentBatch(key, remembered);
  return { ...batch, puts: [...batch.puts, idempotencyPut(key, remembered)] };
}
