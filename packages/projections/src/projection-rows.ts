/** Reads the stored rows of a projection, and says so when what is stored is not what was written. */
import { isStoreError, StoreError } from "@sennit/core";
import { decodeMessagePack, unframe, type Storage } from "@sennit/core/storage";

import { rowPrefixBytes, rowsPrefix } from "./checkpoint.ts";
import { decodeKey, encodeKey, textEndBytes, type KeyPart } from "./keys.ts";
import { groupRange, rowsOfGroup } from "./packed-range.ts";
import {
  groupKey,
  packedOffset,
  packedTables,
  packedRow,
  toPackedRows,
  type PackedRows,
  type PackedTable,
} from "./packed-table.ts";
import { tableName, type ProjectionDefinition } from "./projection.ts";
import type { RowValue } from "./row-value.ts";

/** One row found by a scan. */
export interface Row {
  readonly key: readonly KeyPart[];
  readonly value: RowValue;
}

/** A range of one table: the rows whose keys begin with the prefix. */
export interface RowRange {
  readonly prefix: readonly KeyPart[];
  /** Only rows after this key and all keys that begin with it; it must begin with the prefix. */
  readonly after?: readonly KeyPart[] | undefined;
  /** Only rows at or after this key. */
  readonly from?: readonly KeyPart[] | undefined;
  /** Only rows up to this key and all keys that begin with it. */
  readonly to?: readonly KeyPart[] | undefined;
  /** Only rows in whose keys a text that begins with this one follows the prefix. */
  readonly begins?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The stored rows of one projection, for reading. */
export class ProjectionRows {
  readonly #storage: Storage;
  readonly #name: string;
  readonly #tablePrefixes: ReadonlyMap<string, Buffer>;
  readonly #packed: ReadonlyMap<string, PackedTable>;
  readonly #onDamage: () => void;
  #isRetired = false;
  #scans = 0;
  #onUnused: (() => void) | undefined;

  /** @param onDamage called whenever a row turns out to be damaged, before the error is thrown */
  constructor(storage: Storage, definition: ProjectionDefinition, onDamage: () => void) {
    this.#storage = storage;
    this.#name = definition.name;
    this.#onDamage = onDamage;
    const names = definition.tables.map(tableName);
    this.#tablePrefixes = new Map(names.map((name) => [name, rowsPrefix(name)]));
    this.#packed = packedTables(definition.tables);
  }

  /** From now on every read is refused: others have taken the place of these rows, which are being removed. */
  retire(): void {
    this.#isRetired = true;
  }

  /** Resolves once no scan is at work. */
  unused(): Promise<void> {
    if (this.#scans === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onUnused = resolve;
    });
  }

  /** The bytes under which a row stands. @throws TypeError for a table the projection does not have */
  rowKey(table: string, key: readonly KeyPart[]): Buffer {
    return encodeKey(key, this.tablePrefix(table));
  }

  /** @throws `checksum-mismatch`, `view-rebuilt` */
  get(table: string, key: readonly KeyPart[]): RowValue | undefined {
    const packed = this.#packed.get(table);
    if (packed === undefined) return this.getAt(table, this.rowKey(table, key));
    return packedRow(this.group(packed, key), packedOffset(packed, key));
  }

  /** What a table of the definition that is packed says of itself. */
  packedTable(table: string): PackedTable | undefined {
    return this.#packed.get(table);
  }

  /** The bytes under which the stored row stands that a row of a packed table stands in. */
  groupKey({ name }: PackedTable, key: readonly KeyPart[]): Buffer {
    return this.rowKey(name, groupKey(key));
  }

  /** What stands in the stored row of a row of a packed table. @throws `checksum-mismatch`, `view-rebuilt` */
  group(table: PackedTable, key: readonly KeyPart[]): PackedRows {
    const stored = this.getAt(table.name, this.groupKey(table, key));
    return this.#guard(table.name, () => toPackedRows(stored));
  }

  /** The row under a key that `rowKey` made. @throws `checksum-mismatch`, `view-rebuilt` */
  getAt(table: string, rowKey: Buffer): RowValue | undefined {
    this.#assertInPlace();
    return this.#guard(table, () => {
      const value = this.#storage.get(rowKey);
      return value === undefined ? undefined : decodeRow(rowKey, value);
    });
  }

  /** Rows in the order of their keys, all of one state. @throws `checksum-mismatch`, `view-rebuilt`, `aborted` */
  async *scan(table: string, range: RowRange): AsyncGenerator<Row> {
    this.#assertInPlace();
    const tablePrefix = this.tablePrefix(table);
    const packed = this.#packed.get(table);
    const stored = packed === undefined ? range : groupRange(packed, range);
    const chunks = this.#storage.scan({ ...keyRange(stored, tablePrefix), signal: range.signal });
    this.#scans += 1;
    try {
      for await (const chunk of chunks) {
        for (const [storedKey, storedValue] of chunk) {
          const key = decodeKey(storedKey.subarray(tablePrefix.length));
          const value = decodeRow(storedKey, storedValue);
          if (packed === undefined) yield { key, value };
          else yield* rowsOfGroup(packed, range, key, value);
        }
      }
    } catch (error) {
      throw this.#explain(table, error);
    } finally {
      this.#scans -= 1;
      if (this.#scans === 0) this.#onUnused?.();
    }
  }

  #assertInPlace(): void {
    if (this.#isRetired) throw this.#rebuilt();
  }

  #rebuilt(): StoreError {
    return new StoreError(
      "view-rebuilt",
      `The rows of projection "${this.#name}" have been made anew.`,
      { details: { projection: this.#name } },
    );
  }

  #guard<T>(table: string, read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw this.#explain(table, error);
    }
  }

  /** Whatever else comes from the storage than its being closed means that its bytes are not those written. */
  #explain(table: string, error: unknown): unknown {
    if (this.#isRetired) return this.#rebuilt();
    if (isStoreError(error) && error.code !== "checksum-mismatch") return error;
    if (isNotOpen(error)) {
      return new StoreError("store-closed", "The views are closed.", { cause: error });
    }
    this.#onDamage();
    const reason = error instanceof Error ? error.message : String(error);
    return new StoreError(
      "checksum-mismatch",
      `A row of projection "${this.#name}", table "${table}", cannot be read: ${reason}`,
      {
        cause: error,
        hint: "Ask again: the projection is being made again from the log, which is not affected.",
        details: { projection: this.#name, table },
      },
    );
  }

  /** What the keys of all rows of a table begin with. @throws TypeError for a table the projection does not have */
  tablePrefix(table: string): Buffer {
    const prefix = this.#tablePrefixes.get(table);
    if (prefix !== undefined) return prefix;
    throw new TypeError(`Projection "${this.#name}" has no table "${table}".`);
  }
}

/** What a row's checksum covers besides its value: table and key. */
export function checkedKey(rowKey: Uint8Array): Uint8Array {
  return rowKey.subarray(rowPrefixBytes);
}

/** Level says so when it was closed during a read. */
function isNotOpen(error: unknown): boolean {
  return error instanceof Error && "code" in error && String(error.code).endsWith("_NOT_OPEN");
}

function decodeRow(rowKey: Uint8Array, value: Uint8Array): RowValue {
  return decodeMessagePack(unframe(checkedKey(rowKey), value, () => "a row")) as RowValue;
}

/** No key part begins with ff, so every key with a prefix is below prefix + ff, and the next one is at least it. */
function keyRange(
  { prefix, after, from, to, begins }: RowRange,
  tablePrefix: Buffer,
): { readonly from: Buffer; readonly until: Buffer } {
  const start =
    begins === undefined
      ? encodeKey(prefix, tablePrefix)
      : encodeKey([...prefix, begins], tablePrefix).subarray(0, -textEndBytes);
  const starts = [start];
  if (after !== undefined) starts.push(beyond(encodeKey(after, tablePrefix)));
  if (from !== undefined) starts.push(encodeKey(from, tablePrefix));
  const until = beyond(to === undefined ? start : encodeKey(to, tablePrefix));
  const first = starts.reduce((high, key) => (Buffer.compare(key, high) > 0 ? key : high));
  return { from: first, until };
}

function beyond(key: Buffer): Buffer {
  const end = Buffer.allocUnsafe(key.length + 1);
  key.copy(end);
  end[key.length] = 0xff;
  return end;
}
