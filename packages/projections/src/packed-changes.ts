/** The packed rows that a batch of events changes, by the stored rows they stand in. */
import { encodeMessagePack, frame, type StorageEntry } from "@sennit/core/storage";

import type { KeyPart } from "./keys.ts";
import {
  deletePackedRow,
  groupOf,
  packedOffset,
  packedRow,
  putPackedRow,
  toPackedRows,
  type PackedRows,
  type PackedTable,
} from "./packed-table.ts";
import { checkedKey, type ProjectionRows } from "./projection-rows.ts";
import type { RowValue } from "./row-value.ts";

/** One stored row as far as it is changed. */
interface Group {
  readonly key: Buffer;
  /** Of table and key: what tells its rows from those of others in the state hash. */
  readonly hash: number;
  readonly rows: PackedRows;
}

/** Changes above the stored rows; one decoded group serves all changes of it. */
export class PackedChanges {
  readonly #stored: ProjectionRows;
  /** Those of a batch that may still be on its way to the storage. */
  readonly #previous: ReadonlyMap<string, Group> | undefined;
  readonly #groups = new Map<string, Group>();

  constructor(stored: ProjectionRows, previous?: PackedChanges) {
    this.#stored = stored;
    this.#previous = previous === undefined ? undefined : previous.#groups;
  }

  /** Stored rows changed so far. */
  get size(): number {
    return this.#groups.size;
  }

  get(table: PackedTable, key: readonly KeyPart[]): RowValue | undefined {
    const offset = packedOffset(table, key);
    const text = groupText(table, key);
    const group = this.#groups.get(text) ?? this.#previous?.get(text);
    const rows = group?.rows ?? toPackedRows(this.#stored.group(table, key));
    return owned(packedRow(rows, offset));
  }

  /** @returns a number that stands for the change in the state hash */
  put(table: PackedTable, key: readonly KeyPart[], row: RowValue): number {
    const offset = packedOffset(table, key);
    const group = this.#group(table, key);
    putPackedRow(group.rows, offset, owned(row) as RowValue);
    const text = typeof row === "string" ? row : JSON.stringify(row);
    return mixText(Math.imul(group.hash ^ offset, 0x01000193), text);
  }

  /** @returns a number that stands for the change in the state hash */
  delete(table: PackedTable, key: readonly KeyPart[]): number {
    const offset = packedOffset(table, key);
    const group = this.#group(table, key);
    deletePackedRow(group.rows, offset);
    return ~Math.imul(group.hash ^ offset, 0x01000193);
  }

  /** Adds what is to be written. */
  addTo(puts: StorageEntry[], deletes: Uint8Array[]): void {
    for (const { key, rows } of this.#groups.values()) {
      if (rows.length === 0) deletes.push(key);
      else puts.push([key, frame(checkedKey(key), encodeMessagePack(rows))]);
    }
  }

  #group(table: PackedTable, key: readonly KeyPart[]): Group {
    const text = groupText(table, key);
    const known = this.#groups.get(text);
    if (known !== undefined) return known;
    const before = this.#previous?.get(text);
    const group: Group = {
      key: before?.key ?? this.#stored.groupKey(table, key),
      hash: before?.hash ?? mixText(0x811c9dc5, text),
      // What is on its way to the storage must not change any more.
      rows: before === undefined ? toPackedRows(this.#stored.group(table, key)) : [...before.rows],
    };
    this.#groups.set(text, group);
    return group;
  }
}

/** A text for each group: shorter work than its bytes. Lengths keep texts apart that hold what stands between parts. */
function groupText({ name }: PackedTable, key: readonly KeyPart[]): string {
  let text = name;
  const last = key.length - 1;
  for (let index = 0; index < last; index += 1) {
    const part = key[index];
    text +=
      typeof part === "string"
        ? `\\0${part.length}:${part}`
        : `\\0${typeof part === "number" ? "n" : "b"}${part}`;
  }
  return `${text}\\0${groupOf(key[last] as number)}`;
}

/** FNV-1a over the units of a text. @see draft-eastlake-fnv */
function mixText(seed: number, text: string): number {
  let hash = seed;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}

/** A row that nobody else can change. */
function owned(row: RowValue | undefined): RowValue | undefined {
  return typeof row === "object" && row !== null ? structuredClone(row) : row;
}
