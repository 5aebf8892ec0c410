/** The timeline: how many events there were in each minute, hour, day or month, by kind, type and actor. */
import {
  formatTimestamp,
  StoreError,
  throwIfAborted,
  type EventType,
  type Position,
  type Reader,
} from "@sennit/core";

import type { ProjectionRows } from "../projection-rows.ts";
import { instantsIn } from "../search/literal.ts";
import { dayMs, minuteMs, stretch, stretchOf } from "./event-counts.ts";
import { kindAt, type CurrentRow } from "./records.ts";

const hourMs = 60 * minuteMs;

/** The sizes of buckets. All begin in UTC. */
export const timelineBuckets = ["minute", "hour", "day", "month"] as const;
export type TimelineBucket = (typeof timelineBuckets)[number];

/** What events can be told apart by. */
export const timelineFields = ["kind", "type", "actor"] as const;
export type TimelineField = (typeof timelineFields)[number];

export interface TimelineQuery {
  /** Default `"day"`. */
  readonly bucket?: TimelineBucket | undefined;
  /** Tell events apart by these. Default: none. */
  readonly by?: readonly TimelineField[] | undefined;
  readonly kind?: string | undefined;
  readonly type?: EventType | undefined;
  /** Null for events without an actor, and for those whose content was erased. */
  readonly actor?: string | null | undefined;
  /** A time in the first bucket and one in the last, RFC 3339 with a zone, or dates, which are whole days in UTC: buckets are told whole. Default: all. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A bucket in which something was recorded, and what it is told apart by. */
export interface TimelineRow {
  /** When the bucket begins: RFC 3339, UTC, six digits. */
  readonly start: string;
  readonly kind?: string;
  readonly type?: EventType;
  readonly actor?: string | null;
  readonly events: number;
}

export interface Timeline {
  readonly asOf: Position;
  readonly bucket: TimelineBucket;
  readonly by: readonly TimelineField[];
  /** In the order of time, then of what they are told apart by. */
  readonly rows: readonly TimelineRow[];
}

/** What some events have in common. */
interface Group {
  readonly kind: string;
  readonly type: EventType;
  readonly actor: string | null;
}

/**
 * The timeline as of a reader's instant.
 *
 * @param rows of the `records` projection, once it has got to that instant
 * @throws `argument-invalid` for a size, field or time that is none; `aborted`, `view-rebuilt`, `checksum-mismatch`
 */
export async function readTimeline(
  reader: Reader,
  rows: ProjectionRows,
  query: TimelineQuery = {},
): Promise<Timeline> {
  const { bucket = "day", by = [], signal } = query;
  assertOneOf("bucket", bucket, timelineBuckets);
  for (const field of by) assertOneOf("by", field, timelineFields);
  assertDistinct(by);
  const first = boundary(query, "from", bucket) ?? -Infinity;
  const last = boundary(query, "to", bucket) ?? Infinity;
  const tally = new Tally(by);
  const add = (time: number, group: Group, events: number) => {
    const start = bucketStart(time, bucket);
    if (start >= first && start <= last && isAsked(group, query)) tally.add(start, group, events);
  };
  const { asOf } = reader;
  const open = stretchOf(asOf + 1);
  const [table, size] =
    bucket === "minute" || bucket === "hour"
      ? (["minute", minuteMs] as const)
      : (["day", dayMs] as const);
  const after = first === -Infinity ? undefined : [first / size - 1];
  for await (const { key, value } of rows.scan(table, { prefix: [], after, signal })) {
    const [unit, kind, type, actor, at] = key as [
      number,
      string,
      EventType,
      string | false,
      number,
    ];
    if (unit * size > last + 32 * dayMs) break;
    if (at < open)
      add(unit * size, { kind, type, actor: actor === false ? null : actor }, Number(value));
  }
  for await (const event of reader.events({ from: open * stretch + 1, until: asOf, signal })) {
    const { recordId, type, position, actor = null, recordedAt } = event;
    const kind = kindAt(rows.get("record", [recordId]) as CurrentRow, position);
    add(Date.parse(recordedAt), { kind, type, actor }, 1);
  }
  throwIfAborted(signal);
  return { asOf, bucket, by, rows: tally.rows() };
}

function assertOneOf(what: string, value: string, known: readonly string[]): void {
  if (known.includes(value)) return;
  throw new StoreError(
    "argument-invalid",
    `${what} must be ${known.slice(0, -1).join(", ")} or ${known.at(-1)}, and ${JSON.stringify(value)} is not.`,
    { details: { [what]: value } },
  );
}

function assertDistinct(by: readonly TimelineField[]): void {
  const repeated = by.find((field, index) => by.indexOf(field) !== index);
  if (repeated === undefined) return;
  throw new StoreError("argument-invalid", `by names ${repeated} more than once.`, {
    details: { by: repeated },
  });
}

function isAsked(group: Group, { kind, type, actor }: TimelineQuery): boolean {
  return (
    (kind === undefined || group.kind === kind) &&
    (type === undefined || group.type === type) &&
    (actor === undefined || group.actor === actor)
  );
}

/** The beginning of the bucket that a time of the query falls in. */
function boundary(
  query: TimelineQuery,
  name: "from" | "to",
  bucket: TimelineBucket,
): number | undefined {
  const text = query[name];
  if (text === undefined) return undefined;
  const us = instantsIn(text)?.[name === "from" ? 0 : 1];
  if (us !== undefined) return bucketStart(us / 1000, bucket);
  throw new StoreError(
    "argument-invalid",
    `${name} must be a date or an RFC 3339 time with a zone, and ${JSON.stringify(text)} is not.`,
    { details: { [name]: text } },
  );
}

function bucketStart(time: number, bucket: TimelineBucket): number {
  if (bucket === "month") {
    const date = new Date(time);
    return Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
  }
  const size = { minute: minuteMs, hour: hourMs, day: dayMs }[bucket];
  return Math.floor(time / size) * size;
}

/** Sums events up by bucket and by what they are told apart by. */
class Tally {
  readonly #by: readonly TimelineField[];
  readonly #sums = new Map<string, { start: number; group: Group; events: number }>();

  constructor(by: readonly TimelineField[]) {
    this.#by = by;
  }

  add(start: number, group: Group, events: number): void {
    const key = JSON.stringify([start, ...this.#by.map((field) => group[field])]);
    const sum = this.#sums.get(key);
    if (sum === undefined) this.#sums.set(key, { start, group, events });
    else sum.events += events;
  }

  rows(): TimelineRow[] {
    return [...this.#sums.values()]
      .toSorted((a, b) => this.#order(a, b))
      .map(({ start, group, events }) => ({
        start: formatTimestamp(start * 1000),
        ...Object.fromEntries(this.#by.map((field) => [field, group[field]])),
        events,
      }));
  }

  #order(
    a: { readonly start: number; readonly group: Group },
    b: { readonly start: number; readonly group: Group },
  ): number {
    if (a.start !== b.start) return a.start - b.start;
    for (const field of this.#by) {
      const [left, right] = [a.group[field] ?? "", b.group[field] ?? ""];
      if (left !== right) return left < right ? -1 : 1;
    }
    return 0;
  }
}
