/** Snapshots of the graph: read back as they were, and passed over when they are anything else. */
import { appendFile, readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { crc32c } from "../codec/crc32c.ts";
import { created } from "../event/event.ts";
import { GraphKeeper, type GraphSource } from "../log/graph-keeper.ts";
import { openMemoryStore, openStore } from "../open-store.ts";
import type { EmbeddedStore } from "../store.ts";
import { filesHolding } from "../testing/files-holding.ts";
import { histories } from "../testing/arbitraries.ts";
import { dumpGraph, graphOf, headersOf } from "../testing/graphs.ts";
import { make, withdraw } from "../testing/samples.ts";
import { propertySettings } from "../testing/settings.ts";
import { withTemporaryDirectory } from "../testing/temporary-directory.ts";
import { SnapshotDecoder, snapshotBlocks, snapshotHeaderBytes } from "./snapshot-codec.ts";
import { SnapshotFile } from "./snapshot-file.ts";

const root = Buffer.alloc(32, 7);

test("a snapshot of any beginning of a history makes the graph of that beginning", async () => {
  expect.hasAssertions();
  await fc.assert(
    fc.asyncProperty(histories(8), fc.nat({ max: 40 }), async (steps, cut) => {
      const headers = await headersOf(steps);
      const kept = headers.slice(0, Math.min(cut, headers.length));
      const decoder = new SnapshotDecoder(kept.length);
      for (const block of snapshotBlocks(graphOf(headers), kept.length)) {
        decoder.take(Buffer.from(block));
      }
      expect(decoder.isDone).toBe(true);
      expect(dumpGraph(decoder.graph, kept)).toEqual(dumpGraph(graphOf(kept), kept));
      for (const header of headers.slice(kept.length)) decoder.graph.apply(header);
      expect(dumpGraph(decoder.graph, headers)).toEqual(dumpGraph(graphOf(headers), headers));
    }),
    propertySettings(60),
  );
});

/** A snapshot of a small store in a file, and what its graph is. */
async function withSnapshot(
  use: (path: string, bytes: Buffer, file: SnapshotFile) => Promise<void>,
): Promise<void> {
  await withTemporaryDirectory(async (directory) => {
    const store = await openMemoryStore();
    await store.append([make("a"), make("b-ü", ["a"]), make("c", ["a", "b-ü"]), withdraw("a")]);
    const path = join(directory, "lineage", "graph");
    const file = new SnapshotFile(path);
    expect(await file.write(await store.log.graph(), store.head, root)).toBe(true);
    await store.close();
    await use(path, await readFile(path), file);
  });
}

test("whatever byte of a snapshot is changed, it is passed over", async () => {
  expect.hasAssertions();
  await withSnapshot(async (path, bytes, file) => {
    expect((await file.read(() => true))?.head).toBe(6);
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
      await writeFile(path, changed);
      expect(await file.read(() => true)).toBeUndefined();
    }
  });
});

test("a snapshot that is cut short, or goes on after its end, is passed over", async () => {
  expect.hasAssertions();
  await withSnapshot(async (path, bytes, file) => {
    await appendFile(path, "x");
    expect(await file.read(() => true)).toBeUndefined();
    for (let length = bytes.length - 1; length >= 0; length -= 1) {
      await truncate(path, length);
      expect(await file.read(() => true)).toBeUndefined();
    }
  });
});

test("a snapshot of another format is passed over, and so is one that does not fit", async () => {
  await withSnapshot(async (path, bytes, file) => {
    expect(await file.read(({ position }) => position !== 6)).toBeUndefined();
    const other = Buffer.from(bytes);
    other.writeUInt32LE(2, 8);
    other.writeUInt32LE(
      crc32c(other.subarray(0, snapshotHeaderBytes - 4)),
      snapshotHeaderBytes - 4,
    );
    await writeFile(path, other);
    expect(await file.read(() => true)).toBeUndefined();
    expect(await readdir(join(path, ".."))).toEqual(["graph"]);
  });
});

/** Where the entries were read from to load the graph of a store. */
async function loadedFrom(store: EmbeddedStore, path: string): Promise<readonly number[]> {
  const { log } = store;
  const from: number[] = [];
  const source: GraphSource = {
    treeHead: (size) => log.proofs.treeHead(size),
    readEntries: (options) => {
      from.push(options.from ?? 1);
      return log.readEntries(options);
    },
    decidedHead: () => log.head,
    decided: () => undefined,
  };
  const graph = await new GraphKeeper(source, new SnapshotFile(path)).load();
  expect(graph.head).toBe(store.head);
  return from;
}

const many = (prefix: string) => Array.from({ length: 10_000 }, (_, n) => make(`${prefix}-${n}`));

test("a store goes on from its snapshot, and reads all of its log beside that of another", async () => {
  await withTemporaryDirectory(async (directory) => {
    const places = [join(directory, "one"), join(directory, "other")] as const;
    for (const [place, prefix] of [
      [places[0], "a"],
      [places[1], "b"],
    ] as const) {
      const store = await openStore(place);
      await store.append(many(prefix));
      await store.lineage(`${prefix}-1`);
      await store.append([make("later", [`${prefix}-5`])]);
      await store.close();
    }
    const [own, foreign] = places.map((place) => join(place, "lineage", "graph"));
    const store = await openStore(places[0]);
    expect(await loadedFrom(store, own ?? "")).toEqual([10_001]);
    expect(await loadedFrom(store, foreign ?? "")).toEqual([1]);
    expect(await store.lineageRefs("later")).toMatchObject({ nodes: [{ recordId: "a-5" }] });
    await store.close();
  });
});

test("a snapshot from ahead of the head is not believed", async () => {
  await withTemporaryDirectory(async (directory) => {
    const path = join(directory, "graph");
    const store = await openMemoryStore();
    await store.append([make("a"), make("b", ["a"])]);
    const graph = await store.log.graph();
    expect(await new SnapshotFile(path).write(graph, 2, store.log.proofs.treeHead().root)).toBe(
      true,
    );
    expect(await loadedFrom(store, path)).toEqual([]);
    const shorter = await openMemoryStore();
    await shorter.append([make("a")]);
    expect(await loadedFrom(shorter, path)).toEqual([1]);
    await store.close();
    await shorter.close();
  });
});

test("a snapshot holds ids and nothing of what an erasure destroys", async () => {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(directory);
    await store.append(many("plain"));
    await store.append([created("person-7", { kind: "person", name: "Nemo-Nobody" })]);
    await store.lineage("plain-1");
    await store.erase(["person-7"], { cause: "asked for" });
    await store.close();
    expect(await filesHolding(join(directory, "lineage"), "person-7")).toHaveLength(1);
    expect(await filesHolding(directory, "Nemo-Nobody")).toEqual([]);
  });
});

test("where no snapshot can be written the store works without one", async () => {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(directory);
    await writeFile(join(directory, "lineage"), "in the way");
    await store.append(many("n"));
    expect((await store.lineageRefs("n-3")).nodes).toEqual([]);
    await store.close();
    const again = await openStore(directory);
    expect((await again.lineageRefs("n-3")).nodes).toEqual([]);
    await again.close();
  });
});
