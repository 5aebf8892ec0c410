/** The timeline: the counts of a naive look through the log, as of every position, in every size of bucket. */
import {
  created,
  invalidated,
  openMemoryStore,
  openStore,
  updated,
  type EmbeddedStore,
  type Position,
  type RecordedEvent,
} from "@sennit/core";
import {
  codeOf,
  FakeClock,
  filesHolding,
  propertySettings,
  withTemporaryDirectory,
} from "@sennit/core/testing";
import * as fc from "fast-check";
import { expect, test } from "vitest";

import { openViews, type Views } from "../views.ts";
import {
  readTimeline,
  timelineBuckets,
  timelineFields,
  type TimelineBucket,
  type TimelineField,
  type TimelineQuery,
  type TimelineRow,
} from "./timeline.ts";

const lengths: Readonly<Record<TimelineBucket, number>> = {
  minute: 16,
  hour: 13,
  day: 10,
  month: 7,
};
const rests = { minute: ":00.000000Z", hour: ":00:00.000000Z", day: "T00:00:00.000000Z" };

/** The beginning of a bucket, by cutting the text of the time. */
function startOf(time: string, bucket: TimelineBucket): string {
  const rest = bucket === "month" ? "-01T00:00:00.000000Z" : rests[bucket];
  return `${time.slice(0, lengths[bucket])}${rest}`;
}

/** Looks through all events. */
function counted(
  events: readonly RecordedEvent[],
  bucket: TimelineBucket,
  by: readonly TimelineField[],
  query: TimelineQuery = {},
): TimelineRow[] {
  const kinds = new Map<string, string>();
  const sums: Record<string, number> = {};
  for (const event of events) {
    if (event.type === "record.created") kinds.set(event.recordId, event.data.kind);
    const group = {
      kind: kinds.get(event.recordId) ?? "",
      type: event.type,
      actor: event.actor ?? null,
    };
    const start = startOf(event.recordedAt, bucket);
    if (query.kind !== undefined && query.kind !== group.kind) continue;
    if (query.type !== undefined && query.type !== group.type) continue;
    if (query.actor !== undefined && query.actor !== group.actor) continue;
    if (query.from !== undefined && start < startOf(query.from, bucket)) continue;
    if (query.to !== undefined && start > startOf(query.to, bucket)) continue;
    const named = Object.fromEntries(by.map((field) => [field, group[field]]));
    const key = JSON.stringify({ start, ...named });
    sums[key] = (sums[key] ?? 0) + 1;
  }
  return Object.entries(sums).map(([key, count]) => ({
    ...(JSON.parse(key) as Omit<TimelineRow, "events">),
    events: count,
  }));
}

function sorted(rows: readonly TimelineRow[]): TimelineRow[] {
  return rows.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

async function eventsOf(store: EmbeddedStore): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const event of store.events()) events.push(event);
  return events;
}

async function timelineAt(views: Views, position: Position | undefined, query: TimelineQuery) {
  await views.caughtUp();
  const reader = await views.at(position === undefined ? undefined : { position });
  return readTimeline(reader, views.rows("records"), query);
}

/** Compares one question with a look through the log up to a position. */
async function expectCounted(
  views: Views,
  events: readonly RecordedEvent[],
  position: Position,
  query: TimelineQuery,
): Promise<void> {
  const { bucket = "day", by = [] } = query;
  const timeline = await timelineAt(views, position, query);
  expect(timeline).toMatchObject({ asOf: position, bucket, by });
  const starts = timeline.rows.map(({ start }) => start);
  expect(starts).toEqual(starts.toSorted((a, b) => (a < b ? -1 : 1)));
  expect(sorted(timeline.rows)).toEqual(
    sorted(counted(events.slice(0, position), bucket, by, query)),
  );
}

const step = fc.record({
  record: fc.nat({ max: 3 }),
  actor: fc.constantFrom("ana", "ben", undefined),
  invalidate: fc.boolean(),
  minutes: fc.constantFrom(0, 1, 59, 60, 24 * 60, 40 * 24 * 60),
});

const query: fc.Arbitrary<TimelineQuery> = fc.record({
  bucket: fc.constantFrom(...timelineBuckets),
  by: fc.subarray([...timelineFields]),
  kind: fc.constantFrom(undefined, undefined, "k-0", "unknown"),
  type: fc.constantFrom(undefined, undefined, "record.created" as const),
  actor: fc.constantFrom(undefined, undefined, "ana", null),
  from: fc.constantFrom(undefined, "2026-03-02T10:00:30Z", "2026-04-20T00:00:00Z"),
  to: fc.constantFrom(undefined, "2026-03-02T11:00:00Z", "2026-05-20T00:00:00Z"),
});

test("any timeline as of any position counts what the log holds up to there", async () => {
  expect.hasAssertions();
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 12 }),
      fc.array(query, { minLength: 3, maxLength: 3 }),
      async (steps, queries) => {
        const clock = new FakeClock("2026-03-02T10:00:00Z");
        const store = await openMemoryStore({ clock });
        const views = await openViews(store);
        const made = new Set<number>();
        for (const { record, actor, invalidate, minutes } of steps) {
          clock.advance(minutes * 60_000_000);
          const recordId = `r-${record}`;
          const document = { kind: `k-${record}`, name: "n" };
          const source = { derivedFrom: [{ recordId: "ghost" }] };
          const fresh = created(
            recordId,
            { ...document, ...source },
            { actor, unknownSources: "placeholder" },
          );
          const next = invalidate
            ? invalidated(recordId, { cause: "c" }, { actor })
            : updated(recordId, { tags: { a: minutes } }, { actor });
          await store.append([made.has(record) ? next : fresh]);
          made.add(record);
        }
        const events = await eventsOf(store);
        for (const asked of queries) {
          for (let position = 0; position <= events.length; position += 1) {
            await expectCounted(views, events, position, asked);
          }
        }
        await views.close();
        await store.close();
      },
    ),
    propertySettings(25),
  );
});

test("a placeholder counts as one until it is created, also when it has been since", async () => {
  const store = await openMemoryStore();
  const views = await openViews(store);
  const late = { kind: "k", name: "late", derivedFrom: [{ recordId: "ghost" }] };
  await store.append([created("late", late, { unknownSources: "placeholder", actor: "ana" })]);
  await store.append([updated("ghost", { tags: { a: 1 } }, { actor: "ben" })]);
  await store.append([created("ghost", { kind: "scan", name: "g" })]);
  await store.append([updated("ghost", { tags: { a: 2 } }), invalidated("ghost", { cause: "c" })]);
  const events = await eventsOf(store);
  for (let position = 0; position <= events.length; position += 1) {
    await expectCounted(views, events, position, { by: ["kind", "type", "actor"] });
  }
  await views.close();
});

test("counts are exact at the ends of stretches too, and many events share a row", async () => {
  const clock = new FakeClock("2026-03-02T10:00:00Z");
  const store = await openMemoryStore({ clock });
  const views = await openViews(store);
  for (let from = 0; from < 3000; from += 250) {
    clock.advance(7_000_000);
    const batch = Array.from({ length: 250 }, (_, index) =>
      created(`r-${from + index}`, { kind: `k${index % 2}`, name: "n" }, { actor: "ana" }),
    );
    await store.append(batch);
  }
  const events = await eventsOf(store);
  for (const position of [1023, 1024, 1025, 2047, 2048, 2049, 3000]) {
    await expectCounted(views, events, position, { bucket: "minute", by: ["kind", "actor"] });
    await expectCounted(views, events, position, { bucket: "month", by: ["type"] });
  }
  let rows = 0;
  for await (const _row of views.rows("records").scan("minute", { prefix: [] })) rows += 1;
  expect(rows).toBeLessThan(12);
  await views.close();
});

test("an actor whose event was erased is gone from the counts and from every file", async () => {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(directory);
    const views = await openViews(store);
    await store.append([created("scan", { kind: "dataset", name: "n" }, { actor: "Marie Curie" })]);
    await store.append([created("other", { kind: "dataset", name: "n" }, { actor: "Otto" })]);
    const by = ["actor"] as const;
    const actors = async () =>
      (await timelineAt(views, 2, { by })).rows.map(({ actor, events }) => [actor, events]);
    expect(await actors()).toEqual([
      ["Marie Curie", 1],
      ["Otto", 1],
    ]);
    await store.erase(["scan"], { cause: "consent withdrawn" });
    await views.caughtUp();
    expect(await actors()).toEqual([
      [null, 1],
      ["Otto", 1],
    ]);
    expect(await filesHolding(directory, "Marie")).toEqual([]);
    await views.close();
    await store.close();
  });
});

test("a size, a field or a time that is none is refused, and a read can be stopped", async () => {
  const store = await openMemoryStore();
  const views = await openViews(store);
  await store.append([created("a", { kind: "k", name: "n" })]);
  const refusal = (asked: unknown) =>
    codeOf(() => timelineAt(views, undefined, asked as TimelineQuery));
  expect(await refusal({ bucket: "year" })).toBe("argument-invalid");
  expect(await refusal({ by: ["name"] })).toBe("argument-invalid");
  expect(await refusal({ from: "yesterday" })).toBe("argument-invalid");
  expect(await refusal({ to: "2026-02-30" })).toBe("argument-invalid");
  expect(await refusal({ by: ["kind", "type", "kind"] })).toBe("argument-invalid");
  expect(await refusal({ signal: AbortSignal.abort() })).toBe("aborted");
  await views.close();
});
