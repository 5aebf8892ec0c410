/** Whether the rows of a checkpoint are still those of the log: it is of this log, and nothing in it has been erased since. */
import { erasureKind, type EmbeddedStore, type Position, type RecordedEvent } from "@sennit/core";

import type { Checkpoint } from "./checkpoint.ts";

/** True when an event says that content was erased which stood in the log when the fold began. */
export function voidsFold(event: RecordedEvent, { begunAt }: Checkpoint): boolean {
  const isErasure = event.type === "record.created" && event.data.kind === erasureKind;
  return isErasure && event.position > begunAt;
}

/** Looks for such an event behind a position. */
export async function isVoidedBetween(
  store: EmbeddedStore,
  checkpoint: Checkpoint,
  after: Position,
  until: Position,
  signal: AbortSignal,
): Promise<boolean> {
  if (after >= until) return false;
  for await (const entries of store.log.readEntries({ from: after + 1, until, signal })) {
    if (entries.some((entry) => voidsFold(entry.event(), checkpoint))) return true;
  }
  return false;
}

/**
 * True when the log holds the very event the checkpoint was made at. Its hash covers a digest with a random salt, so no other
 * log has it; and a log only grows, but for repairs, which remove the views. So all events before it are the same as well.
 */
export async function isOfThisLog(
  store: EmbeddedStore,
  { position, eventHash, begunAt }: Checkpoint,
): Promise<boolean> {
  if (typeof begunAt !== "number" || position > store.head) return false;
  if (position === 0) return begunAt <= store.head;
  for await (const event of store.events({ from: position, limit: 1 }))
    return event.hash === eventHash;
  return false;
}
