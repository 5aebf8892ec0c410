/** A projection follows the log without gap or duplicate, through restarts and through failures. */
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";

import { openMemoryStore, openStore, type EmbeddedStore, type RecordedEvent } from "@sennit/core";
import { openMemoryStorage, type Storage } from "@sennit/core/storage";
import { codeOf, withTemporaryDirectory } from "@sennit/core/testing";
import { expect, test, vi } from "vitest";

import type { Builds } from "./builds.ts";
import { readCheckpoint } from "./checkpoint.ts";
import type { ProjectionDefinition, Rows } from "./projection.ts";
import { recordsProjection } from "./read-models/records.ts";
import { openKeeper, placeOn } from "./testing/storage-place.ts";
import { creations, expectFolded, progressOf, tally } from "./testing/tally.ts";
import { openViews } from "./views.ts";

async function withStore(use: (store: EmbeddedStore) => Promise<void>): Promise<void> {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(join(directory, "store"));
    await use(store);
    await store.close();
  });
}

/** Behaves like the tally, and fails where it is told to. */
function failing(fail: (event: RecordedEvent, rows: Rows) => unknown): ProjectionDefinition {
  return {
    ...tally,
    apply: (event, rows) => {
      tally.apply(event, rows);
      return fail(event, rows) as undefined;
    },
  };
}

test("what is appended before, while and after catching up is folded once and in order", async () => {
  await withStore(async (store) => {
    await store.append(creations(3000));
    const views = await openViews(store, { projections: [tally] });
    const appends: Promise<unknown>[] = [];
    for (let index = 3000; index < 3300; index += 1) {
      appends.push(store.append(creations(1, index)));
      if (index % 50 === 0) await appends.at(-1);
    }
    await Promise.all(appends);
    await views.caughtUp();
    expect(views.rows("tally").get("count", [])).toBe(3300);
    await store.append(creations(1, 3300));
    await views.caughtUp();
    expect(views.rows("tally").get("count", [])).toBe(3301);
    await expectFolded(store, views, tally);
    await views.close();
  });
});

test("a reader waits until the views have got to its position", async () => {
  const store = await openMemoryStore();
  const views = await openViews(store);
  for (let count = 1; count <= 20; count += 1) {
    await store.append(creations(1, count));
    expect((await (await views.at()).list()).records).toHaveLength(count);
  }
  await views.close();
  await store.close();
});

test("a rest between small batches ends by itself, and at once for who waits", async () => {
  // No rest ends unless it is told to.
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const store = await openMemoryStore();
  const views = await openViews(store);
  const lag = () => progressOf(views, "records").lag;
  try {
    // On a machine that stands still for as long as a rest there is none.
    for (let count = 0; count < 50 && lag() === 0; count += 1) {
      await store.append(creations(1, count));
      await views.at();
      expect(lag()).toBe(0);
      await store.append(creations(1, 1000 + count));
      for (let turn = 0; turn < 20; turn += 1) await setImmediate();
    }
    expect(lag()).toBe(1);
    await views.at(undefined, { signal: AbortSignal.timeout(3000) });
    expect(lag()).toBe(0);
    await store.append(creations(1, 2000));
    vi.advanceTimersByTime(50);
    while (lag() > 0) await setImmediate();
  } finally {
    vi.useRealTimers();
  }
  await views.close();
  await store.close();
});

test("closing after any batch and opening again goes on exactly there", async () => {
  await withStore(async (store) => {
    await store.append(creations(9000));
    let position = 0;
    let rounds = 0;
    for (; position < store.head; rounds += 1) {
      const views = await openViews(store, { projections: [tally] });
      // It may have gone on while the others were opened.
      expect(progressOf(views, "tally").position).toBeGreaterThanOrEqual(position);
      const before = position;
      await new Promise<void>((resolve) => {
        views.progress$("tally").subscribe((progress) => {
          ({ position } = progress);
          if (position > before) resolve();
        });
      });
      await views.close();
    }
    expect(rounds).toBeGreaterThan(1);
    const views = await openViews(store, { projections: [tally] });
    await expectFolded(store, views, tally);
    await views.close();
  });
});

/** Passes writes on until it has passed the given number, then dies. */
function mortal(storage: Storage, writes: number): Storage {
  let left = writes;
  return {
    get: (key) => storage.get(key),
    scan: (range) => storage.scan(range),
    write: async (batch) => {
      if (left === 0) throw new Error("The machine is dead.");
      left -= 1;
      await storage.write(batch);
    },
    recover: async () => {
      if (left === 0) throw new Error("The machine is dead.");
      await storage.recover();
    },
    readable: () => undefined,
    compact: () => storage.compact(),
    // What it holds is looked at after its death.
    close: async () => undefined,
  };
}

/** Stays open for the test when the projection is closed. */
function immortal(storage: Storage): Storage {
  return mortal(storage, Infinity);
}

test("a death before any write repeats nothing and skips nothing", async () => {
  const store = await openMemoryStore();
  for (let from = 0; from < 18_000; from += 9000) await store.append(creations(9000, from));
  const whole = openMemoryStorage();
  const survivor = await openKeeper(store, placeOn(whole), tally);
  await survivor.at(store.head);
  let last = -1;
  for (const writes of [0, 1, 2, 3]) {
    const storage = openMemoryStorage();
    const builds = new Map<string, Builds>();
    const dying = await openKeeper(store, placeOn(mortal(storage, writes), builds), tally);
    expect(await codeOf(() => dying.at(store.head))).toBe("write-failed");
    await dying.close();
    const keeper = await openKeeper(store, placeOn(immortal(storage), builds), tally);
    const position = readCheckpoint(storage)?.position ?? 0;
    expect(position).toBeGreaterThan(last);
    last = position;
    const rows = await keeper.at(store.head);
    expect(rows.get("count", [])).toBe(store.head);
    expect(readCheckpoint(storage)).toEqual(readCheckpoint(whole));
    await keeper.close();
  }
  await survivor.close();
  await store.close();
});

test("a projection that throws stops there; the log and the others go on", async () => {
  await withStore(async (store) => {
    await store.append(creations(30));
    const broken = failing(({ position }) => {
      if (position === 20) throw new RangeError("not this one");
    });
    const views = await openViews(store, { projections: [broken] });
    await expect(views.caughtUp()).rejects.toMatchObject({
      code: "projection-failed",
      category: "internal",
      details: { projection: "tally", version: 1, position: 20 },
      cause: expect.any(RangeError) as RangeError,
    });
    expect(progressOf(views, "tally")).toMatchObject({
      position: 19,
      failure: { code: "projection-failed" },
    });
    await expectFolded(store, views, tally);
    await store.append(creations(1, 30));
    expect((await (await views.at()).list()).records).toHaveLength(31);
    expect(progressOf(views, "records")).toMatchObject({ position: 31, failure: null });
    await views.close();

    const corrected = await openViews(store, { projections: [tally] });
    // It may have gone on while the others were opened.
    expect(progressOf(corrected, "tally").position).toBeGreaterThanOrEqual(19);
    await corrected.caughtUp();
    await expectFolded(store, corrected, tally);
    await corrected.close();
  });
});

test("a failure is told to those who watch, and the watch goes on until the views are closed", async () => {
  const store = await openMemoryStore();
  const broken = failing(() => {
    throw new Error("never");
  });
  const views = await openViews(store, { projections: [broken] });
  const failures: (string | null)[] = [];
  let completed = false;
  views.progress$("tally").subscribe({
    next: ({ failure }) => failures.push(failure === null ? null : failure.code),
    complete: () => {
      completed = true;
    },
  });
  await store.append(creations(2));
  expect(await codeOf(() => views.caughtUp())).toBe("projection-failed");
  await store.append(creations(1, 2));
  expect(await codeOf(() => views.caughtUp())).toBe("projection-failed");
  const changes = failures.filter((failure, index) => failure !== failures[index - 1]);
  expect(changes).toEqual([null, "projection-failed"]);
  await views.close();
  expect(completed).toBe(true);
  await store.close();
});

test.each<[string, (event: RecordedEvent, rows: Rows) => unknown]>([
  ["is async", async () => {}],
  [
    "is async and fails",
    async () => {
      await Promise.reject(new Error("nobody looks at this"));
    },
  ],
  // oxlint-disable-next-line unicorn/no-thenable -- what is refused
  ["returns a thenable", () => ({ then: () => undefined })],
  ["puts what is no row value", (_event, rows) => rows.put("event", [1], undefined as never)],
  ["puts a date", (_event, rows) => rows.put("event", [1], new Date(0) as never)],
  ["puts into a table it does not have", (_event, rows) => rows.put("events", [1], 1)],
  ["gets from a table it does not have", (_event, rows) => rows.get("events", [1])],
  ["uses NaN as a key", (_event, rows) => rows.delete("event", [Number.NaN])],
])("a projection that %s is stopped with a TypeError", async (_name, fail) => {
  const store = await openMemoryStore();
  const views = await openViews(store, {
    projections: [failing((event, rows) => (event.position === 2 ? fail(event, rows) : undefined))],
  });
  await store.append(creations(3));
  await expect(views.caughtUp()).rejects.toMatchObject({
    code: "projection-failed",
    details: { position: 2 },
    cause: expect.any(TypeError) as TypeError,
  });
  expect(progressOf(views, "tally").position).toBe(1);
  await views.close();
  await store.close();
});

test("what apply is given has three methods, no more, and is closed when apply returns", async () => {
  const store = await openMemoryStore();
  let kept: Rows | undefined;
  const views = await openViews(store, {
    projections: [
      failing((_event, rows) => {
        kept = rows;
      }),
    ],
  });
  await store.append(creations(1));
  await views.caughtUp();
  const rows = kept as Rows;
  expect(Reflect.ownKeys(rows)).toEqual(["get", "put", "delete"]);
  expect(Object.isFrozen(rows)).toBe(true);
  expect(() => rows.get("count", [])).toThrow(TypeError);
  expect(() => rows.put("count", [], 7)).toThrow(TypeError);
  expect(() => rows.delete("count", [])).toThrow(TypeError);
  await views.close();
  await store.close();
});

test("changing a row that get returned changes no row", async () => {
  const store = await openMemoryStore();
  const seen: unknown[] = [];
  const definition: ProjectionDefinition = {
    name: "list",
    version: 1,
    tables: ["list"],
    apply(_event, rows) {
      const list = (rows.get("list", []) as number[] | undefined) ?? [];
      seen.push([...list]);
      list.push(1);
      if (list.length === 1) rows.put("list", [], list);
      list.push(2);
    },
  };
  await store.append(creations(3));
  const views = await openViews(store, { projections: [definition] });
  await views.caughtUp();
  expect(seen).toEqual([[], [1], [1]]);
  expect(views.rows("list").get("list", [])).toEqual([1]);
  await views.close();
  await store.close();
});

test("waiting ends when the views are closed or the caller gives up", async () => {
  const store = await openMemoryStore();
  await store.append(creations(5000));
  const views = await openViews(store);
  const abort = new AbortController();
  const given = codeOf(() => views.at(undefined, { signal: abort.signal }));
  const waiting = codeOf(() => views.at());
  await Promise.resolve();
  abort.abort();
  expect(await given).toBe("aborted");
  await views.close();
  expect(["store-closed", undefined]).toContain(await waiting);
  await store.append(creations(1, 5000));
  expect(await codeOf(() => views.at())).toBe("store-closed");
  expect(await codeOf(() => views.at(undefined, { signal: abort.signal }))).toBe("aborted");
  await store.close();
});

test("definitions that cannot be, or two of one name, are refused", async () => {
  const store = await openMemoryStore();
  const refused: ProjectionDefinition[][] = [
    [{ ...tally, name: "Tally" }],
    [{ ...tally, version: 0 }],
    [{ ...tally, version: 1.5 }],
    [{ ...tally, tables: ["a", "a"] }],
    [{ ...tally, tables: ["a b"] }],
    [tally, tally],
    [{ ...tally, name: recordsProjection.name }],
  ];
  for (const projections of refused) {
    await expect(openViews(store, { projections })).rejects.toThrow(TypeError);
  }
  const views = await openViews(store);
  expect(await codeOf(() => views.rows("tally"))).toBe("argument-invalid");
  await views.close();
  await store.close();
});
