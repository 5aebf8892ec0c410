/**
 * The growing Merkle tree of a log, stored as tiles of 256 hashes.
 *
 * Tile `index` of level `L` holds the hashes `256 * index` to `256 * index + 255` of the nodes that stand for 256^L
 * leaves each. A tile of level 0 is written when it is full, because until then its hashes can be taken from the log
 * entries; tiles above grow by one hash every 256^L leaves and are written each time.
 *
 * @see C2SP tlog-tiles
 */
import { assert, must } from "../assert.ts";
import { StoreError } from "../errors.ts";
import { frame, unframe } from "../codec/frame.ts";
import type { Frontier } from "../merkle/frontier.ts";
import { hashBytes, nodeHash } from "../merkle/hashing.ts";
import type { SubtreeHash } from "../merkle/proofs.ts";
import { tileKey } from "../storage/keyspace.ts";
import type { Storage, StorageEntry } from "../storage/storage.ts";

/** Hashes in a full tile. */
export const tileWidth = 256;
/** Levels of the tree between two levels of tiles. */
export const tileHeight = 8;

/** Gives the hash of a leaf that is in the log, counted from 0. */
export type LeafHash = (leaf: number) => Buffer;

/** Appends leaves and says which tiles to write. */
export class StoredTree {
  readonly #storage: Storage;
  readonly #leafHash: LeafHash;
  #frontier: Frontier;
  /** The hashes of the newest tile of each level, once that level has been touched. */
  #growing: Buffer[][] = [];

  /** Goes on from a stored frontier. */
  constructor(storage: Storage, leafHash: LeafHash, frontier: Frontier) {
    this.#storage = storage;
    this.#leafHash = leafHash;
    this.#frontier = frontier;
  }

  get frontier(): Frontier {
    return this.#frontier;
  }

  /** Goes on from another stored frontier: what was appended since has not been stored. */
  restart(frontier: Frontier): void {
    this.#frontier = frontier;
    this.#growing = [];
  }

  /** Appends leaves in order. @returns the tiles to store in the same write as the leaves' entries */
  append(leaves: readonly Buffer[]): StorageEntry[] {
    const tiles = new Map<string, StorageEntry>();
    for (const leaf of leaves) {
      const at = this.#frontier.size;
      this.#grow(0, at, leaf, tiles);
      this.#frontier.append(leaf, (level, hash) => {
        if (level % tileHeight === 0) {
          this.#grow(level / tileHeight, Math.floor(at / 2 ** level), hash, tiles);
        }
      });
    }
    return [...tiles.values()];
  }

  /** The hash of a complete subtree, from a tile or from the log. @throws `checksum-mismatch` */
  subtree: SubtreeHash = (level, index) => {
    const tileLevel = Math.floor(level / tileHeight);
    const width = 2 ** (level % tileHeight);
    const first = index * width;
    const hashes = this.hashes(tileLevel, first, width);
    return pairUp(hashes);
  };

  /** Adds the hash of a node to its tile. */
  #grow(level: number, node: number, hash: Buffer, tiles: Map<string, StorageEntry>): void {
    const place = node % tileWidth;
    const index = Math.floor(node / tileWidth);
    const hashes =
      place === 0 ? [] : (this.#growing[level] ?? this.hashes(level, node - place, place));
    assert(hashes.length === place, "a tile grows by one hash at a time");
    hashes.push(hash);
    this.#growing[level] = hashes;
    // The lowest level's hashes can be had from the entries until the tile is full.
    if (level > 0 || hashes.length === tileWidth) {
      const key = tileKey(level, index);
      tiles.set(`${level}/${index}`, [key, frame(key, Buffer.concat(hashes))]);
    }
  }

  /** Hashes of one tile that are there, counted in its level. @throws `checksum-mismatch`, `log-gap` */
  hashes(level: number, first: number, count: number): Buffer[] {
    const index = Math.floor(first / tileWidth);
    const place = first % tileWidth;
    const key = tileKey(level, index);
    const value = this.#storage.get(key);
    if (value === undefined) {
      // A tile above the leaves is stored as soon as it has a hash.
      if (level > 0) throw new StoreError("log-gap", `Merkle tile ${level}/${index} is missing.`);
      return Array.from({ length: count }, (_, offset) => this.#leafHash(first + offset));
    }
    const tile = unframe(key, value, () => `Merkle tile ${level}/${index}`);
    return Array.from({ length: count }, (_, offset) => {
      const start = (place + offset) * hashBytes;
      return Buffer.from(tile.subarray(start, start + hashBytes));
    });
  }
}

/** The root over a power of two of hashes. */
function pairUp(hashes: readonly Buffer[]): Buffer {
  let row = hashes;
  while (row.length > 1) {
    const above: Buffer[] = [];
    for (let index = 0; index < row.length; index += 2) {
      above.push(nodeHash(row[index] as Buffer, row[index + 1] as Buffer));
    }
    row = above;
  }
  return must(row[0], "a subtree has at least one leaf");
}
