/** Reads from the rows of the `records` projection which records held a value as of a position. */
import type { Position, RecordId, TagValue } from "@sennit/core";

import type { KeyPart } from "../keys.ts";
import type { ProjectionRows, Row, RowRange } from "../projection-rows.ts";
import type {
  CurrentRow,
  EndedRow,
  HeldRow,
  IndexTable,
  RevisedRow,
  WithdrawnRow,
} from "./records.ts";

/** A record found in an index. */
export interface Candidate {
  readonly recordId: RecordId;
  /** Position of its first event: what the answers are ordered by. */
  readonly created: Position;
}

/** Values of one field that are looked for in an index. */
export interface Span {
  readonly table: IndexTable;
  /** A tag's key; empty for kinds and names. */
  readonly place: readonly string[];
  /** Where the values stand; every value that `holds` is in one of them. */
  readonly ranges: readonly Omit<RowRange, "signal">[];
  /** True for one value and nothing behind it, so that its rows come in the order of creation. */
  readonly isOrdered: boolean;
  /** @param behind what follows the value in the key: the kind of a name */
  readonly holds: (value: TagValue, behind: KeyPart | undefined) => boolean;
}

/** What a look-up reads, and as of when. */
export interface SpanReading {
  readonly rows: ProjectionRows;
  readonly asOf: Position;
  /** Only records created after this position. */
  readonly after: Position;
  readonly signal?: AbortSignal | undefined;
}

const batchRows = 256;

/**
 * Records that held the one value of an ordered span as of the position, in the order of their creation.
 *
 * Rows are read before what has ended, again for each batch: what leaves an index while it is read has ended by then, and
 * is found there.
 */
export async function* readInOrder(reading: SpanReading, span: Span): AsyncGenerator<Candidate> {
  const { rows, asOf, after, signal } = reading;
  const [range] = span.ranges;
  if (range === undefined) return;
  const { prefix } = range;
  const bounds = { prefix, after: [...prefix, after], to: [...prefix, asOf] };
  const scan = rows.scan(span.table, { ...bounds, signal });
  const ended = new EndedSpans(reading, span);
  let low = after;
  let waiting: readonly Candidate[] = [];
  let next = 0;
  try {
    for (let isLast = false; !isLast;) {
      const batch = await readBatch(scan, asOf);
      ({ isLast } = batch);
      const late = await ended.since();
      if (late.length > 0) [waiting, next] = [inOrder(waiting.slice(next).concat(late)), 0];
      const due: Candidate[] = [];
      for (; (waiting[next]?.created ?? Infinity) <= batch.high; next += 1) {
        const candidate = waiting[next];
        if (candidate !== undefined && candidate.created > low) due.push(candidate);
      }
      yield* inOrder(batch.candidates.concat(due));
      low = batch.high;
    }
  } finally {
    await scan.return(undefined);
  }
}

interface Batch {
  readonly candidates: readonly Candidate[];
  /** Every row created up to here has been read. */
  readonly high: Position;
  readonly isLast: boolean;
}

async function readBatch(scan: AsyncGenerator<Row>, asOf: Position): Promise<Batch> {
  const candidates: Candidate[] = [];
  let high = 0;
  for (let count = 0; count < batchRows; count += 1) {
    const next = await scan.next();
    if (next.done === true) return { candidates, high: asOf, isLast: true };
    const { candidate, from } = heldBy(next.value.key, next.value.value as HeldRow);
    if (from <= asOf) candidates.push(candidate);
    high = candidate.created;
  }
  return { candidates, high, isLast: false };
}

/** Records that held one of the values as of the position, in any order, some of them twice. */
export async function* readInAnyOrder(reading: SpanReading, span: Span): AsyncGenerator<Candidate> {
  const { rows, asOf, after, signal } = reading;
  for (const range of span.ranges) {
    for await (const { key, value } of rows.scan(span.table, { ...range, signal })) {
      const { candidate, from } = heldBy(key, value as HeldRow);
      if (candidate.created <= after || candidate.created > asOf || from > asOf) continue;
      const [held, behind] = key.slice(span.place.length, -1);
      if (held !== undefined && span.holds(held, behind)) yield candidate;
    }
  }
  for (const candidate of await new EndedSpans(reading, span).since()) {
    if (candidate.created > after) yield candidate;
  }
}

function heldBy(
  key: readonly KeyPart[],
  row: HeldRow,
): { readonly candidate: Candidate; readonly from: Position } {
  const created = key.at(-1) as Position;
  return typeof row === "string"
    ? { candidate: { recordId: row, created }, from: created }
    : { candidate: { recordId: row[0], created }, from: row[1] };
}

/** By creation, each once. */
export function inOrder(candidates: readonly Candidate[]): Candidate[] {
  return candidates
    .toSorted((a, b) => a.created - b.created)
    .filter(({ created }, index, all) => all[index - 1]?.created !== created);
}

/** What held as of a position and has ended since, as far as the rows know. */
class EndedSpans {
  readonly #reading: SpanReading;
  readonly #span: Span;
  #known: Position;

  constructor(reading: SpanReading, span: Span) {
    this.#reading = reading;
    this.#span = span;
    this.#known = reading.asOf;
  }

  /** Those that have ended since the last call. */
  async since(): Promise<Candidate[]> {
    const { rows, asOf, signal } = this.#reading;
    const { table, place, holds } = this.#span;
    const prefix = [table, ...place];
    const found: Candidate[] = [];
    const known = this.#known;
    // Ends stand negated, so that what has ended later comes first.
    const to = [...prefix, -(known + 1)];
    for await (const { key, value } of rows.scan("ended", { prefix, to, signal })) {
      const until = -(key.at(-1) as number);
      this.#known = Math.max(this.#known, until);
      const [recordId, created, from, held, behind] = value as unknown as EndedRow;
      if (created <= asOf && from <= asOf && held !== undefined && holds(held, behind)) {
        found.push({ recordId, created });
      }
    }
    return found;
  }
}

/** Records created between two positions, both included, in that order. */
export async function* readCreated(
  { rows, asOf, after, signal }: SpanReading,
  from: Position,
  to: Position,
): AsyncGenerator<Candidate> {
  const bounds = { after: [Math.max(after, from - 1)], to: [Math.min(asOf, to)] };
  for await (const { key, value } of rows.scan("all", { prefix: [], ...bounds, signal })) {
    const [created] = key as [Position];
    yield { recordId: value as RecordId, created };
  }
}

/** Records of which some version had been withdrawn as of the position, in the order of their creation. */
export async function* readWithdrawn({
  rows,
  asOf,
  after,
  signal,
}: SpanReading): AsyncGenerator<Candidate> {
  const bounds = { prefix: [], after: [after], to: [asOf], signal } as const;
  for await (const { key, value } of rows.scan("withdrawn", bounds)) {
    const [recordId, since] = value as unknown as WithdrawnRow;
    if (since <= asOf) yield { recordId, created: key[0] as Position };
  }
}

/** Records whose content had changed as of the position, at most so many of those that have by now; undefined if there are more. */
export async function readRevised(
  { rows, asOf, signal }: SpanReading,
  max: number,
): Promise<RecordId[] | undefined> {
  const found: RecordId[] = [];
  let count = 0;
  for await (const { value } of rows.scan("revised", { prefix: [], to: [asOf], signal })) {
    count += 1;
    if (count > max) return undefined;
    const [recordId, since] = value as unknown as RevisedRow;
    if (since <= asOf) found.push(recordId);
  }
  return found;
}

/** The record with an id, if it was there. */
export function readRecord(
  { rows, asOf, after }: SpanReading,
  recordId: RecordId,
): Candidate | undefined {
  const row = rows.get("record", [recordId]) as CurrentRow | undefined;
  if (row === undefined) return undefined;
  const [created] = row;
  return created > after && created <= asOf ? { recordId, created } : undefined;
}

/** Records whose ids begin with a text, in the order of their ids. */
export async function* readIds(
  { rows, asOf, after, signal }: SpanReading,
  beginning: string,
  fits: (recordId: RecordId) => boolean,
): AsyncGenerator<Candidate> {
  const range = { prefix: [], begins: beginning, signal } as const;
  for await (const { key, value } of rows.scan("record", range)) {
    const [recordId] = key as [RecordId];
    const [created] = value as unknown as CurrentRow;
    if (created > after && created <= asOf && fits(recordId)) yield { recordId, created };
  }
}

/** Records of a kind that bore a name as of a position. */
export function findByName(
  rows: ProjectionRows,
  asOf: Position,
  kind: string,
  name: string,
): AsyncGenerator<Candidate> {
  const holds = (value: TagValue, behind: KeyPart | undefined) => value === name && behind === kind;
  const ranges = [{ prefix: [name, kind] }];
  return readInOrder(
    { rows, asOf, after: 0 },
    { table: "by-name", place: [], ranges, isOrdered: true, holds },
  );
}
