/** The tree of a real log: proofs of any event at any size, across tiles, batches and reopenings. */
import { join } from "node:path";

import { expect, test } from "vitest";

import { leafHash } from "../merkle/hashing.ts";
import { verifyConsistency, verifyInclusion } from "../merkle/verify-proof.ts";
import { openMemoryStore, openStore } from "../open-store.ts";
import type { EmbeddedStore } from "../store.ts";
import { make } from "../testing/samples.ts";
import { codeOf } from "../testing/storage-contract.ts";
import { withTemporaryDirectory } from "../testing/temporary-directory.ts";

async function fill(store: EmbeddedStore, until: number, batch: number): Promise<void> {
  while (store.head < until) {
    const count = Math.min(batch, until - store.head);
    const first = store.head;
    await store.append(Array.from({ length: count }, (_, index) => make(`r${first + index}`)));
  }
}

async function expectProofs(
  store: EmbeddedStore,
  pairs: readonly [number, number][],
): Promise<void> {
  const { log } = store;
  const prove = log.proofs.inclusionProofs();
  for (const [position, size] of pairs) {
    const head = log.proofs.treeHead(size);
    const leaf = log.state.entry(position)?.leafHash() ?? leafHash(Buffer.alloc(0));
    const proof = log.proofs.inclusionProof(position, size);
    expect(await verifyInclusion(leaf, position - 1, head, proof)).toBe(true);
    expect(prove(position, size)).toEqual(proof);
    const older = log.proofs.treeHead(position);
    expect(await verifyConsistency(older, head, log.proofs.consistencyProof(position, size))).toBe(
      true,
    );
    expect(log.proofs.rootFromTiles(size).equals(head.root)).toBe(true);
  }
}

test("proofs of many events, over more tiles than are remembered, are those of each", async () => {
  const store = await openMemoryStore();
  const size = 20_000;
  await fill(store, size, 5000);
  const { proofs } = store.log;
  const prove = proofs.inclusionProofs();
  // Each once in order, and once more in an order in which every tile has been forgotten.
  const some = Array.from({ length: size / 97 }, (_, index) => 1 + index * 97);
  for (const position of [...some, ...some, size, 1, size]) {
    expect(prove(position, size)).toEqual(proofs.inclusionProof(position, size));
  }
  await store.close();
});

test("any event is proven to be in the log at any size, across the edges of tiles", async () => {
  const store = await openMemoryStore();
  await fill(store, 66_000, 5000);
  const edges = [1, 2, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, 65_999, 66_000];
  const pairs = edges.flatMap((size) =>
    edges
      .filter((position) => position <= size)
      .map((position): [number, number] => [position, size]),
  );
  await expectProofs(store, pairs);
  expect((await store.verify()).ok).toBe(true);
});

test("the tree goes on after a reopening, whatever the size of the log was", async () => {
  await withTemporaryDirectory(async (parent) => {
    const directory = join(parent, "store");
    const sizes = [0, 1, 3, 200, 256, 300, 512, 700];
    for (const size of sizes) {
      const store = await openStore(directory);
      await fill(store, size, 7);
      expect(store.log.proofs.treeHead().size).toBe(size);
      await expectProofs(
        store,
        size === 0
          ? []
          : [
              [1, size],
              [Math.ceil(size / 2), size],
              [size, size],
            ],
      );
      expect((await store.verify()).ok).toBe(true);
      await store.close();
    }
  });
});

test("a refused batch and a batch of duplicates leave the root as it was", async () => {
  const store = await openMemoryStore();
  const event = make("a", [], { id: "0198c2f0-7c3a-7b1e-8f00-5d2a9c1b4e77" });
  await store.append([event]);
  const { root } = store.log.proofs.treeHead();
  expect(await codeOf(() => store.append([make("b"), make("a")]))).toBe("record-already-exists");
  await store.append([event]);
  expect(store.log.proofs.treeHead().root).toEqual(root);
});

test("sizes and positions that are not in the log are refused", async () => {
  const store = await openMemoryStore();
  await fill(store, 3, 1);
  for (const size of [-1, 4, 1.5, Number.NaN]) {
    expect(await codeOf(async () => store.log.proofs.treeHead(size))).toBe("argument-invalid");
    expect(await codeOf(async () => store.log.proofs.consistencyProof(0, size))).toBe(
      "argument-invalid",
    );
  }
  for (const position of [0, 3, 1.5]) {
    expect(await codeOf(async () => store.log.proofs.inclusionProof(position, 2))).toBe(
      "argument-invalid",
    );
  }
  expect(await codeOf(async () => store.log.proofs.consistencyProof(3, 2))).toBe(
    "argument-invalid",
  );
});
