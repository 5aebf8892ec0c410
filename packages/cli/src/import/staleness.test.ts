/** That an import leaves nothing stale: the streams of a run follow it as it stops. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openMemoryStore, updated, type EmbeddedStore, type RecordView } from "@sennit/core";
import { afterEach, beforeEach, expect, test } from "vitest";

import {
  descriptor,
  event,
  simpleRun,
  start,
  stop,
  type Pair,
} from "../../../../test/fixtures/bluesky/documents.ts";
import { importBluesky, type BlueskyImportOptions, type BlueskySummary } from "./bluesky.ts";

let directory: string;
let store: EmbeddedStore;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "sennit-bluesky-"));
  store = await openMemoryStore();
});

afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true, force: true });
});

async function imported(
  pairs: readonly Pair[],
  options?: BlueskyImportOptions,
): Promise<BlueskySummary> {
  const path = join(directory, "documents.json");
  await writeFile(path, JSON.stringify(pairs));
  return importBluesky(store, path, options);
}

async function records(): Promise<readonly RecordView[]> {
  const ids = new Set<string>();
  for await (const { recordId } of store.events()) ids.add(recordId);
  return Promise.all([...ids].map((id) => store.record(id)));
}

async function expectNothingStale(): Promise<void> {
  for (const { id, stale, status } of await records()) {
    expect({ id, stale, status }).toEqual({ id, stale: false, status: "valid" });
  }
}

async function runVersionOf(stream: string): Promise<number | undefined> {
  const { derivedFrom } = await store.record(stream);
  return derivedFrom.find(({ role }) => role === "run")?.version;
}

const resource = (run: string, uid: string): Pair => ["resource", { uid, run_start: run }];
const open = [start("run-1"), descriptor("run-1"), event("run-1", 1)];
const openWithAssets = [...open, resource("run-1", "r1")];

test.each<[string, readonly Pair[], number]>([
  ["one stream", simpleRun("run-1"), 2],
  ["a failed run", [...open, stop("run-1", { exit_status: "fail" })], 2],
  ["a stop that only a whole document can say", [...open, stop("run-1", { reason: null })], 2],
  ["no streams", [start("run-1"), stop("run-1")], 1],
  [
    "several streams",
    [...open, descriptor("run-1", "baseline"), event("run-1", 1, "baseline"), stop("run-1")],
    3,
  ],
  ["a stream without events", [start("run-1"), descriptor("run-1"), stop("run-1")], 2],
  [
    "a second descriptor",
    [...open, descriptor("run-1", "primary", { uid: "second" }), stop("run-1")],
    2,
  ],
  [
    "interleaved runs",
    [...open, start("run-2"), stop("run-1"), descriptor("run-2"), event("run-2", 1), stop("run-2")],
    4,
  ],
  ["an open run", open, 2],
  ["an open run with files outside", openWithAssets, 2],
  [
    "an open run with files outside and no events",
    [start("run-1"), descriptor("run-1"), resource("run-1", "r1")],
    2,
  ],
  ["a stopped run with files outside", [...openWithAssets, stop("run-1")], 2],
  [
    "files outside that are told after the stop",
    [...open, stop("run-1"), resource("run-1", "r")],
    2,
  ],
])("no record is stale after an import: %s", async (_name, pairs, count) => {
  const { stored, head } = await imported(pairs);
  expect(await records()).toHaveLength(count);
  await expectNothingStale();
  expect(await imported(pairs)).toMatchObject({ stored: 0, duplicates: stored, head });
});

test("an open run keeps its streams on its first version until a longer file stops it", async () => {
  const stopped = [...open, stop("run-1")];
  await imported(open);
  expect(await runVersionOf("run-1/primary")).toBe(1);
  const before = (await store.record("run-1/primary")).attributes;
  expect(await imported(stopped)).toMatchObject({ stored: 2, duplicates: 2 });
  expect(await runVersionOf("run-1/primary")).toBe(2);
  expect((await store.record("run-1/primary")).attributes).toEqual(before);
  await expectNothingStale();
  expect(await imported(open)).toMatchObject({ stored: 0, duplicates: 3 });
  expect(await imported(stopped)).toMatchObject({ stored: 0, duplicates: 4 });
});

test("a file of the run while it was open adds nothing once it is known as stopped", async () => {
  await imported([...open, stop("run-1")]);
  expect(await imported(open)).toMatchObject({ stored: 0, duplicates: 3 });
  await expectNothingStale();
});

test("a shorter file that stops the run keeps the counts of the longer one", async () => {
  await imported([...open, event("run-1", 2)]);
  expect(await imported([...open, stop("run-1")])).toMatchObject({ stored: 2 });
  expect(await store.record("run-1/primary")).toMatchObject({
    attributes: { events: { count: 2 } },
  });
  await expectNothingStale();
});

test("a run that grows by files outside alone takes its streams with it", async () => {
  await imported(openWithAssets);
  const longer = [...openWithAssets, resource("run-1", "r2")];
  expect(await imported(longer)).toMatchObject({ stored: 2 });
  await expectNothingStale();
  expect(await imported([...longer, stop("run-1")])).toMatchObject({ stored: 2 });
  await expectNothingStale();
  for (const pairs of [openWithAssets, longer, open]) {
    expect(await imported(pairs)).toMatchObject({ stored: 0 });
  }
});

test("an import that was stopped between a run and its stream is mended by the next", async () => {
  // Four events to a run: the lone start makes a batch of 500 end with the stop of run 124.
  const runs = Array.from({ length: 130 }, (_, index) => simpleRun(`run-${index}`));
  const pairs = [start("lone"), ...runs.flat()];
  const abort = new AbortController();
  const options = { signal: abort.signal, onProgress: () => abort.abort() };
  await expect(imported(pairs, options)).rejects.toMatchObject({ code: "aborted" });
  expect(await store.record("run-124/primary")).toMatchObject({ version: 1, stale: true });
  await imported(pairs);
  expect(await store.record("run-124/primary")).toMatchObject({ version: 2 });
  await expectNothingStale();
});

test("sources that others gave a stream stay when it follows its run", async () => {
  await imported(open);
  await imported([start("run-2")]);
  const own = { recordId: "run-1", version: 1, role: "run" };
  const other = { recordId: "run-2", version: 1, role: "dark-field" };
  await store.append([updated("run-1/primary", { derivedFrom: [other, own] })]);
  await imported([...open, stop("run-1")]);
  const { derivedFrom } = await store.record("run-1/primary");
  expect(derivedFrom).toMatchObject([{ ...own, version: 2 }, other]);
});

test("what others changed in a stopped run makes its streams stale, and an import does not hide it", async () => {
  await imported(simpleRun("run-1"));
  await store.append([updated("run-1", { attributes: { quality: 1 } })]);
  expect(await imported(simpleRun("run-1"))).toMatchObject({ stored: 0 });
  expect(await store.record("run-1/primary")).toMatchObject({ stale: true });
});
