/** Rows are made anew beside those that answer, in this thread and in another, and nobody who reads notices. */
import { rm } from "node:fs/promises";
import { join } from "node:path";

import { openMemoryStore, openStore, updated, type EmbeddedStore } from "@sennit/core";
import { codeOf, eventually, filesHolding, withTemporaryDirectory } from "@sennit/core/testing";
import { expect, test } from "vitest";

import type { ProjectionProgress } from "./progress.ts";
import type { ProjectionDefinition } from "./projection.ts";
import { recordsProjection } from "./read-models/records.ts";
import { creations, expectFolded, progressOf, tally } from "./testing/tally.ts";
import { openViews, type OpenViewsOptions, type Views } from "./views.ts";

async function withViews(
  options: OpenViewsOptions,
  use: (views: Views, store: EmbeddedStore) => Promise<void>,
): Promise<void> {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(join(directory, "store"));
    const views = await openViews(store, options);
    await use(views, store);
    await views.close();
    await store.close();
  });
}

/** Everything a projection tells from now on. */
function watched(views: Views, name: string): ProjectionProgress[] {
  const seen: ProjectionProgress[] = [];
  views.progress$(name).subscribe((progress) => seen.push(progress));
  return seen;
}

const places: [string, number][] = [
  ["in this thread", Infinity],
  ["in another thread", 1],
];

test.each(places)(
  "rows made anew %s take the place of the old ones",
  async (where, workerEventsMin) => {
    await withViews({ workerEventsMin }, async (views, store) => {
      await store.append(creations(6000));
      await views.caughtUp();
      const before = progressOf(views, "records");
      const seen = watched(views, "records");
      const old = views.rows("records");
      const rebuilt = views.rebuild("records");
      const counts: number[] = [];
      for (let index = 6000; index < 6040; index += 1) {
        await store.append([...creations(1, index), updated("r-7", { tags: { number: index } })]);
        const reader = await views.at();
        counts.push((await reader.list({ tags: { number: String(index) } })).records.length);
      }
      await rebuilt;
      expect(counts).toEqual(counts.map(() => 2));
      expect(views.rows("records")).not.toBe(old);
      const inWorker = seen.flatMap(({ rebuild }) => (rebuild === null ? [] : [rebuild.inWorker]));
      expect(inWorker.includes(true)).toBe(where === "in another thread");
      expect(inWorker.length).toBeGreaterThan(0);
      expect(
        seen.every(({ position }, index) => position >= (seen[index - 1]?.position ?? 0)),
      ).toBe(true);
      await views.caughtUp();
      expect(progressOf(views, "records")).toMatchObject({ state: "live", lag: 0, rebuild: null });
      await expectFolded(store, views, recordsProjection);
      // Whoever holds the old rows may finish with them.
      expect(old.get("record", ["r-1"])).toBeDefined();
      expect(before.stateHash).not.toBe(progressOf(views, "records").stateHash);
    });
  },
);

test("a rebuild without any new event ends in the same state hash", async () => {
  await withViews({ workerEventsMin: 1, projections: [tally] }, async (views, store) => {
    await store.append(creations(3000));
    await views.caughtUp();
    const before = ["records", "tally"].map((name) => progressOf(views, name).stateHash);
    await Promise.all([views.rebuild("records"), views.rebuild("records"), views.rebuild("tally")]);
    expect(["records", "tally"].map((name) => progressOf(views, name).stateHash)).toEqual(before);
  });
});

test("views that were deleted are made again in another thread, and readers wait for it", async () => {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(directory);
    await store.append(creations(5000));
    const views = await openViews(store, { workerEventsMin: 5000 });
    expect(progressOf(views, "records")).toMatchObject({ state: "rebuilding" });
    expect(await codeOf(() => views.rows("records"))).toBe("view-rebuilt");
    expect((await (await views.at()).list({ tags: { number: "7" } })).records).toHaveLength(1);
    await expectFolded(store, views, recordsProjection);
    await views.close();
    await store.close();
  });
});

const slowModule = {
  module: new URL("testing/slow-tally.mjs", import.meta.url).href,
  export: "slowTally",
};

test("a thread goes on where an earlier one was stopped", async () => {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(directory);
    await store.append(creations(9000));
    const definition: ProjectionDefinition = { ...tally, name: "slow-tally", source: slowModule };
    const options = { workerEventsMin: 1, projections: [definition] };
    let position = 0;
    for (let rounds = 0; position < store.head; rounds += 1) {
      expect(rounds).toBeLessThan(10);
      const views = await openViews(store, options);
      const before = position;
      await new Promise<void>((resolve) => {
        views.progress$("slow-tally").subscribe(({ rebuild, position: served, state }) => {
          position = Math.max(position, rebuild?.position ?? served);
          if (position > before || state === "live") resolve();
        });
      });
      expect(position).toBeGreaterThan(before);
      await views.close();
    }
    const views = await openViews(store, options);
    await views.caughtUp();
    await expectFolded(store, views, definition);
    await views.close();
    await store.close();
  });
});

test("what another thread cannot do is done in this one, and says why it fails", async () => {
  const nowhere = { module: "file:///nowhere/at-all.mjs", export: "tally" };
  const definition: ProjectionDefinition = { ...tally, source: nowhere };
  await withViews({ workerEventsMin: 1, projections: [definition] }, async (views, store) => {
    await store.append(creations(100));
    await views.rebuild("tally");
    await expectFolded(store, views, definition);
  });
});

test("old rows answer while those of a new version are made, if its code can read them", async () => {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(directory);
    await store.append(creations(300));
    const before = await openViews(store, { projections: [tally] });
    await before.caughtUp();
    await before.close();
    let stops = true;
    const second: ProjectionDefinition = {
      ...tally,
      version: 2,
      readsVersions: [1],
      apply(event, rows) {
        if (stops && event.position === 200) throw new Error("not yet");
        rows.put("count", [], event.position * 2);
      },
    };
    const views = await openViews(store, { projections: [second] });
    expect((await views.rowsAt("tally", 300)).get("count", [])).toBe(300);
    await store.append(creations(1, 300));
    expect(await codeOf(() => views.rowsAt("tally"))).toBe("projection-failed");
    expect(progressOf(views, "tally")).toMatchObject({
      version: 1,
      position: 300,
      state: "failed",
    });
    stops = false;
    views.resume("tally");
    expect((await views.rowsAt("tally")).get("count", [])).toBe(602);
    await eventually(() =>
      expect(progressOf(views, "tally")).toMatchObject({ version: 2, rebuild: null }),
    );
    await views.close();
    await store.close();
  });
});

test("rows of a version that cannot be read any more do not answer", async () => {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(directory);
    await store.append(creations(30));
    const before = await openViews(store, { projections: [tally] });
    await before.caughtUp();
    await before.close();
    const second: ProjectionDefinition = {
      ...tally,
      version: 2,
      apply: () => {
        throw new Error("never");
      },
    };
    const views = await openViews(store, { projections: [second] });
    expect(await codeOf(() => views.rowsAt("tally", 30))).toBe("projection-failed");
    expect(views.rows("tally").get("count", [])).toBeUndefined();
    await views.close();
    await store.close();
  });
});

test("a rebuild that fails leaves the old rows where they are", async () => {
  const store = await openMemoryStore();
  let isBroken = false;
  const moody: ProjectionDefinition = {
    ...tally,
    apply(event, rows) {
      if (isBroken && event.position < 5) throw new Error("not today");
      tally.apply(event, rows);
    },
  };
  const views = await openViews(store, { projections: [moody] });
  await store.append(creations(10));
  await views.caughtUp();
  isBroken = true;
  expect(await codeOf(() => views.rebuild("tally"))).toBe("projection-failed");
  await store.append(creations(1, 10));
  await views.caughtUp();
  await eventually(() =>
    expect(progressOf(views, "tally")).toMatchObject({
      state: "live",
      position: 11,
      rebuild: null,
    }),
  );
  isBroken = false;
  await views.rebuild("tally");
  await expectFolded(store, views, tally);
  await views.close();
  expect(await codeOf(() => views.rebuild("tally"))).toBe("store-closed");
  await store.close();
});

test("a projection that is paused applies nothing, says so, and goes on without a gap", async () => {
  await withViews({ projections: [tally] }, async (views, store) => {
    await store.append(creations(10));
    await views.caughtUp();
    views.pause("tally");
    await store.append(creations(10, 10));
    expect((await (await views.at()).list()).records).toHaveLength(20);
    expect((await views.rowsAt("tally", 10)).get("count", [])).toBe(10);
    expect(await codeOf(() => views.rowsAt("tally"))).toBe("projection-paused");
    expect(await codeOf(() => views.rebuild("tally"))).toBe("projection-paused");
    views.pause("tally");
    expect(progressOf(views, "tally")).toMatchObject({
      state: "paused",
      position: 10,
      etaSeconds: null,
    });
    views.resume("tally");
    await views.caughtUp();
    expect(progressOf(views, "tally")).toMatchObject({ state: "live", lag: 0, etaSeconds: 0 });
    await expectFolded(store, views, tally);
    expect(await codeOf(() => views.pause("nothing"))).toBe("argument-invalid");
  });
});

test("a projection that is paused keeps no row of what is erased", async () => {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(directory);
    const views = await openViews(store);
    await store.append([...creations(1), updated("r-0", { name: "Marie Curie" })]);
    await views.caughtUp();
    await store.append([updated("r-0", { name: "nobody" })]);
    await views.caughtUp();
    views.pause("records");
    await store.erase(["r-0@2"], { cause: "asked for" });
    await eventually(async () => expect(await filesHolding(directory, "Marie Curie")).toEqual([]));
    views.resume("records");
    await views.caughtUp();
    await expectFolded(store, views, recordsProjection);
    await views.close();
    await store.close();
  });
});

test("views deleted under open views end nothing, and are whole after the next opening", async () => {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(directory);
    const options = { projections: [tally] };
    const views = await openViews(store, options);
    await store.append(creations(2000));
    await views.caughtUp();
    await rm(join(directory, "views"), { recursive: true });
    await store.append(creations(500, 2000));
    await views.caughtUp();
    await views.rebuild("tally");
    await views.rebuild("records");
    await expectFolded(store, views, tally);
    await views.close();
    const again = await openViews(store, options);
    await again.caughtUp();
    await expectFolded(store, again, tally);
    await expectFolded(store, again, recordsProjection);
    await again.close();
    await store.close();
  });
});

test("progress is an observable that nobody outside can change", async () => {
  const store = await openMemoryStore();
  const views = await openViews(store);
  expect(views.progress$("records")).not.toHaveProperty("next");
  await views.close();
  await store.close();
});
