/** What a log has erased is gone from the views too, from their rows and from their files. */
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";

import { created, openStore, replaced, updated, type EmbeddedStore } from "@sennit/core";
import { withTemporaryDirectory } from "@sennit/core/testing";
import { expect, test } from "vitest";

import { openViews, type Views } from "./views.ts";

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

async function filesWith(directory: string, text: string): Promise<string[]> {
  const found: string[] = [];
  for (const file of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const path = join(file.parentPath, file.name);
    if ((await readFile(path)).includes(text)) found.push(path);
  }
  return found;
}

async function expectErased(directory: string, views: Views): Promise<void> {
  await views.caughtUp();
  expect(await filesWith(directory, secret)).toEqual([]);
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

function stateHash(views: Views): Promise<string> {
  return new Promise((resolve) => {
    views.progress$("records").subscribe(({ stateHash: hash }) => resolve(hash));
  });
}
