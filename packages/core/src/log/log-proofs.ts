/** Proofs over a log: its root at any size, that an event is in it, that it only grew. */
import type { CommitRecord } from "../codec/commit-record.ts";
import { StoreError } from "../errors.ts";
import type { Position } from "../ids.ts";
import { Frontier } from "../merkle/frontier.ts";
import { emptyRoot } from "../merkle/hashing.ts";
import { consistencyProof, inclusionProof, rangeRoot, type SubtreeHash } from "../merkle/proofs.ts";
import { RememberedTiles } from "./remembered-tiles.ts";
import type { StoredTree } from "./stored-tree.ts";

/** The tree over the first `size` events. */
export interface LogTreeHead {
  readonly size: Position;
  /** 32 bytes. */
  readonly root: Buffer;
}

export class LogProofs {
  readonly #tree: StoredTree;
  readonly #commit: () => CommitRecord;

  /** @param commit gives what is durable at the moment */
  constructor(tree: StoredTree, commit: () => CommitRecord) {
    this.#tree = tree;
    this.#commit = commit;
  }

  /** Size and root of the first `size` events. @param size 0 to the head; default: the head */
  treeHead(size: Position = this.#commit().head): LogTreeHead {
    this.#assertSize(size);
    const { head, frontier } = this.#commit();
    const isCommitted = size === head;
    return {
      size,
      root: isCommitted ? new Frontier(size, frontier).root() : this.rootFromTiles(size),
    };
  }

  /** The right edge of the tree over the first `size` events, from which it can be grown again. @throws `argument-invalid` */
  frontier(size: Position): Frontier {
    this.#assertSize(size);
    const hashes: Buffer[] = [];
    let start = 0;
    for (let level = Math.floor(Math.log2(Math.max(1, size))) + 1; level >= 0; level -= 1) {
      const width = 2 ** level;
      if (start + width > size) continue;
      hashes.push(this.#tree.subtree(level, start / width));
      start += width;
    }
    return new Frontier(size, hashes);
  }

  /** The root of the first `size` events, worked out from the stored tiles. */
  rootFromTiles(size: Position): Buffer {
    return size === 0 ? emptyRoot : rangeRoot(this.#tree.subtree, 0, size);
  }

  /** The hashes that lead from an event to the root of the first `size` events. @throws `argument-invalid` */
  inclusionProof(position: Position, size: Position = this.#commit().head): Buffer[] {
    return this.#inclusionProof(this.#tree.subtree, position, size);
  }

  /** `inclusionProof` for many events in the order of their positions: hashes that several proofs need are made once. */
  inclusionProofs(): (position: Position, size: Position) => Buffer[] {
    const { subtree } = new RememberedTiles(this.#tree);
    return (position, size) => this.#inclusionProof(subtree, position, size);
  }

  #inclusionProof(subtree: SubtreeHash, position: Position, size: Position): Buffer[] {
    this.#assertSize(size);
    if (!Number.isInteger(position) || position < 1 || position > size) {
      throw new StoreError(
        "argument-invalid",
        `Position ${position} is not among the first ${size}.`,
        { details: { position, size } },
      );
    }
    return inclusionProof(subtree, position - 1, size);
  }

  /**
   * The hashes that show the first `from` events to be the beginning of the first `to`.
   *
   * @throws `argument-invalid`
   */
  consistencyProof(from: Position, to: Position = this.#commit().head): Buffer[] {
    this.#assertSize(to);
    if (!Number.isInteger(from) || from < 0 || from > to) {
      throw new StoreError("argument-invalid", `Size ${from} is not from 0 to ${to}.`, {
        details: { from, to },
      });
    }
    return consistencyProof(this.#tree.subtree, from, to);
  }

  #assertSize(size: Position): void {
    const { head } = this.#commit();
    if (Number.isInteger(size) && size >= 0 && size <= head) return;
    throw new StoreError("argument-invalid", `Size ${size} is not from 0 to the head, ${head}.`, {
      details: { size, head },
    });
  }
}
