/** Hashes of subtrees for many proofs one after another, each worked out once while the tiles around it are in use. */
import { nodeHash } from "../merkle/hashing.ts";
import type { SubtreeHash } from "../merkle/proofs.ts";
import { tileHeight, tileWidth, type StoredTree } from "./stored-tree.ts";

/** Tiles kept, of some 50 kB each: a proof needs those of its event and those at the right edge, two a level. */
const tilesMax = 64;

/** The nodes of a tile: the root at 1, what is below node n at 2n and 2n + 1, the tile's own hashes from 256 on. */
type TileNodes = Buffer[];

export class RememberedTiles {
  readonly #tree: StoredTree;
  /** By level and index, those used last at the end. */
  readonly #tiles = new Map<string, TileNodes>();

  constructor(tree: StoredTree) {
    this.#tree = tree;
  }

  /** The hash of a complete subtree. @throws `checksum-mismatch`, `log-gap` */
  subtree: SubtreeHash = (level, index) => {
    const height = level % tileHeight;
    const tileLevel = Math.floor(level / tileHeight);
    const across = tileWidth / 2 ** height;
    const nodes = this.#nodes(tileLevel, Math.floor(index / across));
    const node = across + (index % across);
    const known = nodes[node];
    if (known !== undefined) return known;
    const width = 2 ** height;
    const first = index * width;
    const hashes = this.#tree.hashes(tileLevel, first, width);
    for (const [offset, hash] of hashes.entries()) {
      nodes[tileWidth + (first % tileWidth) + offset] = hash;
    }
    return hashOf(nodes, node);
  };

  #nodes(level: number, index: number): TileNodes {
    const key = `${level}/${index}`;
    const nodes = this.#tiles.get(key) ?? [];
    this.#tiles.delete(key);
    this.#tiles.set(key, nodes);
    const [oldest = key] = this.#tiles.keys();
    if (this.#tiles.size > tilesMax) this.#tiles.delete(oldest);
    return nodes;
  }
}

/** The hash of a node whose leaves are there. A tile is eight levels high. */
function hashOf(nodes: TileNodes, node: number): Buffer {
  return (nodes[node] ??= nodeHash(hashOf(nodes, node * 2), hashOf(nodes, node * 2 + 1)));
}
