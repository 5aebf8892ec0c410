/** The right edge of a growing Merkle tree: one hash per complete subtree, enough to append and to know the root. */
import { emptyRoot, hashBytes, nodeHash } from "./hashing.ts";

/** A tree that can only grow. Cost of an append: one hash of a node on average. */
export class Frontier {
  /** Hashes of the complete subtrees, largest first: one per bit of `size` that is set. */
  readonly #hashes: Buffer[];
  #size: number;

  constructor(size = 0, hashes: readonly Uint8Array[] = []) {
    this.#size = size;
    this.#hashes = hashes.map((hash) => Buffer.from(hash));
  }

  /** Leaves appended so far. */
  get size(): number {
    return this.#size;
  }

  /** The hashes to store, from which `new Frontier(size, hashes)` goes on. */
  get hashes(): readonly Buffer[] {
    return this.#hashes;
  }

  /** @param onNode called with each inner node the leaf completes, by its level: 1 for the parent of two leaves */
  append(leaf: Buffer, onNode?: (level: number, hash: Buffer) => void): void {
    let hash = leaf;
    let rest = this.#size;
    // Two subtrees of one size make one of twice the size: the carry of a binary addition.
    for (let level = 1; rest % 2 === 1; level += 1) {
      hash = nodeHash(this.#hashes.pop() ?? hash, hash);
      onNode?.(level, hash);
      rest = Math.floor(rest / 2);
    }
    this.#hashes.push(hash);
    this.#size += 1;
  }

  /** The root of the tree as it stands. */
  root(): Buffer {
    const last = this.#hashes.at(-1);
    if (last === undefined) return emptyRoot;
    let root = last;
    for (let index = this.#hashes.length - 2; index >= 0; index -= 1) {
      root = nodeHash(this.#hashes[index] ?? root, root);
    }
    return root;
  }

  /** True when the number of hashes fits the size. */
  static fits(size: number, hashes: readonly Uint8Array[]): boolean {
    let bits = 0;
    for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) bits += rest % 2;
    return bits === hashes.length && hashes.every((hash) => hash.length === hashBytes);
  }
}
