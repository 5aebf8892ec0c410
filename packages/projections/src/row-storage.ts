/** The rows of projections in a storage: reading them, and writing them together with their checkpoint. */
import type { Position } from "@sennit/core";
import {
  crc32c,
  decodeMessagePack,
  encodeMessagePack,
  frame,
  unframe,
  type Storage,
  type StorageEntry,
} from "@sennit/core/storage";

import { decodeKey, encodeKey, type KeyPart } from "./keys.ts";
import type { ProjectionDefinition, Rows, RowValue } from "./projection.ts";

/** How far a projection has been applied, and to which log. Written in one batch with the rows. */
export interface Checkpoint {
  readonly position: Position;
  /** Hash of the event at that position: another log has another one there. Empty at 0. */
  readonly eventHash: string;
  /** A running digest of every change of a row in order: equal for equal folds, however they were split. */
  readonly stateHash: string;
}

export const emptyCheckpoint: Checkpoint = {
  position: 0,
  eventHash: "",
  stateHash: "0000000000000000",
};

/** One row found by a scan. */
export interface Row {
  readonly key: readonly KeyPart[];
  readonly value: RowValue;
}

/** A range of one table: the rows whose keys begin with the prefix. */
export interface RowRange {
  readonly prefix: readonly KeyPart[];
  /** Only rows after this key; it must begin with the prefix. */
  readonly after?: readonly KeyPart[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

const checkpointSpace = 0x63;
const rowSpace = 0x72;

/** The stored rows of one projection. */
export class ProjectionRows {
  readonly #storage: Storage;
  readonly #definition: ProjectionDefinition;
  readonly #checkpointKey: Buffer;

  constructor(storage: Storage, definition: ProjectionDefinition) {
    this.#storage = storage;
    this.#definition = definition;
    this.#checkpointKey = Buffer.concat([Buffer.from([checkpointSpace]), Buffer.from(this.#label)]);
  }

  get #label(): string {
    return `${this.#definition.name}@${this.#definition.version}`;
  }

  /** The checkpoint, or the empty one when nothing has been applied. @throws `checksum-mismatch` */
  checkpoint(): Checkpoint {
    const value = this.#storage.get(this.#checkpointKey);
    if (value === undefined) return emptyCheckpoint;
    const body = unframe(this.#checkpointKey, value, () => `the checkpoint of ${this.#label}`);
    return decodeMessagePack(body) as Checkpoint;
  }

  /** The bytes under which a row stands. */
  rowKey(table: string, key: readonly KeyPart[]): Buffer {
    return Buffer.concat([this.#tablePrefix(table), encodeKey(key)]);
  }

  get(table: string, key: readonly KeyPart[]): RowValue | undefined {
    const rowKey = this.rowKey(table, key);
    const value = this.#storage.get(rowKey);
    return value === undefined ? undefined : this.#decode(table, rowKey, value);
  }

  /** Rows in the order of their keys. */
  async *scan(table: string, { prefix, after, signal }: RowRange): AsyncGenerator<Row> {
    const tablePrefix = this.#tablePrefix(table);
    const start = Buffer.concat([tablePrefix, encodeKey(prefix)]);
    // No key part begins with ff, so every key with the prefix is below prefix + ff, and the next one is at least it.
    const from =
      after === undefined
        ? start
        : Buffer.concat([tablePrefix, encodeKey(after), Buffer.from([0xff])]);
    const until = Buffer.concat([start, Buffer.from([0xff])]);
    for await (const chunk of this.#storage.scan({ from, until, signal })) {
      for (const [key, value] of chunk) {
        const parts = decodeKey(Buffer.from(key).subarray(tablePrefix.length));
        yield { key: parts, value: this.#decode(table, key, value) };
      }
    }
  }

  /** Writes changed rows and the checkpoint that goes with them, atomically and durably. */
  async write(
    puts: readonly StorageEntry[],
    deletes: readonly Uint8Array[],
    checkpoint: Checkpoint,
  ): Promise<void> {
    const value = frame(this.#checkpointKey, encodeMessagePack(checkpoint));
    await this.#storage.write({ puts: [...puts, [this.#checkpointKey, value]], deletes });
  }

  /** Removes every row and the checkpoint. */
  async clear(): Promise<void> {
    await this.#storage.write({ puts: [], deletes: [this.#checkpointKey] });
    for (const table of this.#definition.tables) {
      const from = this.#tablePrefix(table);
      const until = Buffer.concat([from, Buffer.from([0xff])]);
      for await (const chunk of this.#storage.scan({ from, until })) {
        await this.#storage.write({ puts: [], deletes: chunk.map(([key]) => key) });
      }
    }
  }

  #tablePrefix(table: string): Buffer {
    return Buffer.concat([Buffer.from([rowSpace]), Buffer.from(`${this.#label}\0${table}\0`)]);
  }

  #decode(table: string, key: Uint8Array, value: Uint8Array): RowValue {
    return decodeMessagePack(
      unframe(key, value, () => `a row of ${this.#label} ${table}`),
    ) as RowValue;
  }
}

/** The rows as `apply` sees them: stored ones below the changes of the batch being folded. */
export class RowBatch implements Rows {
  readonly #rows: ProjectionRows;
  readonly #tables: ReadonlySet<string>;
  readonly #changed = new Map<
    string,
    { key: Buffer; value: Buffer | undefined; row: RowValue | undefined }
  >();
  #low: number;
  #high: number;

  constructor(rows: ProjectionRows, definition: ProjectionDefinition, stateHash: string) {
    this.#rows = rows;
    this.#tables = new Set(definition.tables);
    this.#low = Number.parseInt(stateHash.slice(8), 16);
    this.#high = Number.parseInt(stateHash.slice(0, 8), 16);
  }

  get stateHash(): string {
    return hex(this.#high) + hex(this.#low);
  }

  /** Rows changed so far. */
  get size(): number {
    return this.#changed.size;
  }

  get(table: string, key: readonly KeyPart[]): RowValue | undefined {
    const changed = this.#changed.get(this.#rowKey(table, key).toString("latin1"));
    return changed === undefined ? this.#rows.get(table, key) : changed.row;
  }

  put(table: string, key: readonly KeyPart[], row: RowValue): void {
    const rowKey = this.#rowKey(table, key);
    const value = frame(rowKey, encodeMessagePack(row));
    this.#changed.set(rowKey.toString("latin1"), { key: rowKey, value, row });
    this.#mix(value.readUInt32LE(0));
  }

  delete(table: string, key: readonly KeyPart[]): void {
    const rowKey = this.#rowKey(table, key);
    this.#changed.set(rowKey.toString("latin1"), { key: rowKey, value: undefined, row: undefined });
    this.#mix(~crc32c(rowKey) >>> 0);
  }

  /** What to write. */
  changes(): { readonly puts: StorageEntry[]; readonly deletes: Uint8Array[] } {
    const puts: StorageEntry[] = [];
    const deletes: Uint8Array[] = [];
    for (const { key, value } of this.#changed.values()) {
      if (value === undefined) deletes.push(key);
      else puts.push([key, value]);
    }
    return { puts, deletes };
  }

  #rowKey(table: string, key: readonly KeyPart[]): Buffer {
    if (!this.#tables.has(table)) throw new TypeError(`The projection has no table "${table}".`);
    return this.#rows.rowKey(table, key);
  }

  /** Each row's checksum covers its key and value, so chaining those chains the rows. */
  #mix(checksum: number): void {
    this.#low = (Math.imul(this.#low ^ checksum, 0x01000193) + 0x9e3779b9) >>> 0;
    this.#high = (Math.imul(this.#high, 31) + (this.#low ^ (checksum >>> 7))) >>> 0;
  }
}

function hex(value: number): string {
  return value.toString(16).padStart(8, "0");
}
