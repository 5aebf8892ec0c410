/** What an import of Bluesky documents makes of runs, streams and events, and what it refuses. */
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import {
  canonicalJson,
  created,
  invalidated,
  isStoreError,
  limits,
  openMemoryStore,
  openStore,
  updated,
  type EmbeddedStore,
  type JsonValue,
  type Store,
  type StoreError,
} from "@sennit/core";
import { afterEach, beforeEach, expect, test } from "vitest";

import {
  descriptor,
  event,
  simpleRun,
  start,
  stop,
  type Pair,
} from "../../../../test/fixtures/bluesky/documents.ts";
import { importBluesky } from "./bluesky.ts";

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

let fileCount = 0;

async function file(content: string | Uint8Array): Promise<string> {
  fileCount += 1;
  const path = join(directory, `documents-${fileCount}`);
  await writeFile(path, content);
  return path;
}

const fileOf = (pairs: readonly unknown[]) => file(JSON.stringify(pairs));

async function attributes(ref: string): Promise<Readonly<Record<string, JsonValue>>> {
  return (await store.record(ref)).attributes as Readonly<Record<string, JsonValue>>;
}

async function refusal(promise: Promise<unknown>): Promise<StoreError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isStoreError(error)) throw new Error("expected a StoreError", { cause: error });
  return error;
}

const rowDigest = (rows: readonly Pair[]) => {
  const hash = createHash("sha256");
  for (const [, { seq_num, time, data, timestamps }] of rows) {
    hash.update(canonicalJson({ seq_num, time, data, timestamps }));
  }
  return hash.digest("hex");
};

test("a run becomes a record whose attributes are the start document", async () => {
  const body = start("run-1", { sample: "Al", remarks: null, motors: ["m1"], beamline_id: "2-BM" });
  await importBluesky(store, await fileOf([body]), { actor: "beamline-2" });
  const run = await store.record("run-1");
  expect(run).toMatchObject({
    kind: "run",
    name: "scan-7",
    version: 1,
    occurredAt: "2023-11-14T22:13:20.250000Z",
    actor: "beamline-2",
    tags: { plan_name: "scan", scan_id: 7, sample: "Al", beamline_id: "2-BM" },
  });
  expect(run.attributes).toEqual(body[1]);
});

test("a run that names no plan is called by its id", async () => {
  await importBluesky(store, await fileOf([["start", { uid: "run-1", time: 1_700_000_000 }]]));
  expect(await store.record("run-1")).toMatchObject({ name: "run-1", tags: {} });
});

test("what no tag can hold stays in the attributes alone", async () => {
  const sample = "a".repeat(limits.tagValueBytesMax + 1);
  const odd = { plan_name: "a\u0000b", scan_id: null, sample, sample_name: { nested: true } };
  await importBluesky(store, await fileOf([start("run-1", odd)]));
  expect((await store.record("run-1")).tags).toEqual({});
  expect(await attributes("run-1")).toMatchObject(odd);
});

test("a stop document updates the run and changes nothing of the start", async () => {
  const pairs = simpleRun("run-1");
  const summary = await importBluesky(store, await fileOf(pairs));
  expect(summary).toEqual({
    format: "bluesky",
    documents: 5,
    runs: 1,
    open: 0,
    failed: 0,
    streams: 1,
    events: 2,
    stored: 4,
    duplicates: 0,
    head: 4,
  });
  const run = await store.record("run-1");
  expect(run).toMatchObject({ version: 2, occurredAt: "2023-11-14T22:13:29.000000Z" });
  expect(run.attributes).toEqual({ ...pairs[0]?.[1], stop: pairs[4]?.[1] });
  expect(run.tags).toEqual({ plan_name: "scan", scan_id: 7, exit_status: "success" });
});

test("a stream is derived from its stopped run and counts its events", async () => {
  const pairs = simpleRun("run-1");
  await importBluesky(store, await fileOf(pairs));
  const stream = await store.record("run-1/primary");
  expect(stream).toMatchObject({ kind: "stream", name: "primary", version: 2 });
  const source = { recordId: "run-1", role: "run", relation: "wasDerivedFrom" };
  expect(stream.derivedFrom).toEqual([{ ...source, version: 2 }]);
  expect((await store.record("run-1/primary@1")).derivedFrom).toEqual([{ ...source, version: 1 }]);
  expect(stream.attributes).toEqual({
    ...pairs[1]?.[1],
    events: {
      count: 2,
      seq_num: { first: 1, last: 2 },
      time: { first: "2023-11-14T22:13:22.000000Z", last: "2023-11-14T22:13:23.000000Z" },
      sha256: rowDigest(pairs.slice(2, 4)),
    },
  });
});

test("events that step back in time and number are spanned by the lowest and the highest", async () => {
  const rows = [
    event("run-1", 2, "primary", { time: 1_700_000_005 }),
    event("run-1", 3, "primary", { time: 1_699_996_400 }),
    event("run-1", 1, "primary", { time: 1_700_000_004 }),
  ];
  await importBluesky(store, await fileOf([start("run-1"), descriptor("run-1"), ...rows]));
  expect((await attributes("run-1/primary"))["events"]).toEqual({
    count: 3,
    seq_num: { first: 1, last: 3 },
    time: { first: "2023-11-14T21:13:20.000000Z", last: "2023-11-14T22:13:25.000000Z" },
    sha256: rowDigest(rows),
  });
});

test("interleaved runs keep their own streams", async () => {
  const pairs = [
    start("run-1"),
    start("run-2", { scan_id: 8 }),
    descriptor("run-2"),
    descriptor("run-1"),
    event("run-1", 1),
    event("run-2", 1),
    event("run-2", 2),
    stop("run-1"),
    event("run-2", 3),
    stop("run-2"),
  ];
  const summary = await importBluesky(store, await fileOf(pairs));
  expect(summary).toMatchObject({ runs: 2, open: 0, streams: 2, events: 4, stored: 8 });
  expect((await attributes("run-1/primary"))["events"]).toMatchObject({ count: 1 });
  expect((await attributes("run-2/primary"))["events"]).toMatchObject({ count: 3 });
});

test("records enter the log in the order of the documents, and counts after the stop", async () => {
  await importBluesky(store, await fileOf([...simpleRun("run-1"), ...simpleRun("run-2")]));
  const order: string[] = [];
  for await (const { recordId, version } of store.events()) order.push(`${recordId}@${version}`);
  expect(order).toEqual([
    "run-1@1",
    "run-1/primary@1",
    "run-1@2",
    "run-1/primary@2",
    "run-2@1",
    "run-2/primary@1",
    "run-2@2",
    "run-2/primary@2",
  ]);
  const middle = await store.at({ position: 4 });
  expect(await middle.findRecord("run-1")).toMatchObject({ version: 2 });
  expect(await middle.findRecord("run-2")).toBeUndefined();
});

test("a run without a stop stays open and its events are counted all the same", async () => {
  const pairs = [start("run-1"), descriptor("run-1"), event("run-1", 1), start("run-2")];
  const summary = await importBluesky(store, await fileOf(pairs));
  expect(summary).toMatchObject({ runs: 2, open: 2, failed: 0, events: 1, stored: 4 });
  expect(await store.record("run-1")).toMatchObject({ version: 1, status: "valid" });
  expect((await attributes("run-1/primary"))["events"]).toMatchObject({ count: 1 });
});

test.each(["fail", "abort"])(
  "a run that ended with %s is a fact, not an invalidation",
  async (status) => {
    const pairs = [start("run-1"), descriptor("run-1"), stop("run-1", { exit_status: status })];
    expect(await importBluesky(store, await fileOf(pairs))).toMatchObject({ open: 0, failed: 1 });
    expect(await store.record("run-1")).toMatchObject({
      status: "valid",
      tags: { exit_status: status },
      attributes: { stop: { exit_status: status } },
    });
    const sha256 = createHash("sha256").digest("hex");
    expect((await attributes("run-1/primary"))["events"]).toEqual({ count: 0, sha256 });
  },
);

test("several streams of a run are records of their own", async () => {
  const pairs = [
    start("run-1"),
    descriptor("run-1", "baseline"),
    event("run-1", 1, "baseline"),
    descriptor("run-1"),
    event("run-1", 1),
    event("run-1", 2, "baseline"),
    stop("run-1"),
  ];
  expect(await importBluesky(store, await fileOf(pairs))).toMatchObject({ streams: 2, events: 3 });
  expect((await attributes("run-1/baseline"))["events"]).toMatchObject({ count: 2 });
  expect((await attributes("run-1/primary"))["events"]).toMatchObject({ count: 1 });
});

test("a descriptor without a name belongs to the primary stream", async () => {
  const pair = descriptor("run-1", "primary", { name: undefined });
  await importBluesky(store, await fileOf([start("run-1"), pair]));
  expect(await store.record("run-1/primary")).toMatchObject({ name: "primary" });
});

test("a second descriptor of a stream takes the place of the first", async () => {
  const first = descriptor("run-1", "primary", {
    hints: { fields: ["x"] },
    configuration: { x: 1 },
  });
  const second = descriptor("run-1", "primary", { uid: "second", configuration: { y: null } });
  const late = event("run-1", 2, "primary", { descriptor: "second" });
  const pairs = [start("run-1"), first, event("run-1", 1), second, late, stop("run-1")];
  const path = await fileOf(pairs);
  expect(await importBluesky(store, path)).toMatchObject({ streams: 1, events: 2, stored: 5 });
  const { events, ...rest } = await attributes("run-1/primary");
  expect(rest).toEqual(second[1]);
  expect(events).toMatchObject({ count: 2 });
  expect(await store.record("run-1/primary@1")).toMatchObject({ attributes: first[1] });
  expect(await importBluesky(store, path)).toMatchObject({ stored: 0, duplicates: 5 });
});

test.each([
  ["null values in the stop document", {}, { reason: null, num_events: { primary: null } }],
  ["a start document with a member stop", { stop: { at: 5 } }, { reason: "done" }],
])("the stop document is kept whole: %s", async (_name, startMore, stopMore) => {
  const pairs = [start("run-1", startMore), stop("run-1", stopMore)];
  const path = await fileOf(pairs);
  await importBluesky(store, path);
  expect((await attributes("run-1"))["stop"]).toEqual(pairs[1]?.[1]);
  expect(await store.record("run-1@1")).toMatchObject({ attributes: pairs[0]?.[1] });
  expect(await importBluesky(store, path)).toMatchObject({ stored: 0, duplicates: 2 });
});

test("an event page counts as the events it holds", async () => {
  const rows = [1, 2, 3].map((seq) => event("run-1", seq));
  const column = (member: string) => rows.map(([, body]) => body[member]);
  const page = {
    uid: column("uid"),
    descriptor: "run-1-primary",
    seq_num: column("seq_num"),
    time: column("time"),
    data: { x: [0.5, 1, 1.5] },
    timestamps: { x: column("time") },
    filled: {},
  };
  const pairs = [start("run-1"), descriptor("run-1"), ["event_page", page], stop("run-1")];
  expect(await importBluesky(store, await fileOf(pairs))).toMatchObject({
    documents: 4,
    events: 3,
  });
  const single = [start("run-1"), descriptor("run-1"), ...rows, stop("run-1")];
  expect(await importBluesky(store, await fileOf(single))).toMatchObject({ stored: 0 });
  expect((await attributes("run-1/primary"))["events"]).toMatchObject({ sha256: rowDigest(rows) });
});

test("documents about outside files are counted into their run by kind", async () => {
  const pairs = [
    start("run-1"),
    ["resource", { uid: "r1", spec: "TIFF", run_start: "run-1" }],
    ["resource", { uid: "r2", spec: "TIFF" }],
    ["datum", { datum_id: "r1/0", resource: "r1", datum_kwargs: {} }],
    ["datum_page", { datum_id: ["r2/0", "r2/1"], resource: "r2", datum_kwargs: {} }],
    ["stream_resource", { uid: "s1", run_start: "run-1" }],
    ["stream_datum", { uid: "s1/0", stream_resource: "s1", descriptor: "d" }],
    stop("run-1"),
  ];
  const path = await fileOf(pairs);
  await importBluesky(store, path);
  expect((await attributes("run-1"))["asset_documents"]).toEqual({
    count: 7,
    resource: 2,
    datum: 3,
    stream_resource: 1,
    stream_datum: 1,
  });
  expect(await importBluesky(store, path)).toMatchObject({ stored: 0, duplicates: 3 });
});

test("gzip, JSON Lines and a JSON array of the same documents say the same", async () => {
  const pairs = simpleRun("run-1");
  const array = JSON.stringify(pairs, undefined, 2);
  const lines = `${pairs.map((pair) => JSON.stringify(pair)).join("\n\n")}\r\n`;
  expect(await importBluesky(store, await file(gzipSync(array)))).toMatchObject({ stored: 4 });
  for (const content of [array, `\uFEFF${array}`, lines, gzipSync(lines)]) {
    const summary = await importBluesky(store, await file(content));
    expect(summary).toMatchObject({ documents: 5, stored: 0, duplicates: 4 });
  }
});

test("a single pair is JSON Lines of one line", async () => {
  const path = await file(JSON.stringify(start("run-1")));
  expect(await importBluesky(store, path)).toMatchObject({ documents: 1, runs: 1 });
});

test("a file without documents adds nothing", async () => {
  const counts = { documents: 0, runs: 0, stored: 0, duplicates: 0, head: 0 };
  expect(await importBluesky(store, await file("[]"))).toMatchObject(counts);
});

test("a second import adds nothing, also after reopening, by someone else, and after later changes", async () => {
  const path = await fileOf([
    ...simpleRun("run-1"),
    start("run-2"),
    stop("run-2", { reason: null }),
    start("run-3"),
    descriptor("run-3"),
    event("run-3", 1),
  ]);
  const place = join(directory, "store");
  let disk: Store = await openStore(place);
  const first = await importBluesky(disk, path, { actor: "alice" });
  expect(first).toMatchObject({ runs: 3, open: 1, stored: 9, duplicates: 0, head: 9 });
  await disk.append([
    updated("run-2", { tags: { note: "checked" }, attributes: { quality: 1 } }),
    invalidated("run-1", { cause: "wrong detector" }),
  ]);
  await disk.close();
  disk = await openStore(place);
  const { head } = disk;
  const second = await importBluesky(disk, path, { actor: "bob" });
  expect(second).toMatchObject({ runs: 3, open: 1, stored: 0, duplicates: 9, head });
  await disk.close();
});

test("a longer file of an open run adds what is new and keeps what others changed", async () => {
  const short = [start("run-1"), descriptor("run-1"), event("run-1", 1)];
  const long = [...short, event("run-1", 2), stop("run-1", { reason: null })];
  const shortPath = await fileOf(short);
  expect(await importBluesky(store, shortPath)).toMatchObject({ open: 1, stored: 3 });
  await store.append([
    updated("run-1", { tags: { note: "checked" }, attributes: { quality: 1 } }),
    updated("run-1/primary", { attributes: { quality: 2 } }),
  ]);
  const longPath = await fileOf(long);
  const counts = { open: 0, stored: 2, duplicates: 2 };
  expect(await importBluesky(store, longPath)).toMatchObject(counts);
  expect(await store.record("run-1")).toMatchObject({
    tags: { note: "checked", exit_status: "success" },
    attributes: { quality: 1, stop: long[4]?.[1] },
  });
  const events = { count: 2, seq_num: { first: 1, last: 2 }, sha256: rowDigest(long.slice(2, 4)) };
  expect(await attributes("run-1/primary")).toMatchObject({ quality: 2, events });
  expect(await importBluesky(store, shortPath)).toMatchObject({ stored: 0, duplicates: 3 });
  expect(await importBluesky(store, longPath)).toMatchObject({ stored: 0, duplicates: 4 });
});

test("a shorter file of a run that is known longer takes nothing back", async () => {
  const short = [start("run-1"), descriptor("run-1"), event("run-1", 1)];
  await importBluesky(store, await fileOf([...short, event("run-1", 2)]));
  const summary = await importBluesky(store, await fileOf(short));
  expect(summary).toMatchObject({ stored: 0, duplicates: 3 });
  expect((await attributes("run-1/primary"))["events"]).toMatchObject({ count: 2 });
});

test("a stream is derived from the versions that the import made of a placeholder", async () => {
  await store.append([
    created(
      "paper",
      { kind: "paper", name: "p", derivedFrom: [{ recordId: "run-1" }] },
      {
        unknownSources: "placeholder",
      },
    ),
  ]);
  const path = await fileOf(simpleRun("run-1"));
  await importBluesky(store, path);
  for (const [ref, version] of [
    ["run-1/primary@1", 2],
    ["run-1/primary@2", 3],
  ] as const) {
    expect((await store.record(ref)).derivedFrom).toMatchObject([{ recordId: "run-1", version }]);
  }
  expect(await store.record("run-1@2")).toMatchObject({ kind: "run" });
  expect(await importBluesky(store, path)).toMatchObject({ stored: 0, duplicates: 4 });
});

test("a file that says something else under the same uid is refused", async () => {
  await importBluesky(store, await fileOf(simpleRun("run-1")));
  const { head } = store;
  const other = [start("run-1", { sample: "Cu" }), ...simpleRun("run-1").slice(1)];
  const error = await refusal(importBluesky(store, await fileOf(other)));
  expect(error.code).toBe("event-id-reused");
  expect(error.details).toMatchObject({ document: "/0/1" });
  expect(store.head).toBe(head);
});

test("many documents go in several batches and report progress", async () => {
  const pairs = Array.from({ length: 700 }, (_, index) => start(`run-${index}`));
  const progress: number[] = [];
  const onProgress = (documents: number) => progress.push(documents);
  const summary = await importBluesky(store, await fileOf(pairs), { onProgress });
  expect(summary).toMatchObject({ runs: 700, stored: 700, head: 700 });
  expect(progress.length).toBeGreaterThan(2);
  expect(progress.at(-1)).toBe(700);
  expect(progress).toEqual(progress.toSorted((a, b) => a - b));
});

test("documents of many megabytes fit into batches", async () => {
  const values = Array.from({ length: 80_000 }, (_, index) => index + 0.5);
  const starts = Array.from({ length: 30 }, (_, index) => start(`run-${index}`, { values }));
  const pairs = [...starts, descriptor("run-0", "primary", { values })];
  const summary = await importBluesky(store, await fileOf(pairs));
  expect(summary).toMatchObject({ stored: 31 });
});

test("an import that is stopped goes on where it was", async () => {
  const pairs = Array.from({ length: 700 }, (_, index) => start(`run-${index}`));
  const path = await fileOf(pairs);
  const abort = new AbortController();
  const options = { signal: abort.signal, onProgress: () => abort.abort() };
  expect((await refusal(importBluesky(store, path, options))).code).toBe("aborted");
  const { head } = store;
  expect(head).toBeGreaterThan(0);
  expect(head).toBeLessThan(700);
  expect(await importBluesky(store, path)).toMatchObject({
    stored: 700 - head,
    duplicates: head,
    head: 700,
  });
});
