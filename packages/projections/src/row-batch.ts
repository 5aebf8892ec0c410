/** The changes of a batch of events on their way to the storage. */
import type { RecordedEvent } from "@sennit/core";
import { decodeMessagePack, frameHeaderBytes, type StorageEntry } from "@sennit/core/storage";

import { emptyStateHash } from "./checkpoint.ts";
import { stageKey, type KeyPart } from "./keys.ts";
import { PackedChanges } from "./packed-changes.ts";
import type { PackedTable } from "./packed-table.ts";
import type { ProjectionDefinition, Rows } from "./projection.ts";
import type { ProjectionRows } from "./projection-rows.ts";
import { RowTable } from "./row-table.ts";
import { assertRowValue, type RowValue } from "./row-value.ts";

/** Folds events into changes above the stored rows. Once `fold` has thrown, the batch must be thrown away. */
export class RowBatch {
  readonly #stored: ProjectionRows;
  readonly #definition: ProjectionDefinition;
  readonly #changes: RowTable;
  readonly #rows: Rows;
  #isFolding = false;
  #low: number;
  #high: number;

  /** Those of a batch that may still be on its way to the storage; all before it have arrived. */
  readonly #previous: RowTable | undefined;
  readonly #packed: PackedChanges;
  #eventCount = 0;

  constructor(
    stored: ProjectionRows,
    definition: ProjectionDefinition,
    stateHash: string,
    previous?: RowBatch,
  ) {
    this.#stored = stored;
    this.#previous = previous === undefined ? undefined : previous.#changes;
    this.#changes = new RowTable(this.#previous?.size);
    const isFirst = stateHash === emptyStateHash;
    this.#packed = new PackedChanges(
      stored,
      previous === undefined ? (isFirst ? "none" : undefined) : previous.#packed,
    );
    this.#definition = definition;
    this.#high = Number.parseInt(stateHash.slice(0, 8), 16);
    this.#low = Number.parseInt(stateHash.slice(8), 16);
    // An object of its own: a projection must find nothing else on what it is given.
    this.#rows = Object.freeze<Rows>({
      get: (table, key) => this.#get(table, key),
      put: (table, key, value) => this.#put(table, key, value),
      delete: (table, key) => this.#delete(table, key),
    });
  }

  /** The state hash after the events folded so far. */
  get stateHash(): string {
    return hex(this.#high) + hex(this.#low);
  }

  /** Rows changed so far. */
  get rowCount(): number {
    return this.#changes.size + this.#packed.size;
  }

  /** Events folded so far. */
  get eventCount(): number {
    return this.#eventCount;
  }

  /** The batch that goes on from this one while this one is being written. */
  next(): RowBatch {
    return new RowBatch(this.#stored, this.#definition, this.stateHash, this);
  }

  /** Applies the projection to an event. @throws whatever `apply` throws, and a TypeError when it is async */
  fold(event: RecordedEvent): void {
    this.#eventCount += 1;
    this.#isFolding = true;
    try {
      const returned: unknown = this.#definition.apply(event, this.#rows);
      if (isThenable(returned)) {
        // Whether it fails is of no interest any more, and must not end the process.
        Promise.resolve(returned).catch(() => undefined);
        throw new TypeError("apply returned a promise: a projection must not be async.");
      }
    } finally {
      this.#isFolding = false;
    }
  }

  /** What to write. */
  changes(): { readonly puts: StorageEntry[]; readonly deletes: Uint8Array[] } {
    const puts: StorageEntry[] = [];
    const deletes: Uint8Array[] = [];
    this.#changes.addTo(puts, deletes);
    this.#packed.addTo(puts, deletes);
    return { puts, deletes };
  }

  #get(table: string, key: readonly KeyPart[]): RowValue | undefined {
    const packed = this.#packedTable(table);
    if (packed !== undefined) return this.#packed.get(packed, key);
    const keyBytes = this.#stageKey(table, key);
    let change = this.#changes.get(keyBytes);
    if (change === undefined) change = this.#previous?.get(keyBytes);
    if (change === undefined) return this.#stored.get(table, key);
    // Decoded anew each time: a row handed out and changed by the caller must not differ from the one on the disk.
    return change === null
      ? undefined
      : (decodeMessagePack(change.subarray(frameHeaderBytes)) as RowValue);
  }

  #put(table: string, key: readonly KeyPart[], row: RowValue): void {
    assertRowValue(row);
    const packed = this.#packedTable(table);
    if (packed !== undefined) return this.#mix(this.#packed.put(packed, key, row));
    this.#mix(this.#changes.put(this.#stageKey(table, key), row));
  }

  #delete(table: string, key: readonly KeyPart[]): void {
    const packed = this.#packedTable(table);
    if (packed !== undefined) return this.#mix(this.#packed.delete(packed, key));
    this.#mix(this.#changes.delete(this.#stageKey(table, key)));
  }

  #stageKey(table: string, key: readonly KeyPart[]): number {
    return stageKey(key, this.#stored.tablePrefix(table));
  }

  #packedTable(table: string): PackedTable | undefined {
    if (!this.#isFolding) throw new TypeError("Rows may be used until apply returns, not after.");
    return this.#stored.packedTable(table);
  }

  /** Each row's checksum covers its key and value, so chaining those chains the rows. */
  #mix(checksum: number): void {
    this.#low = (Math.imul(this.#low ^ checksum, 0x01000193) + 0x9e3779b9) >>> 0;
    this.#high = (Math.imul(this.#high, 31) + (this.#low ^ (checksum >>> 7))) >>> 0;
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    "then" in value &&
    typeof value.then === "function"
  );
}

function hex(value: number): string {
  return value.toString(16).padStart(8, "0");
}
