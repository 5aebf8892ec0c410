/** Finds the stored version rows of records, whose blocks are read once for many entries. */
import type { VersionBlock, VersionEntry } from "../codec/version-block.ts";
import { blockVersionsMax } from "../codec/version-block.ts";
import { StoreError } from "../errors.ts";
import type { RecordId, Version } from "../ids.ts";
import { BoundedCache } from "./bounded-cache.ts";
import type { CheckedStore } from "./parts.ts";

/** Blocks kept, at most 3.6 KiB each. */
const cachedBlocksMax = 4096;

/** A version's row and what stands before it. */
export interface PlacedRow {
  readonly block: VersionBlock;
  readonly row: VersionEntry;
  /** Undefined for version 1. */
  readonly previous: VersionEntry | undefined;
  /** The newest invalidation before this version; 0 for none. */
  readonly lastInvalidation: Version;
}

export class BlockRows {
  /** Keys of the blocks that cannot be read: a record's id, and for an older block `00` and its index. */
  readonly damaged = new Set<string>();
  readonly #store: CheckedStore;
  readonly #blocks = new BoundedCache<string, VersionBlock | StoreError>(cachedBlocksMax);

  constructor(store: CheckedStore) {
    this.#store = store;
  }

  /** The row of a version that the log holds. @throws `log-gap`, `entry-unreadable`, `checksum-mismatch` */
  find(recordId: RecordId, version: Version): PlacedRow {
    const block = this.#blockOf(recordId, version);
    const row = block.entry(version);
    if (version === 1) return { block, row, previous: undefined, lastInvalidation: 0 };
    const before = version > block.firstVersion ? block : this.#blockOf(recordId, version - 1);
    return {
      block,
      row,
      previous: before.entry(version - 1),
      lastInvalidation: before.lastInvalidationUpTo(version - 1),
    };
  }

  #blockOf(recordId: RecordId, version: Version): VersionBlock {
    const newest = this.#newest(recordId);
    const index = Math.floor((version - 1) / blockVersionsMax);
    const block = index < newest.index ? this.#older(recordId, index) : newest;
    if (version >= block.firstVersion && version <= block.lastVersion) return block;
    throw new StoreError(
      "log-gap",
      `The versions of ${JSON.stringify(recordId)} do not hold version ${version}, which the log makes.`,
    );
  }

  #newest(recordId: RecordId): VersionBlock {
    return this.#read(recordId, recordId, () => this.#store.state.block(recordId));
  }

  #older(recordId: RecordId, index: number): VersionBlock {
    // No record id holds a control character.
    const key = `${recordId}\0${index}`;
    return this.#read(key, recordId, () => this.#store.state.olderBlock(recordId, index));
  }

  #read(key: string, recordId: RecordId, read: () => VersionBlock | undefined): VersionBlock {
    const known = this.#blocks.get(key);
    if (known instanceof Error) throw known;
    if (known !== undefined) return known;
    try {
      const block = read();
      if (block === undefined) {
        throw new StoreError(
          "log-gap",
          `Versions of record ${JSON.stringify(recordId)} are missing from the store.`,
        );
      }
      if (!block.isWellFormed) {
        throw new StoreError(
          "entry-unreadable",
          `A version block of ${JSON.stringify(recordId)} has a shape that no writer makes.`,
        );
      }
      // Most records have one version, and nobody asks for their block again.
      if (block.lastVersion > 1) this.#blocks.set(key, block);
      return block;
    } catch (error) {
      this.damaged.add(key);
      if (error instanceof StoreError) this.#blocks.set(key, error);
      throw error;
    }
  }
}
