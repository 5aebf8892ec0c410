/** Answers a query: plans it, reads the records an index names, and keeps those that fit. */
import { setImmediate } from "node:timers/promises";

import {
  parseTimestamp,
  throwIfAborted,
  type Position,
  type Reader,
  type RecordView,
} from "@sennit/core";

import type { ProjectionRows } from "../projection-rows.ts";
import { candidatesOf } from "./candidates.ts";
import { dependantsOf, mayBeStale } from "./dependants.ts";
import { fitsQuery } from "./evaluate.ts";
import { planQuery, type Plan } from "./plan.ts";
import type { SearchNode } from "./search-query.ts";
import type { SourceFinder } from "./sources.ts";

/** What a search works with. */
export interface SearchSettings {
  readonly reader: Reader;
  readonly rows: ProjectionRows;
  /** Only records created after this position. */
  readonly after: Position;
  /** How many are wanted, at first. Default: all. */
  readonly wanted?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One record that fits. */
export interface Match {
  readonly record: RecordView;
  readonly created: Position;
}

/** Milliseconds of checking records before other work gets its turn: one may rest on a thousand sources, or on none. */
const sliceMs = 10;

/** A query on its way: how it is answered, and how far it is. */
export class Search {
  readonly plan: Plan;
  readonly #query: SearchNode;
  readonly #settings: SearchSettings;
  #examined = 0;

  private constructor(query: SearchNode, settings: SearchSettings, plan: Plan) {
    this.#query = query;
    this.#settings = settings;
    this.plan = plan;
  }

  /** Plans a query whose sources are ids. */
  static async plan(query: SearchNode, settings: SearchSettings): Promise<Search> {
    const { reader, rows, after, signal } = settings;
    const reading = { rows, asOf: reader.asOf, after, signal };
    let stale: ReturnType<SourceFinder["mayBeStale"]> | undefined;
    const finder: SourceFinder = {
      positionAt: (timeUs) => lastRecordedUntil(reader, timeUs),
      dependantsOf: (id, version) => dependantsOf(reader, id, version, signal),
      // A query may ask for it in many places.
      mayBeStale: () => (stale ??= mayBeStale(reader, reading)),
    };
    const plan = await planQuery(query, { reading, finder });
    return new Search(query, settings, plan);
  }

  /** Records read so far to see whether they fit. */
  get examined(): number {
    return this.#examined;
  }

  /** The records that fit, in the order of their creation. @throws `view-rebuilt`, `aborted` */
  async *matches(): AsyncGenerator<Match> {
    const { reader, rows, after, wanted, signal } = this.#settings;
    const reading = {
      rows,
      asOf: reader.asOf,
      after,
      wanted,
      signal,
      events: reader.events.bind(reader),
    };
    let until = performance.now() + sliceMs;
    for await (const { recordId, created } of candidatesOf(reading, this.plan.source)) {
      throwIfAborted(signal);
      this.#examined += 1;
      if (performance.now() >= until) {
        await setImmediate();
        until = performance.now() + sliceMs;
      }
      const record = await reader.record(recordId);
      // An index is never taken at its word: what it names is checked whole.
      if (fitsQuery(this.#query, record)) yield { record, created };
    }
  }
}

/** The last position up to the reader's instant that was recorded at or before a time; times never go back along the log. */
async function lastRecordedUntil(reader: Reader, timeUs: number): Promise<Position> {
  let low = 0;
  let high = reader.asOf;
  while (low < high) {
    const middle = Math.floor((low + high + 1) / 2);
    const recordedAt = await recordedAtOf(reader, middle);
    if (recordedAt <= timeUs) low = middle;
    else high = middle - 1;
  }
  return low;
}

async function recordedAtOf(reader: Reader, position: Position): Promise<number> {
  for await (const event of reader.events({ from: position, until: position })) {
    return parseTimestamp(event.recordedAt) ?? 0;
  }
  return 0;
}
