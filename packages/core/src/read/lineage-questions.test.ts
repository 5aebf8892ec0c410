/** Questions of lineage: what is refused, what is cut off, and work that is stopped. */
import { afterEach, expect, test } from "vitest";

import { created } from "../event/event.ts";
import { openMemoryStore } from "../open-store.ts";
import type { EmbeddedStore } from "../store.ts";
import { make, withdraw } from "../testing/samples.ts";
import type { LineageFilter, PathsOptions } from "./reader.ts";

let store: EmbeddedStore;

afterEach(() => store.close());

/** A ladder: each rung rests on the one before in two roles, so that there are 2^n ways up. */
async function makeLadder(rungs: number): Promise<void> {
  store = await openMemoryStore();
  await store.append(
    Array.from({ length: rungs + 1 }, (_, number) => {
      const recordId = `rung-${number - 1}`;
      const derivedFrom = number === 0 ? [] : ["left", "right"].map((role) => ({ recordId, role }));
      return created(`rung-${number}`, { kind: "rung", name: `${number}`, derivedFrom });
    }),
  );
}

test("of a number of paths without end some are given, and it is said that there are more", async () => {
  await makeLadder(60);
  const { derived, source, paths, hasMore } = await store.paths("rung-0", "rung-60");
  expect({ derived, source }).toEqual({
    derived: { recordId: "rung-60", version: 1 },
    source: { recordId: "rung-0", version: 1 },
  });
  expect(paths).toHaveLength(100);
  expect(new Set(paths.map((path) => path.map(({ role }) => role).join())).size).toBe(100);
  expect(paths.every((path) => path.length === 60)).toBe(true);
  expect(hasMore).toBe(true);
});

test("fewer paths of a number without end are the first of more", async () => {
  await makeLadder(60);
  const { paths } = await store.paths("rung-0", "rung-60", { limit: 200 });
  for (const limit of [1, 2, 3, 7, 100, 199]) {
    const fewer = await store.paths("rung-0", "rung-60", { limit });
    expect(fewer.paths).toEqual(paths.slice(0, limit));
    expect(fewer.hasMore).toBe(true);
  }
});

test("a filter leaves the one way that keeps to a role", async () => {
  await makeLadder(60);
  const { paths, hasMore } = await store.paths("rung-60", "rung-0", { roles: ["left"] });
  expect(paths).toHaveLength(1);
  expect(paths[0]?.every(({ role }) => role === "left")).toBe(true);
  expect(hasMore).toBe(false);
});

test("versions that do not rest on one another have no path, a version has none to itself", async () => {
  store = await openMemoryStore();
  await store.append([make("a"), make("b"), withdraw("a")]);
  for (const [one, other] of [
    ["a", "b"],
    ["a", "a"],
    ["a@1", "a@2"],
  ] as const) {
    expect(await store.paths(one, other)).toMatchObject({ paths: [], hasMore: false });
  }
});

test("a path leads to what is pinned also when the version named only carries the same content", async () => {
  store = await openMemoryStore();
  await store.append([make("a"), make("b", ["a"]), withdraw("a")]);
  const { source, paths } = await store.paths("b", "a");
  expect(source).toEqual({ recordId: "a", version: 2 });
  expect(paths).toEqual([
    [
      expect.objectContaining({
        derived: { recordId: "b", version: 2 },
        source: { recordId: "a", version: 1 },
      }),
    ],
  ]);
});

test("the difference of a closure names what a retraction has tainted", async () => {
  store = await openMemoryStore();
  await store.append([make("a"), make("b", ["a"]), make("c", ["b"]), make("d", ["a"])]);
  await store.append([withdraw("b")]);
  await store.append([{ ...make("e", ["b"]), allowInvalidSources: true }]);
  const { nodes } = await store.lineageDiff("a", 4, { direction: "descendants" });
  expect(nodes.map(({ recordId, status, change }) => [recordId, status, change])).toEqual([
    ["b", "invalid", "withdrawn"],
    ["b", "invalid", "joined"],
    ["c", "invalid", "withdrawn"],
    ["e", "valid", "joined"],
  ]);
  expect((await store.lineageDiff("a", 0, { direction: "descendants" })).nodes).toHaveLength(5);
  expect((await store.lineageDiff("a", store.head, { direction: "descendants" })).nodes).toEqual(
    [],
  );
});

test.each([
  { roles: [] },
  { kinds: Array.from({ length: 257 }, String) },
  { relations: ["isLike"] },
  { kinds: "model" },
  { roles: [1] },
])("the filter %j is refused", async (filter) => {
  store = await openMemoryStore();
  await store.append([make("a"), make("b", ["a"])]);
  const bad = filter as unknown as LineageFilter;
  const refused = { code: "argument-invalid" };
  await expect(store.lineage("b", bad)).rejects.toMatchObject(refused);
  await expect(store.lineageRefs("b", bad)).rejects.toMatchObject(refused);
  await expect(store.paths("b", "a", bad)).rejects.toMatchObject(refused);
  await expect(store.commonAncestors("b", "a", bad)).rejects.toMatchObject(refused);
  await expect(store.lineageDiff("b", 1, bad)).rejects.toMatchObject(refused);
});

test("limits, depths and positions that are none are refused", async () => {
  store = await openMemoryStore();
  await store.append([make("a"), make("b", ["a"])]);
  const refused = { code: "argument-invalid" };
  for (const limit of [0, 1.5, 10_001, Number.NaN]) {
    await expect(store.paths("b", "a", { limit })).rejects.toMatchObject(refused);
  }
  for (const options of [{ depth: 1 }, { direction: "ancestors" }]) {
    await expect(store.paths("b", "a", options as PathsOptions)).rejects.toMatchObject(refused);
  }
  for (const from of [-1, 3, 0.5, Number.NaN]) {
    await expect(store.lineageDiff("b", from)).rejects.toMatchObject(refused);
  }
  await expect(store.lineageRefs("b", { depth: 0 })).rejects.toMatchObject(refused);
});

test("every question stops when it is asked to", async () => {
  await makeLadder(20);
  const signal = AbortSignal.abort();
  const stopped = { code: "aborted" };
  await expect(store.lineage("rung-20", { signal })).rejects.toMatchObject(stopped);
  await expect(store.lineageRefs("rung-20", { signal })).rejects.toMatchObject(stopped);
  await expect(store.paths("rung-20", "rung-0", { signal })).rejects.toMatchObject(stopped);
  await expect(store.commonAncestors("rung-20", "rung-9", { signal })).rejects.toMatchObject(
    stopped,
  );
  await expect(store.lineageDiff("rung-20", 3, { signal })).rejects.toMatchObject(stopped);
});

test("a long answer lets others have their turn, stays that of its position, and can be stopped on the way", async () => {
  store = await openMemoryStore();
  const length = 30_000;
  for (let start = 0; start < length; start += 10_000) {
    const ids = Array.from({ length: 10_000 }, (_, offset) => start + offset);
    await store.append(ids.map((id) => make(`n-${id}`, id === 0 ? [] : [`n-${id - 1}`])));
  }
  await store.lineageRefs("n-1");
  const reader = await store.at();
  const running = reader.lineage("n-0", { direction: "descendants" });
  let turns = 0;
  const counting = setInterval(() => (turns += 1), 1);
  await store.append([make("late", ["n-5"]), withdraw("n-29999")]);
  const { nodes } = await running;
  expect(turns).toBeGreaterThan(0);
  turns = 0;
  await store.receipt(`n-${length - 1}`);
  clearInterval(counting);
  expect(turns).toBeGreaterThan(0);
  expect(nodes).toHaveLength(length - 1);
  expect(nodes.every(({ status }) => status === "valid")).toBe(true);

  const questions: ((signal: AbortSignal) => Promise<unknown>)[] = [
    (signal) => store.lineage(`n-${length - 1}`, { signal }),
    (signal) => store.replay(`n-${length - 1}`, { signal }),
    (signal) => store.impact("n-0", { signal }),
    (signal) => store.impact("n-0", { at: 1, signal }),
    (signal) => store.changesSince(0, { signal }),
    (signal) => store.receipt(`n-${length - 1}`, { signal }),
  ];
  for (const ask of questions) {
    const stop = new AbortController();
    const stopped = ask(stop.signal);
    setImmediate(() => stop.abort());
    await expect(stopped).rejects.toMatchObject({ code: "aborted" });
  }
});
