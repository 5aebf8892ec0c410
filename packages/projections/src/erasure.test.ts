/** What a log has erased is gone from the views too, from their rows and from their files. */
import { rm } from "node:fs/promises";
import { join } from "node:path";

import {
  created,
  openStore,
  replaced,
  StoreError,
  updated,
  type EmbeddedStore,
  type RecordedEvent,
} from "@sennit/core";
import { codeOf, eventually, filesHolding, withTemporaryDirectory } from "@sennit/core/testing";
import { expect, test } from "vitest";

import { openBuildDirectory } from "./builds.ts";
import { defineProjection, type ProjectionDefinition } from "./projection.ts";
import { recordsProjection } from "./read-models/records.ts";
import { openViews, openViewsIn, type Views } from "./views.ts";

const secret = "Marie Curie";

async function fill(store: EmbeddedStore): Promise<void> {
  await store.append([
    created("scan", { kind: "dataset", name: secret, tags: { patient: secret, lab: "a" } }),
    created("other", { kind: "dataset", name: "other", tags: { lab: "a" } }),
  ]);
  await store.append([updated("scan", { tags: { checked: true } })]);
  await store.append([replaced("scan", { kind: "dataset", name: "anonymous" })]);
}

async function namesAt(views: Views, position: number, tags?: Record<string, string>) {
  const reader = await views.at({ position });
  const { records } = await reader.list({ kind: "dataset", tags });
  return records.map(({ id, name }) => [id, name]);
}

async function expectErased(directory: string, views: Views): Promise<void> {
  await views.caughtUp();
  expect(await filesHolding(directory, secret)).toEqual([]);
  expect(await namesAt(views, 2)).toEqual([
    ["scan", ""],
    ["other", "other"],
  ]);
  expect(await namesAt(views, 2, { patient: secret })).toEqual([]);
  expect(await namesAt(views, 4)).toEqual([
    ["scan", "anonymous"],
    ["other", "other"],
  ]);
}

test("open views are made again without what was erased, and readers taken before go on", async () => {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(directory);
    const views = await openViews(store);
    await fill(store);
    const reader = await views.at({ position: 2 });
    expect((await reader.list({ tags: { patient: secret } })).records).toHaveLength(1);
    const rows = views.rows("records");
    await store.erase(["scan@1"], { cause: "consent withdrawn" });
    await expectErased(directory, views);
    expect((await reader.list({ tags: { patient: secret } })).records).toEqual([]);
    expect((await reader.list({ tags: { lab: "a" } })).records.map(({ id }) => id)).toEqual([
      "other",
    ]);
    expect(() => rows.get("record", ["scan"])).toThrow(
      expect.objectContaining({ code: "view-rebuilt" }),
    );
    await views.close();
    await store.close();
  });
});

test("views that were closed during the erasure are made again when they are opened", async () => {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(directory);
    const before = await openViews(store);
    await fill(store);
    await before.caughtUp();
    await before.close();
    await store.erase(["scan@1"], { cause: "consent withdrawn" });
    const views = await openViews(store);
    await expectErased(directory, views);
    await views.close();
    await store.close();
  });
});

test("made again after an erasure, a view is what it is when it is made from the beginning", async () => {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(directory);
    const views = await openViews(store);
    await fill(store);
    await views.caughtUp();
    await store.erase(["scan@1"], { cause: "consent withdrawn" });
    await store.append([created("late", { kind: "dataset", name: "late" })]);
    await views.caughtUp();
    const hash = await stateHash(views);
    await views.close();
    await rm(join(directory, "views"), { recursive: true });
    const rebuilt = await openViews(store);
    await rebuilt.caughtUp();
    expect(await stateHash(rebuilt)).toBe(hash);
    await rebuilt.close();
    await store.close();
  });
});

/** Opens views of whose directory nothing can be removed as long as that is said to be broken. */
async function openBreakable(store: EmbeddedStore, isBroken: () => boolean): Promise<Views> {
  const place = await openBuildDirectory(join(store.directory ?? "", "views"));
  const sweep = place.sweep.bind(place);
  const broken = new StoreError("write-failed", "broken");
  place.sweep = (kept) => (isBroken() ? Promise.reject(broken) : sweep(kept));
  return openViewsIn(store, place, [recordsProjection], Infinity);
}

test("views that could not be purged say so, and are purged by the next call that waits for it", async () => {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(directory);
    let isBroken = false;
    const views = await openBreakable(store, () => isBroken);
    await fill(store);
    await views.caughtUp();
    isBroken = true;
    await store.erase(["scan@1"], { cause: "consent withdrawn" });
    expect(await codeOf(() => views.caughtUp())).toBe("write-failed");
    expect(await codeOf(() => views.caughtUp())).toBe("write-failed");
    expect(await filesHolding(directory, secret)).not.toEqual([]);
    isBroken = false;
    await expectErased(directory, views);
    await views.close();
    await store.close();
  });
});

test("views that could not be purged before they were closed are purged when they are opened", async () => {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(directory);
    let isBroken = false;
    const before = await openBreakable(store, () => isBroken);
    await fill(store);
    await before.caughtUp();
    isBroken = true;
    await store.erase(["scan@1"], { cause: "consent withdrawn" });
    expect(await codeOf(() => before.caughtUp())).toBe("write-failed");
    await before.close();
    const views = await openViews(store);
    await expectErased(directory, views);
    await views.close();
    await store.close();
  });
});

/** Keeps the name of every record, and stops at an event. */
function namesUntil(stops: (event: RecordedEvent) => boolean): ProjectionDefinition {
  return defineProjection({
    name: "names",
    version: 1,
    tables: ["name"],
    apply(event, rows) {
      if (stops(event)) throw new Error("no further");
      if (event.type === "record.created") rows.put("name", [event.recordId], event.data.name);
    },
  });
}

const stops: [where: string, (event: RecordedEvent) => boolean][] = [
  ["behind what is erased", ({ position }) => position === 3],
  [
    "at what is erased, once it is",
    ({ position, erasedBy }) => position === 3 || erasedBy !== undefined,
  ],
];

test.each(stops)("a projection that stopped %s keeps no row of it", async (_where, stop) => {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(directory);
    const views = await openViews(store, { projections: [namesUntil(stop)] });
    await fill(store);
    expect(await codeOf(() => views.caughtUp())).toBe("projection-failed");
    expect(views.rows("names").get("name", ["scan"])).toBe(secret);
    await store.erase(["scan@1"], { cause: "consent withdrawn" });
    expect(await codeOf(() => views.caughtUp())).toBe("projection-failed");
    await eventually(async () => expect(await filesHolding(directory, secret)).toEqual([]));
    expect(views.rows("names").get("name", ["scan"])).not.toBe(secret);
    await views.close();
    await store.close();
  });
});

test("a projection that stopped before the views were closed keeps no row of what is erased meanwhile", async () => {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(directory);
    const projections = [namesUntil(({ position }) => position === 3)];
    const before = await openViews(store, { projections });
    await fill(store);
    expect(await codeOf(() => before.caughtUp())).toBe("projection-failed");
    await before.close();
    await store.erase(["scan@1"], { cause: "consent withdrawn" });
    const views = await openViews(store, { projections });
    expect(await codeOf(() => views.caughtUp())).toBe("projection-failed");
    await eventually(async () => expect(await filesHolding(directory, secret)).toEqual([]));
    await views.close();
    await store.close();
  });
});

test("rows of a projection that is not open go with what is erased, and stay otherwise", async () => {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(directory);
    const projections = [namesUntil(() => false)];
    const before = await openViews(store, { projections });
    await fill(store);
    await before.caughtUp();
    await before.close();
    const without = await openViews(store);
    await without.caughtUp();
    await without.close();
    expect(await filesHolding(join(directory, "views"), "names")).not.toEqual([]);
    await store.erase(["scan@1"], { cause: "consent withdrawn" });
    const views = await openViews(store);
    await expectErased(directory, views);
    await views.close();
    const again = await openViews(store, { projections });
    await again.caughtUp();
    expect(again.rows("names").get("name", ["scan"])).toBe("");
    await again.close();
    await store.close();
  });
});

function stateHash(views: Views): Promise<string> {
  return new Promise((resolve) => {
    views.progress$("records").subscribe(({ stateHash: hash }) => resolve(hash));
  });
}
