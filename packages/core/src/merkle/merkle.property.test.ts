/** The tree against a naive recursive reading of the RFC's definitions, and against hashes printed in public test data. */
import fc from "fast-check";
import { expect, test } from "vitest";

import { Frontier } from "./frontier.ts";
import { emptyRoot, leafHash, nodeHash } from "./hashing.ts";
import { consistencyProof, inclusionProof, rangeRoot, type SubtreeHash } from "./proofs.ts";
import { hashLeaf, verifyConsistency, verifyInclusion } from "./verify-proof.ts";

/** MTH of RFC 6962 section 2.1, word by word. */
function naiveRoot(leaves: readonly Buffer[]): Buffer {
  const [first] = leaves;
  if (first === undefined) return emptyRoot;
  if (leaves.length === 1) return first;
  const split = splitOf(leaves.length);
  return nodeHash(naiveRoot(leaves.slice(0, split)), naiveRoot(leaves.slice(split)));
}

/** PATH of RFC 6962 section 2.1.1. */
function naivePath(index: number, leaves: readonly Buffer[]): Buffer[] {
  if (leaves.length <= 1) return [];
  const split = splitOf(leaves.length);
  return index < split
    ? [...naivePath(index, leaves.slice(0, split)), naiveRoot(leaves.slice(split))]
    : [...naivePath(index - split, leaves.slice(split)), naiveRoot(leaves.slice(0, split))];
}

/** SUBPROOF of RFC 6962 section 2.1.2. */
function naiveSubproof(size: number, leaves: readonly Buffer[], isWhole: boolean): Buffer[] {
  if (size === leaves.length) return isWhole ? [] : [naiveRoot(leaves)];
  const split = splitOf(leaves.length);
  return size <= split
    ? [...naiveSubproof(size, leaves.slice(0, split), isWhole), naiveRoot(leaves.slice(split))]
    : [
        ...naiveSubproof(size - split, leaves.slice(split), false),
        naiveRoot(leaves.slice(0, split)),
      ];
}

function splitOf(length: number): number {
  let split = 1;
  while (split * 2 < length) split *= 2;
  return split;
}

function leavesOf(count: number): Buffer[] {
  return Array.from({ length: count }, (_, index) => leafHash(Buffer.from(`leaf ${index}`)));
}

function subtreesOf(leaves: readonly Buffer[]): SubtreeHash {
  return (level, index) => naiveRoot(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level));
}

/** Leaves and roots of the eight-entry tree used in the test data of Certificate Transparency implementations. */
const knownLeaves = [
  "",
  "00",
  "10",
  "2021",
  "3031",
  "40414243",
  "5051525354555657",
  "606162636465666768696a6b6c6d6e6f",
];
const knownRoots = [
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

test("roots of one to eight known leaves are the published ones", async () => {
  const frontier = new Frontier();
  for (const [index, leaf] of knownLeaves.entries()) {
    const bytes = Buffer.from(leaf, "hex");
    expect(Buffer.from(await hashLeaf(bytes))).toEqual(leafHash(bytes));
    frontier.append(leafHash(bytes));
    expect(frontier.root().toString("hex")).toBe(knownRoots[index]);
  }
});

test("the root of the empty tree is the hash of nothing", () => {
  expect(new Frontier().root().toString("hex")).toBe(
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  );
});

test("a frontier has the naive root at every size, also when continued from its hashes", () => {
  const leaves = leavesOf(70);
  let frontier = new Frontier();
  for (const [index, leaf] of leaves.entries()) {
    frontier.append(leaf);
    expect(frontier.root()).toEqual(naiveRoot(leaves.slice(0, index + 1)));
    expect(Frontier.fits(frontier.size, frontier.hashes)).toBe(true);
    if (index % 3 === 0) frontier = new Frontier(frontier.size, frontier.hashes);
  }
  expect(Frontier.fits(frontier.size + 1, frontier.hashes)).toBe(false);
});

test("inclusion proofs are those of the naive definition and verify; any change makes them fail", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 60 }),
      fc.nat(),
      fc.nat(),
      async (size, place, byte) => {
        const leaves = leavesOf(size);
        const index = place % size;
        const proof = inclusionProof(subtreesOf(leaves), index, size);
        expect(proof).toEqual(naivePath(index, leaves));
        const head = { size, root: naiveRoot(leaves) };
        const leaf = leaves[index] ?? emptyRoot;
        expect(await verifyInclusion(leaf, index, head, proof)).toBe(true);
        expect(await verifyInclusion(flip(leaf, byte), index, head, proof)).toBe(false);
        expect(
          await verifyInclusion(leaf, index, { size, root: flip(head.root, byte) }, proof),
        ).toBe(false);
        expect(await verifyInclusion(leaf, size, head, proof)).toBe(false);
        expect(await verifyInclusion(leaf, index, head, [...proof, emptyRoot])).toBe(false);
        if (proof.length === 0) return;
        expect(await verifyInclusion(leaf, index, head, proof.slice(1))).toBe(false);
        const changed = proof.map((hash, at) =>
          at === byte % proof.length ? flip(hash, byte) : hash,
        );
        expect(await verifyInclusion(leaf, index, head, changed)).toBe(false);
      },
    ),
  );
});

test("consistency proofs are those of the naive definition and verify; any change makes them fail", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 60 }),
      fc.nat(),
      fc.nat(),
      async (size, place, byte) => {
        const leaves = leavesOf(size);
        const from = 1 + (place % size);
        const proof = consistencyProof(subtreesOf(leaves), from, size);
        expect(proof).toEqual(naiveSubproof(from, leaves, true));
        const older = { size: from, root: naiveRoot(leaves.slice(0, from)) };
        const newer = { size, root: naiveRoot(leaves) };
        expect(await verifyConsistency(older, newer, proof)).toBe(true);
        expect(
          await verifyConsistency({ ...older, root: flip(older.root, byte) }, newer, proof),
        ).toBe(false);
        expect(
          await verifyConsistency(older, { ...newer, root: flip(newer.root, byte) }, proof),
        ).toBe(false);
        expect(await verifyConsistency(older, newer, [...proof, emptyRoot])).toBe(false);
        if (proof.length === 0) return;
        const changed = proof.map((hash, at) =>
          at === byte % proof.length ? flip(hash, byte) : hash,
        );
        expect(await verifyConsistency(older, newer, changed)).toBe(false);
      },
    ),
  );
});

test("every tree is consistent with the empty one, and none with a larger one", async () => {
  const root = naiveRoot(leavesOf(5));
  expect(await verifyConsistency({ size: 0, root: emptyRoot }, { size: 5, root }, [])).toBe(true);
  expect(await verifyConsistency({ size: 0, root }, { size: 5, root }, [])).toBe(false);
  expect(await verifyConsistency({ size: 6, root }, { size: 5, root }, [])).toBe(false);
});

test("the root of a range is the naive root of its leaves", () => {
  const leaves = leavesOf(13);
  expect(rangeRoot(subtreesOf(leaves), 8, 13)).toEqual(naiveRoot(leaves.slice(8)));
});

function flip(bytes: Buffer, place: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[place % copy.length] = (copy[place % copy.length] ?? 0) ^ (1 << (place % 8));
  return copy;
}
