/** What a benchmark reports: one row per measurement, as an aligned table or as JSON lines. */
import { loadavg } from "node:os";

import type { Comparison } from "./timing.ts";

/** `events/s`: more is better. `us` (microseconds), `ms` and `MiB`: less is better. */
type Unit = "events/s" | "us" | "ms" | "MiB";

/** One measurement beside its peer. */
export interface Row {
  /** Its name. What follows the number of the budget (`P2-level`) tells several rows of one budget apart. */
  readonly row: string;
  /** What was done, and who the peer is. */
  readonly work: string;
  /** Our figure, in `unit`. */
  readonly ours: number;
  /** The peer's figure from the same run, in `unit`; NaN (null in JSON) when the peer is not there. */
  readonly peer: number;
  readonly unit: Unit;
  /**
   * Ours / peer whatever the unit: above 1, our figure is the greater one. That is good for a rate and bad for a time.
   * It is the median over the rounds, so it may differ a little from `ours / peer`.
   */
  readonly ratio: number;
  /** The budget: a least figure for a rate, a greatest for a time; null where there is none. `bounds` says of what. */
  readonly floor: number | null;
  /** The figure hoped for, read like `floor`. */
  readonly aim: number | null;
  /** Operations of ours that were timed. */
  readonly n: number;
  /** Load average of the last minute, taken when the row was finished. */
  readonly load: number;
}

/** A row and which of its figures `floor` and `aim` speak of. */
export interface BoundedRow extends Row {
  readonly bounds: "ours" | "ratio";
}

/** Rounds the figures of a comparison and adds the load. */
export function toRow(
  about: Omit<BoundedRow, keyof Comparison | "load">,
  comparison: Comparison,
): BoundedRow {
  const digits = about.unit === "events/s" ? 0 : 2;
  return {
    ...about,
    ours: rounded(comparison.ours, digits),
    peer: rounded(comparison.peer, digits),
    ratio: rounded(comparison.ratio, 3),
    load: rounded(loadavg()[0] ?? 0, 2),
  };
}

/** The row as one line of JSON, its members always the same and in the same order. */
export function formatJson(row: Row): string {
  const { work, ours, peer, unit, ratio, floor, aim, n, load } = row;
  return JSON.stringify({ row: row.row, work, ours, peer, unit, ratio, floor, aim, n, load });
}

/** The rows as a table, numbers aligned to the right, with a verdict each. */
export function formatTable(rows: readonly BoundedRow[]): string {
  const head = ["row", "work", "ours", "peer", "unit", "ratio", "floor", "aim", "n", "verdict"];
  const isText = new Set(["row", "work", "unit", "verdict"]);
  const lines = [head, ...rows.map(cells)];
  const widths = head.map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  return lines
    .map((line) =>
      line
        .map((cell, column) => {
          const width = widths[column] ?? 0;
          return isText.has(head[column] ?? "") ? cell.padEnd(width) : cell.padStart(width);
        })
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

type Verdict = "below floor" | "meets floor" | "below aim" | "meets aim" | "no peer" | "-";

/** Whether the row keeps its budget. */
function verdict(row: BoundedRow): Verdict {
  const figure = row[row.bounds];
  if (Number.isNaN(figure)) return "no peer";
  if (row.floor === null && row.aim === null) return "-";
  const keeps = (bound: number) => (row.unit === "events/s" ? figure >= bound : figure <= bound);
  if (row.floor !== null && !keeps(row.floor)) return "below floor";
  if (row.aim !== null && keeps(row.aim)) return "meets aim";
  return row.floor === null ? "below aim" : "meets floor";
}

function cells(row: BoundedRow): string[] {
  const figures = [row.ours, row.peer].map((value) =>
    Number.isNaN(value) ? "-" : value.toLocaleString("en-US"),
  );
  return [
    row.row,
    row.work,
    ...figures,
    row.unit,
    Number.isNaN(row.ratio) ? "-" : `${row.ratio.toFixed(2)}x`,
    formatBound(row, row.floor),
    formatBound(row, row.aim),
    row.n.toLocaleString("en-US"),
    verdict(row),
  ];
}

function formatBound(row: BoundedRow, value: number | null): string {
  if (value === null) return "-";
  return row.bounds === "ratio" ? `${value}x` : value.toLocaleString("en-US");
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
