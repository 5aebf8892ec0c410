/** The version blocks written last, so that the next event about one of their records need not read it. */
import type { VersionBlock } from "../codec/version-block.ts";
import type { RecordId } from "../ids.ts";

/** Blocks of a generation; each takes at most 3.6 KiB. */
const generationBlocks = 2048;

/**
 * A cache in two generations: blocks go into the young one, and when that is full it takes the old one's place. Nothing
 * is moved or deleted one by one, which would cost every append more than the blocks are worth.
 */
export class RecentBlocks {
  #young = new Map<RecordId, VersionBlock>();
  #old = new Map<RecordId, VersionBlock>();

  get(recordId: RecordId): VersionBlock | undefined {
    return this.#young.get(recordId) ?? this.#old.get(recordId);
  }

  set(recordId: RecordId, block: VersionBlock): void {
    if (this.#young.size >= generationBlocks) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(recordId, block);
  }

  delete(recordId: RecordId): void {
    this.#young.delete(recordId);
    this.#old.delete(recordId);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }
}
