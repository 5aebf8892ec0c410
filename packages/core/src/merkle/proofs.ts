/** Builds inclusion and consistency proofs from the hashes of complete subtrees. */
import { assert } from "../assert.ts";
import { nodeHash } from "./hashing.ts";

/** Gives the hash of the complete subtree of 2^`level` leaves that is the `index`-th of its size. */
export type SubtreeHash = (level: number, index: number) => Buffer;

/**
 * The hashes that lead from a leaf to the root of the first `size` leaves, from the leaf upwards.
 *
 * @param index of the leaf, from 0
 * @see RFC 9162 section 2.1.3.1
 */
export function inclusionProof(subtree: SubtreeHash, index: number, size: number): Buffer[] {
  assert(index >= 0 && index < size, "the leaf is in the tree");
  const path: Buffer[] = [];
  let start = 0;
  let length = size;
  while (length > 1) {
    const left = largestPowerBelow(length);
    if (index - start < left) {
      path.push(rangeRoot(subtree, start + left, start + length));
      length = left;
    } else {
      path.push(rangeRoot(subtree, start, start + left));
      start += left;
      length -= left;
    }
  }
  return path.toReversed();
}

/**
 * The hashes that show the tree of `from` leaves to be the beginning of the tree of `to` leaves.
 *
 * @see RFC 9162 section 2.1.4.1
 */
export function consistencyProof(subtree: SubtreeHash, from: number, to: number): Buffer[] {
  assert(from >= 0 && from <= to, "the older tree is not larger");
  if (from === 0 || from === to) return [];
  const path: Buffer[] = [];
  let start = 0;
  let length = to;
  let rest = from;
  // True while the older tree is a subtree the verifier knows already: then its root need not be given.
  let isKnown = true;
  while (rest !== length) {
    const left = largestPowerBelow(length);
    if (rest <= left) {
      path.push(rangeRoot(subtree, start + left, start + length));
      length = left;
    } else {
      path.push(rangeRoot(subtree, start, start + left));
      start += left;
      length -= left;
      rest -= left;
      isKnown = false;
    }
  }
  if (!isKnown) path.push(rangeRoot(subtree, start, start + length));
  return path.toReversed();
}

/** The root over the leaves `start` to `end - 1`, where `start` is a place a subtree of that size may begin at. */
export function rangeRoot(subtree: SubtreeHash, start: number, end: number): Buffer {
  const hashes: Buffer[] = [];
  let place = start;
  while (place < end) {
    const level = Math.floor(Math.log2(end - place));
    hashes.push(subtree(level, place / 2 ** level));
    place += 2 ** level;
  }
  return hashes.reduceRight((root, hash) => nodeHash(hash, root));
}

/** The largest power of two below a number above 1. */
function largestPowerBelow(value: number): number {
  return 2 ** Math.floor(Math.log2(value - 1));
}
