/** What every benchmark is given, and what it is. */
import type { BoundedRow } from "./report.ts";
import type { Scratch } from "./scratch.ts";
import type { SqlitePeer } from "./sqlite.ts";

/** How much work: `small` ends within a minute, `full` goes to the sizes the budgets name. */
export type Scale = "small" | "full";

/** The circumstances of a run. */
export interface Run {
  readonly scale: Scale;
  readonly seed: number;
  readonly scratch: Scratch;
  readonly sqlite: SqlitePeer;
}

/** Rows that are measured together. */
export interface Benchmark {
  /** The budgets its rows belong to: `P1`. */
  readonly budgets: readonly string[];
  measure(run: Run): Promise<BoundedRow[]>;
}
