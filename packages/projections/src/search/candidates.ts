/** Reads the records that a source names. */
import { throwIfAborted, type Reader } from "@sennit/core";

import {
  inOrder,
  readCreated,
  readIds,
  readRecord,
  readSpan,
  type Candidate,
  type SpanReading,
} from "../read-models/record-spans.ts";
import type { Row } from "../projection-rows.ts";
import type { Source } from "./sources.ts";

/** What a search reads: the rows of the records, and the log where no row tells. */
export interface SearchReading extends SpanReading {
  readonly events: Reader["events"];
}

/** The records of a source, each once, in the order of their creation. */
export async function* candidatesOf(
  reading: SearchReading,
  source: Source,
): AsyncGenerator<Candidate> {
  switch (source.type) {
    case "span":
      yield* readSpan(reading, source.span);
      break;
    case "id": {
      const candidate = readRecord(reading, source.id);
      if (candidate !== undefined) yield candidate;
      break;
    }
    case "set":
      yield* inOrder([...source.ids].flatMap((id) => readRecord(reading, id) ?? []));
      break;
    case "ids":
      yield* readIds(reading, source.beginning, source.fits);
      break;
    case "created":
      yield* readCreated(reading, source.from, source.to);
      break;
    case "events":
      yield* inOrder(await recordsWithEvents(reading, source.from, source.to));
      break;
    default: {
      const found: Candidate[] = [];
      for (const part of source.parts) {
        for await (const candidate of candidatesOf(reading, part)) found.push(candidate);
      }
      yield* inOrder(found);
    }
  }
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

type RowSource = Extract<Source, { type: "span" | "ids" | "created" }>;

function scansOf(
  { rows, asOf, after, signal }: SpanReading,
  source: RowSource,
): AsyncGenerator<Row>[] {
  switch (source.type) {
    case "span": {
      const { table, ranges } = source.span;
      return ranges.map((range) => rows.scan(table, { ...range, signal }));
    }
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
