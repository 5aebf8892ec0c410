/** Imports real beamline files, where SENNIT_BLUESKY_DATA names the directory that holds them. */
import { existsSync } from "node:fs";
import { join } from "node:path";

import { openMemoryStore, type EmbeddedStore } from "@sennit/core";
import { afterEach, beforeEach, expect, test } from "vitest";

import { importBluesky } from "./bluesky.ts";

const data = process.env["SENNIT_BLUESKY_DATA"] ?? "";
const isAbsent = data === "" || !existsSync(data);
let store: EmbeddedStore;

beforeEach(async () => {
  store = await openMemoryStore();
});

afterEach(async () => {
  await store.close();
});

async function staleIds(): Promise<readonly string[]> {
  const ids = new Set<string>();
  for await (const { recordId } of store.events()) ids.add(recordId);
  const records = await Promise.all([...ids].map((id) => store.record(id)));
  return records.filter(({ stale }) => stale).map(({ id }) => id);
}

test.skipIf(isAbsent)("the scans of a real beamline import once", async () => {
  const path = join(data, "apstools.json.gz");
  const first = await importBluesky(store, path);
  expect(first).toMatchObject({ documents: 1459, runs: 53, open: 1, failed: 0, events: 1302 });
  expect(first).toMatchObject({ streams: 52, stored: 208, duplicates: 0, head: 208 });
  expect(await staleIds()).toEqual([]);
  const second = await importBluesky(store, path);
  expect(second).toMatchObject({ runs: 53, open: 1, stored: 0, duplicates: 208, head: 208 });
});

test.skipIf(isAbsent)("a real run that failed is a fact", async () => {
  const summary = await importBluesky(store, join(data, "uid-b31e8698.json"));
  expect(summary).toMatchObject({ runs: 1, open: 0, failed: 1, streams: 2, events: 1 });
  const run = await store.record("b31e8698-f842-4397-b2ef-acd4cb74fdd4");
  expect(run).toMatchObject({ status: "valid", tags: { exit_status: "fail" } });
  expect(await staleIds()).toEqual([]);
});

test.skipIf(isAbsent)("a real run with a baseline has its streams beside one another", async () => {
  const path = join(data, "uid-219cc7b4.json");
  expect(await importBluesky(store, path)).toMatchObject({ runs: 1, streams: 4, events: 5 });
  const run = "219cc7b4-f4e8-4edd-bcc0-c5f0ebf318a3";
  expect((await store.record(`${run}/baseline`)).attributes).toMatchObject({
    events: { count: 2 },
  });
  expect((await store.record(`${run}/primary`)).attributes).toMatchObject({ events: { count: 1 } });
  expect(await staleIds()).toEqual([]);
  expect(await importBluesky(store, path)).toMatchObject({ stored: 0 });
});
