/** Folds events, and tells a failure of `apply` from all others. */
import { isStoreError, StoreError, type Position, type RecordedEvent } from "@sennit/core";

import type { ProjectionDefinition } from "./projection.ts";
import type { RowBatch } from "./row-batch.ts";

/** An event that `apply` refused. */
export class FoldError extends Error {
  readonly position: Position;

  constructor(position: Position, cause: unknown) {
    super("apply has thrown", { cause });
    this.position = position;
  }
}

/** @throws FoldError */
export function fold(batch: RowBatch, event: RecordedEvent): void {
  try {
    batch.fold(event);
  } catch (error) {
    throw new FoldError(event.position, error);
  }
}

/** What a projection says once it has stopped at such an event. */
export function foldFailure(
  { name, version }: ProjectionDefinition,
  { position, cause }: FoldError,
): StoreError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StoreError(
    "projection-failed",
    `Projection "${name}" failed at position ${position}: ${reason}`,
    { cause, details: { projection: name, version, position } },
  );
}

/** The storage or the log cannot be used now, and may be later. */
export function mayPass(error: unknown): boolean {
  return isStoreError(error) && (error.category === "unavailable" || error.category === "busy");
}
