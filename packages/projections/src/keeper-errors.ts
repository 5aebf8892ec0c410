/** What a keeper of a projection refuses, and why. */
import { StoreError } from "@sennit/core";

export function viewsClosed(): StoreError {
  return new StoreError("store-closed", "The views are closed.");
}

export function projectionPaused(projection: string): StoreError {
  return new StoreError("projection-paused", `Projection "${projection}" is paused.`, {
    details: { projection },
  });
}

export function rowsBeingMade(projection: string): StoreError {
  return new StoreError("view-rebuilt", `The rows of projection "${projection}" are being made.`, {
    hint: "Wait until the views have caught up.",
    details: { projection },
  });
}

/** @param times how often in a row */
export function alwaysDamaged(projection: string, times: number): StoreError {
  return new StoreError(
    "checksum-mismatch",
    `The rows of projection "${projection}" were damaged while they were made, ${times} times in a row.`,
    {
      hint: `Check the disk that holds the views, then run: sennit projections rebuild ${projection}`,
      details: { projection, times },
    },
  );
}
