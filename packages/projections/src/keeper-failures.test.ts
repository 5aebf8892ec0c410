/** Builds that cannot be taken over, or not yet: whoever waits is told, and what is asked for again is done. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { created, openMemoryStore, openStore, StoreError, type EmbeddedStore } from "@sennit/core";
import { codeOf, eventually, withTemporaryDirectory } from "@sennit/core/testing";
import { expect, test } from "vitest";

import { openBuildDirectory, openMemoryBuilds, type BuildPlace } from "./builds.ts";
import type { ProjectionDefinition } from "./projection.ts";
import { recordsProjection } from "./read-models/records.ts";
import { creations, expectFolded, progressOf, tally } from "./testing/tally.ts";
import { openViewsIn, type Views } from "./views.ts";

const broken = new StoreError("write-failed", "broken");

/** A store of ten records without views, and where these will stand. */
async function withPlace(use: (store: EmbeddedStore, place: BuildPlace) => Promise<void>) {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(directory);
    await store.append(creations(10));
    await use(store, await openBuildDirectory(join(directory, "views")));
    await store.close();
  });
}

function openInWorker(store: EmbeddedStore, place: BuildPlace): Promise<Views> {
  return openViewsIn(store, place, [recordsProjection], 1);
}

test("who waits for rows made in another thread is told when they cannot be opened", async () => {
  await withPlace(async (store, place) => {
    let isBroken = true;
    const open = place.open.bind(place);
    place.open = (directory, options) =>
      isBroken ? Promise.reject(broken) : open(directory, options);
    const views = await openInWorker(store, place);
    expect(await codeOf(() => views.at())).toBe("write-failed");
    expect(progressOf(views, "records").state).toBe("failed");
    expect(await codeOf(() => views.rebuild("records"))).toBe("write-failed");
    isBroken = false;
    await views.caughtUp();
    await expectFolded(store, views, recordsProjection);
    await views.close();
  });
});

test("a build that an erasure makes void in another thread is removed", async () => {
  await withPlace(async (store, place) => {
    await store.append([created("scan", { kind: "dataset", name: "Marie Curie" })]);
    const views = await openInWorker(store, place);
    await store.erase(["scan@1"], { cause: "asked for" });
    await views.caughtUp();
    const names = await readdir(place.path("") ?? "");
    expect(names.toSorted()).toEqual(["builds.json", `records@${recordsProjection.version}-2`]);
    await views.close();
  });
});

test("rows that nothing answers beside take their place although the log is ahead of them", async () => {
  await withPlace(async (store, place) => {
    const made: { views?: Views } = {};
    const open = place.open.bind(place);
    place.open = async (directory, options) => {
      await store.append(creations(1, 10));
      made.views?.pause("records");
      return open(directory, options);
    };
    const views = await openInWorker(store, place);
    made.views = views;
    await eventually(() =>
      expect(progressOf(views, "records")).toMatchObject({ position: 10, lag: 1, rebuild: null }),
    );
    await views.close();
  });
});

test("rows that could not take the place of others do when that is asked for again", async () => {
  const store = await openMemoryStore();
  await store.append(creations(10));
  const place = openMemoryBuilds();
  const views = await openViewsIn(store, place, [recordsProjection], Infinity);
  await views.caughtUp();
  const old = views.rows("records");
  let isBroken = true;
  const set = place.set.bind(place);
  place.set = (name, builds) =>
    isBroken && builds.next === undefined ? Promise.reject(broken) : set(name, builds);
  expect(await codeOf(() => views.rebuild("records"))).toBe("write-failed");
  expect(views.rows("records")).toBe(old);
  isBroken = false;
  await views.rebuild("records");
  expect(views.rows("records")).not.toBe(old);
  await views.close();
  await store.close();
});

/** Flips a byte of every row read from the builds that `isSpoilt` names, counted from 1. */
function spoil(place: BuildPlace, isSpoilt: (build: number) => boolean): () => number {
  let opened = 0;
  const open = place.open.bind(place);
  place.open = async (directory, options) => {
    const storage = await open(directory, options);
    opened += 1;
    if (!isSpoilt(opened)) return storage;
    const get = storage.get.bind(storage);
    storage.get = (key) => {
      const value = get(key);
      if (value === undefined || key[0] !== "r".charCodeAt(0)) return value;
      const flipped = Uint8Array.from(value);
      flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1;
      return flipped;
    };
    return storage;
  };
  return () => opened;
}

/** As `tally`, but it looks at a row that was written long ago. */
const backwards: ProjectionDefinition = {
  ...tally,
  apply(event, rows) {
    tally.apply(event, rows);
    rows.get("event", [1]);
  },
};

/** Views over enough events for several batches, so that rows that have been written are read again. */
async function withSpoilt(
  isSpoilt: (build: number) => boolean,
  use: (views: Views, store: EmbeddedStore, opened: () => number) => Promise<void>,
): Promise<void> {
  const store = await openMemoryStore();
  await store.append(creations(9000));
  const place = openMemoryBuilds();
  const opened = spoil(place, isSpoilt);
  const views = await openViewsIn(store, place, [backwards], Infinity);
  if (!isSpoilt(1)) await views.caughtUp();
  await use(views, store, opened);
  await views.close();
  await store.close();
}

test("rows made aside that are damaged are begun again by themselves", async () => {
  await withSpoilt(
    (build) => build === 2,
    async (views, store, opened) => {
      const old = views.rows("tally");
      await views.rebuild("tally");
      expect(opened()).toBe(3);
      expect(views.rows("tally")).not.toBe(old);
      expect(progressOf(views, "tally")).toMatchObject({ state: "live", rebuild: null });
      await expectFolded(store, views, tally);
    },
  );
});

test("rows that are damaged whenever they are made aside are given up, and made when that is asked for again", async () => {
  let isBroken = true;
  await withSpoilt(
    (build) => isBroken && build > 1,
    async (views, store, opened) => {
      const old = views.rows("tally");
      for (const before of [1, 4]) {
        expect(opened()).toBe(before);
        expect(await codeOf(() => views.rebuild("tally"))).toBe("checksum-mismatch");
      }
      await store.append(creations(1, 9000));
      await views.caughtUp();
      expect([opened(), views.rows("tally") === old]).toEqual([7, true]);
      expect(progressOf(views, "tally")).toMatchObject({ state: "live", rebuild: null });
      isBroken = false;
      await views.rebuild("tally");
      await expectFolded(store, views, tally);
    },
  );
});

test("rows that are damaged whenever they are made, with none to answer, are given up and told, and made once somebody asks again", async () => {
  let isBroken = true;
  await withSpoilt(
    () => isBroken,
    async (views, store, opened) => {
      expect(await codeOf(() => views.caughtUp())).toBe("checksum-mismatch");
      expect(opened()).toBe(3);
      expect(progressOf(views, "tally").failure?.code).toBe("checksum-mismatch");
      isBroken = false;
      await views.caughtUp();
      expect(progressOf(views, "tally")).toMatchObject({ state: "live", failure: null });
      await expectFolded(store, views, tally);
    },
  );
});

test("rows that are right the third time they are made are no reason to give others up", async () => {
  await withSpoilt(
    (build) => build % 3 !== 0,
    async (views, store, opened) => {
      await views.caughtUp();
      expect(opened()).toBe(3);
      await views.rebuild("tally");
      expect(opened()).toBe(6);
      await expectFolded(store, views, tally);
    },
  );
});
