/** Pages of queries that find more than a page holds in memory, against all that they find. */
import { created, openMemoryStore, updated, type EmbeddedStore, type NewEvent } from "@sennit/core";
import { afterAll, beforeAll, expect, test } from "vitest";

import type { EmbeddedViewReader } from "../embedded-view-reader.ts";
import { openViews, type Views } from "../views.ts";

const recordCount = 12_000;

let store: EmbeddedStore;
let views: Views;

beforeAll(async () => {
  store = await openMemoryStore();
  views = await openViews(store);
  // By value and by id they come in another order than by creation.
  const numberOf = (index: number) => (index * 7919) % recordCount;
  for (let start = 0; start < recordCount; start += 1000) {
    const events: NewEvent[] = Array.from({ length: 1000 }, (_, offset) => {
      const number = numberOf(start + offset);
      const tags = { number, rest: number % 1000 };
      return created(`r-${number}`, { kind: "k", name: `n-${number}`, tags });
    });
    await store.append(events);
  }
  // What some of them bear now is not what they bore.
  await store.append(
    Array.from({ length: 600 }, (_, number) =>
      updated(`r-${number * 20}`, { tags: { number: number - 1000, gone: true } }),
    ),
  );
}, 60_000);

afterAll(async () => {
  await views.close();
  await store.close();
});

async function pagesOf(reader: EmbeddedViewReader, query: string, limit: number) {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await reader.list(query, { limit, cursor });
    expect(page.records.length).toBeLessThanOrEqual(limit);
    ids.push(...page.records.map(({ id }) => id));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return ids;
}

test.each([
  // Most records fit, and a page is full before any index has been read.
  ["tag.number>=0", 2000],
  ["r-", 5000],
  ["id:r-* (tag.number<5 or tag.number>9000)", 1500],
  // Few fit of those the widest index names, so it is read in steps.
  ["tag.number>=0 -tag.rest>2", 7],
  ["name:n-* -tag.rest>0", 5],
  ["tag.number!=17 -tag.rest>0", 3],
] as const)("the pages of %s are what it finds, now and as of before", async (query, limit) => {
  for (const position of [store.head, recordCount, recordCount - 1500]) {
    const reader = await views.at({ position });
    const all: string[] = [];
    for await (const { id } of reader.records(query)) all.push(id);
    expect(all.length).toBeGreaterThan(limit);
    expect(await pagesOf(reader, query, limit)).toEqual(all);
    // In the order of creation, against every record there was.
    const naive: string[] = [];
    for await (const { id } of reader.records({})) naive.push(id);
    const found = new Set(all);
    expect(naive.filter((id) => found.has(id))).toEqual(all);
  }
});

test("a page of what most records fit looks at little more than it holds", async () => {
  const reader = await views.at();
  for (const query of ["tag.number>=0", "name:n-*", "id:r-*", "r-"]) {
    const { examined, found } = await reader.explain(query, { limit: 100 });
    expect(found).toBe(100);
    expect(examined).toBeLessThan(200);
  }
});
