/** Chains of 100 000 derivations: no recursion anywhere, so length costs time and nothing else. */
import { afterAll, beforeAll, expect, test } from "vitest";

import { openMemoryStore } from "../open-store.ts";
import type { EmbeddedStore } from "../store.ts";
import { make, withdraw } from "../testing/samples.ts";

const length = 100_000;
const id = (index: number): string => `link-${index}`;
let store: EmbeddedStore;

beforeAll(async () => {
  store = await openMemoryStore();
  for (let start = 0; start < length; start += 10_000) {
    const batch = Array.from({ length: 10_000 }, (_, offset) => {
      const index = start + offset;
      return make(id(index), index === 0 ? [] : [id(index - 1)]);
    });
    await store.append(batch);
  }
});

afterAll(() => store.close());

test("the lineage of a chain of 100 000 is whole in both directions", async () => {
  const up = await store.lineage(id(length - 1));
  expect(up.nodes).toHaveLength(length - 1);
  expect(up.nodes.at(-1)).toMatchObject({ recordId: id(0), depth: length - 1 });
  const down = await store.lineage(id(0), { direction: "descendants" });
  expect(down.nodes).toHaveLength(length - 1);
  expect(down.nodes.at(-1)).toMatchObject({ recordId: id(length - 1), depth: length - 1 });
  expect(down.edges).toHaveLength(length - 1);
});

test("the one path along a chain of 100 000 is found, and all that two ends of it share", async () => {
  const { paths, hasMore } = await store.paths(id(0), id(length - 1));
  expect(paths).toHaveLength(1);
  expect(paths[0]).toHaveLength(length - 1);
  expect(hasMore).toBe(false);
  const { nodes } = await store.commonAncestors(id(length - 1), id(length - 2));
  expect(nodes).toHaveLength(length - 1);
  expect(nodes.filter(({ isNearest }) => isNearest)).toMatchObject([
    { recordId: id(length - 2), depths: [1, 0] },
  ]);
});

test("many walks at a time do not see one another's marks", async () => {
  const starts = [length - 1, 40_000, 3, length - 2, 77_777, 50_000];
  const answers = await Promise.all(
    starts.flatMap((start) => [
      store.lineageRefs(id(start)),
      store.lineageRefs(id(start), { direction: "descendants" }),
    ]),
  );
  expect(answers.map(({ nodes }) => nodes.length)).toEqual(
    starts.flatMap((start) => [start, length - 1 - start]),
  );
});

test("a chain of 100 000 is replayed", async () => {
  const replay = await store.replay(id(length - 1));
  expect(replay.closure).toHaveLength(length);
  expect(replay.closure[0]?.id).toBe(id(0));
});

test("a chain of 100 000 falls with its first link, in one batch", async () => {
  const { head, events } = await store.append([withdraw(id(0))]);
  expect(events[0]?.consequences).toHaveLength(length - 1);
  expect(head).toBe(2 * length);
  expect(await store.record(id(length - 1))).toMatchObject({
    status: "invalid",
    version: 2,
    invalidation: { root: { recordId: id(0) }, via: { recordId: id(length - 2), version: 1 } },
  });
  const { nodes } = await store.lineageDiff(`${id(0)}@1`, length, { direction: "descendants" });
  expect(nodes.filter(({ change }) => change === "withdrawn")).toHaveLength(length - 1);
  const before = await store.at({ position: length });
  expect((await before.record(id(length - 1))).status).toBe("valid");
});
