/** Grows the Merkle tree anew from the entries, and holds the stored tiles, the commit record and the side file against it. */
import { unframe } from "../codec/frame.ts";
import type { CommitRecord } from "../codec/commit-record.ts";
import type { Position } from "../ids.ts";
import type { Acknowledged } from "../log/acknowledged-file.ts";
import { missing } from "../log/damage.ts";
import { tileHeight, tileWidth } from "../log/stored-tree.ts";
import { Frontier } from "../merkle/frontier.ts";
import { hashBytes } from "../merkle/hashing.ts";
import { tileKey } from "../storage/keyspace.ts";
import type { CheckedStore } from "./parts.ts";

export class TreeCheck {
  readonly #store: CheckedStore;
  readonly #frontier = new Frontier();
  readonly #acknowledged: Acknowledged | undefined;
  /** The hashes of the newest tile of each level. */
  readonly #tiles: Buffer[][] = [];
  /** The first position whose leaf is unknown: from there on nothing can be compared. */
  #brokenFrom: Position = Infinity;
  /** The first entry whose leaf is another than the one in its tile. Which of the two is wrong, the root tells. */
  #firstOtherLeaf: Position = Infinity;
  #rootAcknowledged: Buffer | undefined;
  #provenUntil: Position = 0;

  constructor(store: CheckedStore, acknowledged: Acknowledged | undefined) {
    this.#store = store;
    this.#acknowledged = acknowledged;
  }

  /** Up to here the entries are the ones that were committed or acknowledged, by their Merkle root. Known once finished. */
  get provenUntil(): Position {
    return this.#provenUntil;
  }

  /**
   * Appends the leaf of the entry at a position. One that is not known is taken from its tile.
   *
   * @returns false once the tree can grow no more
   */
  append(position: Position, known?: Buffer): boolean {
    if (position > this.#brokenFrom) return false;
    const leaf = known ?? this.#storedLeaf(position);
    if (leaf === undefined) {
      this.#brokenFrom = position;
      return false;
    }
    const at = position - 1;
    this.#grow(0, at, leaf);
    this.#frontier.append(leaf, (level, hash) => {
      if (level % tileHeight === 0) {
        this.#grow(level / tileHeight, Math.floor(at / 2 ** level), hash);
      }
    });
    if (position === this.#acknowledged?.position) this.#rootAcknowledged = this.#frontier.root();
    return true;
  }

  /** Compares the tree with what was committed, and reports what differs. */
  finish(commit: CommitRecord | undefined): void {
    for (const [level, hashes] of this.#tiles.entries()) {
      if (level > 0 && hashes.length < tileWidth) this.#compareTile(level, hashes);
    }
    if (this.#brokenFrom === Infinity) this.#compareRoot(commit);
    this.#compareAcknowledged();
  }

  #grow(level: number, node: number, hash: Buffer): void {
    const place = node % tileWidth;
    const hashes = place === 0 ? [] : (this.#tiles[level] ?? []);
    hashes.push(hash);
    this.#tiles[level] = hashes;
    this.#nodes[level] = node + 1;
    if (hashes.length === tileWidth) this.#compareTile(level, hashes);
  }

  readonly #nodes: number[] = [];

  #compareTile(level: number, hashes: readonly Buffer[]): void {
    const index = Math.ceil((this.#nodes[level] ?? 0) / tileWidth) - 1;
    const position = index * tileWidth ** (level + 1) + 1;
    const { findings } = this.#store;
    let tile: Buffer | undefined;
    try {
      tile = this.#storedTile(level, index);
    } catch (error) {
      findings.addError("tile", position, error);
      return;
    }
    const what = `Merkle tile ${level}/${index}`;
    if (tile === undefined) {
      findings.add("tile", position, "log-gap", `${what} is missing.`);
      return;
    }
    const other = hashes.findIndex((hash, place) => !hash.equals(hashAt(tile, place)));
    const isGrown = this.#store.headNow() > this.#store.head;
    if (other === -1 && (isGrown || tile.length === hashes.length * hashBytes)) return;
    if (level === 0 && other !== -1) {
      this.#firstOtherLeaf = Math.min(this.#firstOtherLeaf, position + other);
    }
    findings.add("tile", position, "root-mismatch", `${what} does not hold the entries' hashes.`);
  }

  #compareRoot(commit: CommitRecord | undefined): void {
    if (commit === undefined || commit.head !== this.#frontier.size) return;
    let start = 0;
    for (const [index, hash] of this.#frontier.hashes.entries()) {
      const size = 2 ** Math.floor(Math.log2(commit.head - start));
      if (!hash.equals(commit.frontier[index] ?? Buffer.alloc(0))) {
        const known = this.#firstOtherLeaf;
        // Without a tile that tells, the entry may be any from the start of the part that differs.
        const position = known > start && known <= start + size ? known : start + 1;
        this.#store.findings.add(
          "entry",
          position,
          "root-mismatch",
          `The Merkle root of the log is not the one committed: positions ${position} to ${start + size} are not proven.`,
        );
        return;
      }
      start += size;
      this.#prove(start);
    }
  }

  #compareAcknowledged(): void {
    if (this.#acknowledged === undefined || this.#acknowledged.position === 0) return;
    const { position, root } = this.#acknowledged;
    const { findings, head } = this.#store;
    if (Number.isFinite(head) && position > this.#store.headNow()) {
      findings.add(
        "entry",
        head + 1,
        "head-mismatch",
        `Events up to ${position} were acknowledged: ${missing(head + 1, position)}.`,
      );
    } else if (this.#rootAcknowledged?.equals(root) === true) {
      this.#prove(position);
    } else if (this.#rootAcknowledged !== undefined) {
      findings.add(
        "acknowledged",
        position,
        "root-mismatch",
        `The first ${position} events are not those that were acknowledged: their Merkle root is another.`,
      );
    }
  }

  #prove(position: Position): void {
    this.#provenUntil = Math.max(this.#provenUntil, position);
  }

  #storedLeaf(position: Position): Buffer | undefined {
    const node = position - 1;
    try {
      const tile = this.#storedTile(0, Math.floor(node / tileWidth));
      return tile && hashAt(tile, node % tileWidth);
    } catch {
      return undefined;
    }
  }

  #storedTile(level: number, index: number): Buffer | undefined {
    const key = tileKey(level, index);
    const value = this.#store.storage.get(key);
    return value && unframe(key, value, () => `Merkle tile ${level}/${index}`);
  }
}

function hashAt(tile: Buffer, place: number): Buffer {
  return Buffer.from(tile.subarray(place * hashBytes, (place + 1) * hashBytes));
}

/** True for a tile that a tree of `size` leaves has. */
export function isTileOf(size: number, level: number, index: number): boolean {
  if (level === 0) return index < Math.floor(size / tileWidth);
  const nodes = Math.floor(size / tileWidth ** level);
  return index < Math.ceil(nodes / tileWidth);
}
