/** Reads the records that a source names. */
import { throwIfAborted, type Reader } from "@sennit/core";

import {
  inOrder,
  readCreated,
  readIds,
  readInAnyOrder,
  readInOrder,
  readRecord,
  readWithdrawn,
  type Candidate,
  type SpanReading,
} from "../read-models/record-spans.ts";
import type { Row } from "../projection-rows.ts";
import { FirstCandidates } from "./first-candidates.ts";
import type { Source } from "./sources.ts";

/** What a search reads: the rows of the records, and the log where no row tells. */
export interface SearchReading extends SpanReading {
  readonly events: Reader["events"];
  /** How many records that fit are wanted, at first. Default: all. */
  readonly wanted?: number | undefined;
}

/** Candidates of a page that are held in memory at least, and records looked at in the order of creation first. */
const pageCandidates = 2048;
/** How many more are held each time that so many were not enough. */
const growth = 4;

/** The records of a source, each once, in the order of their creation. */
export async function* candidatesOf(
  reading: SearchReading,
  source: Source,
): AsyncGenerator<Candidate> {
  switch (source.type) {
    case "span":
      if (source.span.isOrdered) yield* readInOrder(reading, source.span);
      else yield* sorted(reading, source);
      break;
    case "id": {
      const candidate = readRecord(reading, source.id);
      if (candidate !== undefined) yield candidate;
      break;
    }
    case "set":
      yield* inOrder([...source.ids].flatMap((id) => readRecord(reading, id) ?? []));
      break;
    case "created":
      yield* readCreated(reading, source.from, source.to);
      break;
    case "withdrawn":
      yield* readWithdrawn(reading);
      break;
    case "events":
      yield* inOrder(await recordsWithEvents(reading, source.from, source.to));
      break;
    default:
      yield* sorted(reading, source);
  }
}

/**
 * The records of a source that has them in another order. For a page of a wide one, records are looked at in the order of
 * creation first, since many of them fit; where too few do, all candidates are read, and those created first are held.
 */
async function* sorted(reading: SearchReading, source: Source): AsyncGenerator<Candidate> {
  const { wanted = Infinity } = reading;
  let { after } = reading;
  let most = Math.max(pageCandidates, wanted);
  let first = new FirstCandidates(most);
  await collect(reading, source, first, wanted < Infinity);
  if (first.until < Infinity) {
    let left = most;
    for await (const candidate of readCreated(reading, 1, Infinity)) {
      yield candidate;
      after = candidate.created;
      left -= 1;
      if (left === 0) break;
    }
    if (left > 0) return;
    first = new FirstCandidates(most);
    await collect({ ...reading, after }, source, first);
  }
  yield* first.inOrder();
  while (first.until < Infinity) {
    after = first.until;
    most *= growth;
    first = new FirstCandidates(most);
    await collect({ ...reading, after }, source, first);
    yield* first.inOrder();
  }
}

/** Adds the records of a source. @param onlyFew whether to stop once some had to be left out */
async function collect(
  reading: SearchReading,
  source: Source,
  first: FirstCandidates,
  onlyFew = false,
): Promise<void> {
  if (source.type === "union") {
    for (const part of source.parts) await collect(reading, part, first, onlyFew);
    return;
  }
  for await (const candidate of unsorted(reading, source)) {
    first.add(candidate);
    if (onlyFew && first.until < Infinity) return;
  }
}

function unsorted(reading: SearchReading, source: Source): AsyncGenerator<Candidate> {
  if (source.type === "ids") return readIds(reading, source.beginning, source.fits);
  const isSpan = source.type === "span" && !source.span.isOrdered;
  return isSpan ? readInAnyOrder(reading, source.span) : candidatesOf(reading, source);
}

async function recordsWithEvents(
  reading: SearchReading,
  from: number,
  to: number,
): Promise<Candidate[]> {
  const until = Math.min(to, reading.asOf);
  if (from > until) return [];
  const ids = new Set<string>();
  const { signal } = reading;
  for await (const { recordId } of reading.events({ from: Math.max(1, from), until, signal })) {
    throwIfAborted(signal);
    ids.add(recordId);
  }
  return [...ids].flatMap((id) => readRecord(reading, id) ?? []);
}

/** How many rows or events a source reads, up to a bound. */
export async function countSource(
  reading: SpanReading,
  source: Source,
  bound: number,
): Promise<number> {
  switch (source.type) {
    case "id":
      return 1;
    case "set":
      return Math.min(bound, source.ids.size);
    case "events":
      return Math.max(0, Math.min(bound, Math.min(source.to, reading.asOf) - source.from + 1));
    case "union": {
      let count = 0;
      for (const part of source.parts) {
        if (count < bound) count += await countSource(reading, part, bound - count);
      }
      return count;
    }
    case "span":
    case "ids":
    case "created":
    case "withdrawn":
      return countRows(reading, source, bound);
    default:
      return bound;
  }
}

async function countRows(reading: SpanReading, source: RowSource, bound: number): Promise<number> {
  let count = 0;
  for (const scan of scansOf(reading, source)) {
    for await (const _row of scan) {
      if (count >= bound) return count;
      count += 1;
    }
  }
  return count;
}

type RowSource = Extract<Source, { type: "span" | "ids" | "created" | "withdrawn" }>;

function scansOf(
  { rows, asOf, after, signal }: SpanReading,
  source: RowSource,
): AsyncGenerator<Row>[] {
  switch (source.type) {
    case "span": {
      const { table, ranges } = source.span;
      return ranges.map((range) => rows.scan(table, { ...range, signal }));
    }
    case "withdrawn":
      return [rows.scan("withdrawn", { prefix: [], after: [after], to: [asOf], signal })];
    case "ids":
      return [rows.scan("record", { prefix: [], begins: source.beginning, signal })];
    default: {
      const bounds = {
        after: [Math.max(after, source.from - 1)],
        to: [Math.min(asOf, source.to)],
      };
      return [rows.scan("all", { prefix: [], ...bounds, signal })];
    }
  }
}
