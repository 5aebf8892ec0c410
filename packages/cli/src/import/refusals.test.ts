/** What an import of Bluesky documents refuses, and that nothing of it is stored. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import {
  isStoreError,
  limits,
  openMemoryStore,
  type EmbeddedStore,
  type StoreError,
} from "@sennit/core";
import { afterEach, beforeEach, expect, test } from "vitest";

import {
  descriptor,
  event,
  simpleRun,
  start,
  stop,
  t0,
} from "../../../../test/fixtures/bluesky/documents.ts";
import { importBluesky } from "./bluesky.ts";
import { readDocuments } from "./documents.ts";

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

async function refusal(promise: Promise<unknown>): Promise<StoreError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isStoreError(error)) throw new Error("expected a StoreError", { cause: error });
  return error;
}

const openRun = [start("run-1"), descriptor("run-1")];
const nested = (levels: number): unknown => (levels === 0 ? 1 : { a: nested(levels - 1) });
const infinite = `[["start",{"uid":"run-1","time":1}],["stop",{"uid":"s","run_start":"run-1","time":2,"exit_status":"success","n":1e999}]]`;
const withProto = `[["start",{"uid":"run-1","time":1,"a/b":{"__proto__":1}}]]`;

test.each<[string, string, unknown]>([
  ["not JSON", "", "{nope"],
  ["empty", "", ""],
  ["a broken line of JSON Lines", "", `${JSON.stringify(start("run-1"))}\n["stop",`],
  ["not UTF-8", "", Uint8Array.of(0x5b, 0x22, 0xff, 0x22, 0x5d)],
  ["truncated gzip", "", gzipSync(JSON.stringify(simpleRun("run-1"))).subarray(0, -12)],
  ["gzip of nothing but a header", "", Uint8Array.of(0x1f, 0x8b)],
  ["not an array", "", `{"start":{}}`],
  ["not a pair", "/1", [start("run-1"), 5]],
  ["a pair with a third item", "/1", [start("run-1"), [...stop("run-1"), 1]]],
  ["an unknown document name", "/1/0", [start("run-1"), ["stp", {}]]],
  ["a document that is no object", "/0/1", [["start", "run-1"]]],
  [
    "a missing uid",
    "/1/1/uid",
    [start("run-1"), descriptor("run-1", "primary", { uid: undefined })],
  ],
  ["an empty uid", "/0/1/uid", [start("")]],
  ["a uid that is no record id", "/0/1/uid", [start("run@3")]],
  [
    "a stream name that makes no record id",
    "/1/1/name",
    [start("run-1"), descriptor("run-1", "p@1")],
  ],
  ["two records of one id", "/2/1/name", [start("a"), start("a/b"), descriptor("a", "b")]],
  ["a repeated start", "/1/1/uid", [start("run-1"), start("run-1")]],
  ["a repeated event", "/3/1/uid", [...openRun, event("run-1", 1), event("run-1", 1)]],
  ["a missing time", "/0/1/time", [start("run-1", { time: undefined })]],
  ["a time that is text", "/0/1/time", [start("run-1", { time: "now" })]],
  ["a time before 1970", "/0/1/time", [start("run-1", { time: -1 })]],
  ["a time past all calendars", "/0/1/time", [start("run-1", { time: 1e300 })]],
  ["a descriptor of an unknown run", "/0/1/run_start", [descriptor("run-1")]],
  ["a stop of an unknown run", "/1/1/run_start", [start("run-1"), stop("run-2")]],
  ["a second stop", "/2/1/run_start", [start("run-1"), stop("run-1"), stop("run-1", { uid: "s" })]],
  [
    "a stop without exit status",
    "/1/1/exit_status",
    [start("run-1"), stop("run-1", { exit_status: null })],
  ],
  ["an event with an unknown descriptor", "/1/1/descriptor", [start("run-1"), event("run-1", 1)]],
  [
    "an event without data",
    "/2/1/data",
    [...openRun, event("run-1", 1, "primary", { data: null })],
  ],
  [
    "a seq_num that is no number",
    "/2/1/seq_num",
    [...openRun, event("run-1", 1, "primary", { seq_num: "1" })],
  ],
  [
    "a page with columns of unlike length",
    "/2/1/data/a~1b",
    [
      ...openRun,
      [
        "event_page",
        {
          uid: ["e1"],
          descriptor: "run-1-primary",
          seq_num: [1],
          time: [t0],
          data: { "a/b": [1, 2] },
          timestamps: {},
        },
      ],
    ],
  ],
  ["a resource of no run", "/0/1/run_start", [["resource", { uid: "r1" }]]],
  [
    "a resource of either of two runs",
    "/2/1/run_start",
    [start("a"), start("b"), ["resource", { uid: "r1" }]],
  ],
  [
    "a datum of an unknown resource",
    "/1/1/resource",
    [start("a"), ["datum", { datum_id: "d", resource: "r" }]],
  ],
  ["a member named __proto__", "/0/1/a~1b/__proto__", withProto],
  ["a number that is not finite", "/1/1/n", infinite],
  ["half of a surrogate pair", "/0/1/sample", [start("run-1", { sample: "\ud800" })]],
  [
    "a stop that is nested too deep",
    `/1/1${"/a".repeat(limits.attributesDepthMax - 1)}`,
    [start("run-1"), stop("run-1", { a: nested(limits.attributesDepthMax) })],
  ],
])("nothing of a malformed file is stored: %s", async (_name, pointer, content) => {
  const sound = JSON.stringify(simpleRun("other"));
  const isBytes = typeof content === "string" || content instanceof Uint8Array;
  const path = isBytes ? await file(content) : await fileOf(content as unknown[]);
  await importBluesky(store, await file(sound));
  const { head } = store;
  const error = await refusal(importBluesky(store, path));
  expect(error.code).toBe("import-invalid");
  expect(error.details).toMatchObject({ pointer, issues: [{ pointer }] });
  expect(error.message).toContain(pointer);
  expect(store.head).toBe(head);
});

test("a document larger than an event may be is refused before anything is stored", async () => {
  // Packed, each number takes nine bytes: more than its text.
  const values = Array.from({ length: 120_000 }, (_, index) => (index % 10) + 0.5);
  const earlier = Array.from({ length: 600 }, (_, index) => start(`run-${index}`));
  const pairs = [...earlier, start("large", { values })];
  const error = await refusal(importBluesky(store, await fileOf(pairs)));
  expect(error.code).toBe("event-too-large");
  expect(error.details).toMatchObject({ document: "/600/1" });
  expect(store.head).toBe(0);
});

test("a file above the limit is refused, packed or plain", async () => {
  const text = JSON.stringify([start("run-1", { comment: "a".repeat(5000) })]);
  for (const content of [text, gzipSync(text)]) {
    const path = await file(content);
    expect((await refusal(readDocuments(path, { bytesMax: 1000 }))).code).toBe("import-invalid");
    expect(await readDocuments(path, { bytesMax: text.length })).toHaveLength(1);
  }
});

test("a file that cannot be read is named", async () => {
  for (const path of [join(directory, "missing"), directory]) {
    const error = await refusal(importBluesky(store, path));
    expect(error.code).toBe("file-unreadable");
    expect(error.details).toMatchObject({ path });
  }
});
