/**
 * Counts of events in the rows of the `records` projection: by minute and by day, each by kind, type, actor and stretch.
 *
 * Counts are kept apart for every 1024 positions. As of a position, all of those before its own stretch are whole, and the
 * events of that stretch are counted in the log; so the answer is exact, and many events share a row.
 */
import type { Position, RecordedEvent } from "@sennit/core";

import type { KeyPart } from "../keys.ts";
import type { PackedTable } from "../packed-table.ts";
import type { Rows } from "../projection.ts";

/** Positions whose events share their rows. */
export const stretch = 1024;

export const minuteMs = 60_000;
export const dayMs = 24 * 60 * minuteMs;

/** The tables of the counts: keys are minute or day since the epoch, kind, type, actor or false, and stretch. */
export const countTables: readonly PackedTable[] = [
  { name: "minute", keyParts: 5 },
  { name: "day", keyParts: 5 },
];

/** Counts an event. @param kind of its record, as of the event */
export function countEvent(rows: Rows, event: RecordedEvent, kind: string): void {
  const time = timeOf(event.recordedAt);
  const { type, actor = false } = event;
  const at = stretchOf(event.position);
  count(rows, "minute", [Math.floor(time / minuteMs), kind, type, actor, at]);
  count(rows, "day", [Math.floor(time / dayMs), kind, type, actor, at]);
}

function count(rows: Rows, table: string, key: readonly KeyPart[]): void {
  rows.put(table, key, ((rows.get(table, key) as number | undefined) ?? 0) + 1);
}

/** The stretch that a position stands in. */
export function stretchOf(position: Position): number {
  return Math.floor((position - 1) / stretch);
}

/** One batch is recorded at one time, and reading it is dear. */
function timeOf(recordedAt: string): number {
  if (recordedAt !== parsedText) {
    parsedText = recordedAt;
    parsed = Date.parse(recordedAt);
  }
  return parsed;
}

let parsedText = "";
let parsed = Number.NaN;
