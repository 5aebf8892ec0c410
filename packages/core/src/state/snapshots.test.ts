/** Snapshots of a store's state: few, written by reads, used by later ones, and never believed against the log. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, test } from "vitest";

import { created } from "../event/event.ts";
import { openMemoryStore, openStore } from "../open-store.ts";
import { filesHolding } from "../testing/files-holding.ts";
import { codeOf } from "../testing/storage-contract.ts";
import { make, revise, withdraw } from "../testing/samples.ts";
import { withTemporaryDirectory } from "../testing/temporary-directory.ts";
import { keepsSnapshot, snapshotInterval } from "./kept-positions.ts";
import { decodeSnapshot, encodeSnapshot } from "./snapshot-codec.ts";
import { StateSnapshots } from "./snapshots.ts";
import { stateAsOf } from "./state-as-of.ts";
import { StoreState } from "./store-state.ts";

function keptPositions(head: number): number[] {
  const kept: number[] = [];
  for (let position = 0; position <= head + 3; position += 1) {
    if (keepsSnapshot(position, head, 2)) kept.push(position);
  }
  return kept;
}

test("the number of snapshots grows with the logarithm of the log, and they are dense near the head", () => {
  for (let head = 0; head <= 3000; head += 1) {
    const kept = keptPositions(head);
    expect(kept.length).toBeLessThanOrEqual(4 + 2 * Math.max(1, Math.log2(head / 2)));
    for (let asOf = 1; asOf <= head; asOf += 37) {
      const nearest = kept.findLast((position) => position <= asOf) ?? 0;
      expect(asOf - nearest).toBeLessThanOrEqual(Math.max(2, (head - nearest) / 2));
    }
  }
});

test("a position whose snapshot was let go is not kept again as the log grows", () => {
  const gone = new Set<number>();
  let before: number[] = [];
  for (let head = 0; head <= 2000; head += 1) {
    const kept = keptPositions(head);
    for (const position of before) if (!kept.includes(position)) gone.add(position);
    expect(kept.filter((position) => gone.has(position))).toEqual([]);
    before = kept;
  }
  expect(gone.size).toBeGreaterThan(0);
});

test("a snapshot read back is the state, and any changed or missing byte makes it none", async () => {
  const store = await openMemoryStore();
  const events = Array.from({ length: 300 }, (_, index) => make(`r${index}`));
  await store.append([...events, withdraw("r7"), revise("r0", 1), make("last", ["r299"])]);
  const state = await stateAsOf(store.log, undefined, store.head);
  const root = Buffer.alloc(32, 7);
  const bytes = encodeSnapshot(state, root);
  const read = decodeSnapshot(bytes);
  expect(read?.root).toEqual(root);
  const rows = (some: StoreState | undefined) =>
    Array.from({ length: some?.size ?? 0 }, (_, number) => some?.row(number));
  expect(rows(read?.state)).toEqual(rows(state));
  expect(read?.state.counts).toEqual(state.counts);
  expect(read?.state.position).toBe(303);
  for (let at = 0; at < bytes.length; at += 1) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(decodeSnapshot(changed)).toBeUndefined();
    expect(decodeSnapshot(bytes.subarray(0, at))).toBeUndefined();
  }
});

test("snapshots that are not kept are removed, and what others put into the folder is not", async () => {
  await withTemporaryDirectory(async (directory) => {
    const store = await openMemoryStore();
    await store.append(Array.from({ length: 64 }, (_, index) => make(`r${index}`)));
    for (const name of ["state-3", "state-1000", "state-8.new", "other"]) {
      await writeFile(join(directory, name), "stray");
    }
    const snapshots = new StateSnapshots(directory, 4);
    await stateAsOf(store.log, snapshots, store.head);
    await snapshots.idle();
    const all = await readdir(directory);
    expect(all).toContain("other");
    const names = all
      .filter((name) => name !== "other")
      .map((name) => Number(name.slice("state-".length)));
    expect(names.toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 65 }, (_, position) => position).filter((position) =>
        keepsSnapshot(position, 64, 4),
      ),
    );
  });
});

test("a store's summary writes snapshots that hold no content, and a later one starts from them", async () => {
  await withTemporaryDirectory(async (directory) => {
    const events = (from: number) =>
      Array.from({ length: 3000 }, (_, index) =>
        created(`r-${from + index}`, { kind: `kind-${index % 3}`, name: "Marie Curie" }),
      );
    let store = await openStore(directory);
    for (let from = 0; from < snapshotInterval; from += 3000) await store.append(events(from));
    const head = store.head;
    const first = await store.summary();
    expect(first).toMatchObject({ asOf: head, records: head, valid: head, withdrawn: 0 });
    await store.close();
    const [name = "", ...others] = await readdir(join(directory, "state"));
    expect([name, others]).toEqual([`state-${snapshotInterval}`, []]);
    expect(await filesHolding(join(directory, "state"), "Marie")).toEqual([]);
    const path = join(directory, "state", name);
    const snapshot = decodeSnapshot(await readFile(path));
    expect(snapshot?.state.position).toBe(snapshotInterval);

    // A snapshot that lies, with a checksum and a root that fit, shows that it is what a read starts from.
    const lie = new StoreState(snapshotInterval);
    const row = { created: 1, position: 1, contentVersion: 1, kind: "lie", isValid: false };
    lie.restore(row);
    await writeFile(path, encodeSnapshot(lie, snapshot?.root ?? Buffer.alloc(32)));
    store = await openStore(directory);
    const started = await store.summary();
    expect(started.kinds).toContainEqual({ kind: "lie", valid: 0, withdrawn: 1 });
    const before = await store.at({ position: snapshotInterval - 1 });
    expect(await before.summary()).toMatchObject({ records: snapshotInterval - 1 });
    await store.close();
  });
});

test("what is withdrawn stays so when earlier versions are withdrawn after it, and comes back with new content", async () => {
  const store = await openMemoryStore();
  await store.append([make("a"), revise("a", 1), withdraw("a@2"), withdraw("a@1"), revise("a", 2)]);
  const counts = async (position: number) => {
    const { valid, withdrawn } = await (await store.at({ position })).summary();
    return [valid, withdrawn];
  };
  expect(await Promise.all([1, 2, 3, 4, 5].map(counts))).toEqual([
    [1, 0],
    [1, 0],
    [0, 1],
    [0, 1],
    [1, 0],
  ]);
});

test("labels are summed up as they stood, without those withdrawn or erased", async () => {
  const store = await openMemoryStore();
  await store.append([make("a"), make("b")]);
  await store.label("later", 2);
  await store.label("earlier", 1);
  await store.label("gone", 1);
  await store.label("secret", 1);
  await store.label("later", 3);
  await store.append([withdraw("label:gone")]);
  const before = store.head;
  await store.erase(["label:secret"], { cause: "c" });
  const { labels } = await store.summary();
  expect(labels).toEqual([
    { name: "earlier", position: 1 },
    { name: "later", position: 3 },
  ]);
  const then = await store.at({ position: 3 });
  expect((await then.summary()).labels).toEqual([{ name: "later", position: 2 }]);
  expect(store.head).toBe(before + 1);
});

test("a summary without staleness does not say any, and both reads stop when they are asked to", async () => {
  const store = await openMemoryStore();
  await store.append([make("a")]);
  expect(JSON.stringify(await store.summary())).not.toContain("stale");
  const signal = AbortSignal.abort();
  expect(await codeOf(() => store.summary({ signal }))).toBe("aborted");
  const read = async () => {
    for await (const record of store.allRecords({ signal })) expect(record).toBeUndefined();
  };
  expect(await codeOf(read)).toBe("aborted");
});
