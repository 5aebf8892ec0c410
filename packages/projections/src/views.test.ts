/** Every answer of the views, as of every position, against one worked out by looking at every record. */
import {
  created,
  invalidated,
  openMemoryStore,
  replaced,
  updated,
  type EmbeddedStore,
  type NewEvent,
  type Reader,
  type RecordView,
} from "@sennit/core";
import { codeOf } from "@sennit/core/testing";
import { expect, test } from "vitest";

import type { ListQuery } from "./list-query.ts";
import { sampleHistories } from "./testing/samples.ts";
import type { ViewReader } from "./view-reader.ts";
import { openViews, type Views } from "./views.ts";

/** All records as of the reader's position, in the order of their creation. */
async function allRecords(store: EmbeddedStore, reader: Reader): Promise<RecordView[]> {
  const ids = new Set<string>();
  if (reader.asOf > 0) {
    for await (const { recordId } of store.events({ until: reader.asOf })) ids.add(recordId);
  }
  return Promise.all([...ids].map((id) => reader.record(id)));
}

function fits(record: RecordView, { kind, tags = {}, status, words = [] }: ListQuery): boolean {
  const isStatus = {
    valid: record.status === "valid",
    invalid: record.status === "invalid",
    stale: record.stale,
  };
  return (
    (kind === undefined || record.kind === kind) &&
    (status === undefined || isStatus[status]) &&
    Object.entries(tags).every(([key, text]) =>
      Object.entries(record.tags).some((tag) => tag[0] === key && String(tag[1]) === text),
    ) &&
    words.every((word) => record.name.includes(word) || record.id.includes(word))
  );
}

/** Queries that find something, by every member and by several at once. */
function queriesAbout(records: readonly RecordView[]): ListQuery[] {
  const some = records.flatMap(({ kind, name, tags, status }): ListQuery[] => [
    { kind },
    { words: [name.slice(0, 3)] },
    { tags: Object.fromEntries(Object.entries(tags).map(([key, tag]) => [key, String(tag)])) },
    ...Object.entries(tags).map(([key, tag]) => ({ kind, status, tags: { [key]: String(tag) } })),
  ]);
  const always: ListQuery[] = [
    {},
    { status: "valid" },
    { status: "invalid" },
    { status: "stale" },
    { kind: "no such kind" },
    { tags: { constructor: "1" } },
    { words: ["a"] },
  ];
  return [...always, ...some];
}

async function compareAt(store: EmbeddedStore, views: Views, position: number): Promise<void> {
  const reader = await store.at({ position });
  const viewed = await views.at({ position });
  const everything = await allRecords(store, reader);
  expect(viewed.asOf).toBe(position);
  for (const query of queriesAbout(everything)) {
    const expected = everything.filter((record) => fits(record, query));
    expect({ query, ...(await viewed.list(query)) }).toEqual({
      query,
      asOf: position,
      records: expected,
    });
  }
  await compareStale(reader, viewed, everything);
  await compareNames(viewed, everything);
}

async function compareStale(
  reader: Reader,
  viewed: ViewReader,
  everything: readonly RecordView[],
): Promise<void> {
  const stale = everything.filter((record) => record.stale);
  const outdated = await Promise.all(
    stale.map(async ({ id, version }) =>
      (await reader.outdatedSources(id)).map(({ source, now }) => ({
        record: { recordId: id, version },
        source,
        now,
      })),
    ),
  );
  expect(await viewed.stale()).toEqual({
    asOf: reader.asOf,
    records: stale,
    outdated: outdated.flat(),
  });
}

async function compareNames(viewed: ViewReader, everything: readonly RecordView[]): Promise<void> {
  for (const { kind, name } of everything) {
    const ids = everything
      .filter((record) => record.kind === kind && record.name === name)
      .map(({ id }) => id);
    const [id] = ids;
    if (ids.length === 1) expect(await viewed.resolve(`${kind}/${name}`)).toBe(id);
    else expect(await codeOf(() => viewed.resolve(`${kind}/${name}`))).toBe("ref-ambiguous");
  }
}

test("lists, stale records and names are right as of every position of random histories", async () => {
  expect.hasAssertions();
  for (const history of await sampleHistories(12, 7)) {
    const store = await openMemoryStore();
    const views = await openViews(store);
    for (const batch of history) await store.append(batch);
    for (let position = 0; position <= store.head; position += 1) {
      await compareAt(store, views, position);
    }
    await views.close();
    await store.close();
  }
});

const story: readonly NewEvent[] = [
  created("m-1", { kind: "model", name: "bragg", tags: { stage: "dev", loss: 0.5, toString: 1 } }),
  created(
    "m-2",
    { kind: "model", name: "peak", derivedFrom: [{ recordId: "d/1" }] },
    {
      unknownSources: "placeholder",
    },
  ),
  updated("m-1", { tags: { stage: "prod", loss: "0.5", constructor: true } }),
  created("d/1", { kind: "data/set", name: "raw/7", attributes: { size: 2 } }),
  updated("m-2", { name: "bragg" }),
  invalidated("d/1", { cause: "wrong" }),
  updated("m-1", { name: "other", tags: { toString: null } }),
  replaced("m-1", { kind: "model", name: "bragg", tags: { stage: "dev" } }),
  updated("m-1", { tags: null }),
];

async function withStory(
  use: (views: Views, store: EmbeddedStore) => Promise<void>,
): Promise<void> {
  const store = await openMemoryStore();
  const views = await openViews(store);
  for (const event of story) await store.append([event]);
  await use(views, store);
  await views.close();
  await store.close();
}

async function idsAt(views: Views, position: number, query: ListQuery): Promise<string[]> {
  const { records } = await (await views.at({ position })).list(query);
  return records.map(({ id }) => id);
}

test("lists, stale records and names are right as of every position of a story", async () => {
  expect.hasAssertions();
  await withStory(async (views, store) => {
    for (let position = 0; position <= store.head; position += 1) {
      await compareAt(store, views, position);
    }
  });
});

test("a placeholder is of kind unknown until it is filled, and of its own kind from then on", async () => {
  await withStory(async (views) => {
    expect(await idsAt(views, 4, { kind: "unknown" })).toEqual(["d/1"]);
    expect(await idsAt(views, 4, { kind: "data/set" })).toEqual([]);
    expect(await idsAt(views, 5, { kind: "unknown" })).toEqual([]);
    expect(await idsAt(views, 5, { kind: "data/set" })).toEqual(["d/1"]);
    const reader = await views.at({ position: 4 });
    expect(await codeOf(() => reader.record("data/set/raw/7"))).toBe("record-not-found");
    expect((await reader.record("unknown/d/1")).id).toBe("d/1");
    const filled = await views.at({ position: 5 });
    expect((await filled.record("data/set/raw/7")).id).toBe("d/1");
    expect(await codeOf(() => filled.record("unknown/d/1"))).toBe("record-not-found");
  });
});

test("tags are found by the text of their value, whatever they are called", async () => {
  await withStory(async (views) => {
    const now: [Record<string, string>, string[]][] = [
      [{ loss: "0.5" }, ["m-1"]],
      [{ constructor: "true", stage: "prod" }, ["m-1"]],
      [{ toString: "1" }, ["m-1"]],
      [{ stage: "dev" }, []],
      [{ hasOwnProperty: "undefined" }, []],
    ];
    for (const [tags, ids] of now) expect(await idsAt(views, 4, { tags })).toEqual(ids);
    expect(await idsAt(views, 1, { tags: { stage: "dev" } })).toEqual(["m-1"]);
  });
});

test("a name is resolved as of the reader's position, with a version behind it or not", async () => {
  await withStory(async (views, store) => {
    const before = await views.at({ position: 5 });
    expect(await before.resolve("model/bragg")).toBe("m-1");
    expect(await before.resolve("model/bragg@1")).toBe("m-1@1");
    expect((await before.findRecord("model/bragg@1"))?.version).toBe(1);
    const both = await views.at({ position: 6 });
    await expect(both.record("model/bragg")).rejects.toMatchObject({
      code: "ref-ambiguous",
      details: { ids: ["m-1", "m-2"] },
    });
    expect(await codeOf(() => both.findRecord("model/bragg"))).toBe("ref-ambiguous");
    const now = await views.at();
    expect(now.asOf).toBe(store.head);
    expect(await now.findRecord("model/nothing")).toBeUndefined();
    expect(await now.findRecord("nothing")).toBeUndefined();
    expect(await codeOf(() => now.record("model/nothing"))).toBe("record-not-found");
    expect((await now.history("data/set/raw/7")).recordId).toBe("d/1");
  });
});

test("an id that holds a slash is taken before a kind and name", async () => {
  const store = await openMemoryStore();
  const views = await openViews(store);
  await store.append([created("a/b", { kind: "x", name: "y" })]);
  await store.append([created("other", { kind: "a", name: "b" })]);
  expect((await (await views.at()).record("a/b")).id).toBe("a/b");
  await views.close();
  await store.close();
});

function create(index: number): NewEvent {
  const kind = index % 2 === 0 ? "even" : "odd";
  return created(`r-${index}`, { kind, name: "n", tags: { t: "x" } });
}

test("pages are complete and speak for one position while the store grows", async () => {
  const store = await openMemoryStore();
  const views = await openViews(store);
  for (let index = 0; index < 20; index += 1) await store.append([create(index)]);
  const { head } = store;
  const queries: ListQuery[] = [{}, { kind: "even" }, { tags: { t: "x" } }, { status: "valid" }];
  for (const query of queries) {
    const whole = (await (await views.at({ position: head })).list(query)).records;
    for (const limit of [1, 3, whole.length, whole.length + 1]) {
      const pages: RecordView[] = [];
      let cursor: string | undefined;
      do {
        const page = await (await views.at({ position: head })).list(query, { limit, cursor });
        expect(page.asOf).toBe(head);
        expect(page.records.length).toBeLessThanOrEqual(limit);
        pages.push(...page.records);
        cursor = page.nextCursor;
        await store.append([create(store.head)]);
        await store.append([updated("r-3", { tags: { t: store.head } })]);
        await store.append([invalidated("r-4", { cause: "again" })]);
      } while (cursor !== undefined);
      expect(pages).toEqual(whole);
    }
  }
  await views.close();
  await store.close();
});

test("a last page says that nothing follows", async () => {
  await withStory(async (views) => {
    const reader = await views.at();
    expect(await reader.list({ kind: "model" }, { limit: 2 })).not.toHaveProperty("nextCursor");
    expect(await reader.list({ kind: "model" }, { limit: 1 })).toHaveProperty("nextCursor");
  });
});

test("a cursor of another position, limits out of range and unknown members are refused", async () => {
  await withStory(async (views) => {
    const { nextCursor = "" } = await (await views.at({ position: 5 })).list({}, { limit: 1 });
    const reader = await views.at();
    expect(await codeOf(() => reader.list({}, { cursor: nextCursor }))).toBe("cursor-invalid");
    for (const limit of [0, -1, 1.5, 10_001, Number.NaN])
      expect(await codeOf(() => reader.list({}, { limit }))).toBe("argument-invalid");
    const unknown = { knd: "model" } as ListQuery;
    expect(await codeOf(() => reader.list(unknown))).toBe("argument-invalid");
    expect(await codeOf(() => reader.records(unknown).next())).toBe("argument-invalid");
    expect(await codeOf(() => views.at({ position: 100 }))).toBe("as-of-ahead-of-head");
  });
});

test("a reader answers alike whatever is appended after it", async () => {
  await withStory(async (views, store) => {
    const reader = await views.at({ position: 6 });
    const answers = async (): Promise<unknown> => [
      await reader.list(),
      await reader.stale(),
      await reader.list({ kind: "model", status: "valid" }),
    ];
    const before = await answers();
    await store.append([updated("m-2", { name: "later" }), invalidated("m-1", { cause: "late" })]);
    await views.caughtUp();
    expect(await answers()).toEqual(before);
  });
});
