/** The packed rows that a batch of events changes, by the stored rows they stand in. */
import { crc32c, encodeMessagePack, frame, type StorageEntry } from "@sennit/core/storage";

import type { KeyPart } from "./keys.ts";
import {
  deletePackedRow,
  groupOf,
  packedOffset,
  packedRow,
  putPackedRow,
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

/** Groups by the parts of their keys, one level for each: quicker than putting the parts together. */
type Level = Map<KeyPart, Level | Group>;

/** Changes above the stored rows; one decoded group serves all changes of it. */
export class PackedChanges {
  readonly #stored: ProjectionRows;
  /** Those of a batch that may still be on its way to the storage. */
  readonly #previous: Level | undefined;
  /** By table, then as `Level` says. */
  readonly #byKey: Level = new Map();
  readonly #groups: Group[] = [];
  /** Highest number of a group of each table in the batches before this one; undefined when it is not known. */
  readonly #before: ReadonlyMap<string, number> | undefined;
  readonly #highest: Map<string, number>;

  /** @param previous the batch before this one, or `"none"` when nothing has been stored yet */
  constructor(stored: ProjectionRows, previous?: PackedChanges | "none") {
    this.#stored = stored;
    this.#previous = previous instanceof PackedChanges ? previous.#byKey : undefined;
    if (previous === "none") this.#before = new Map();
    else if (previous !== undefined && previous.#before !== undefined) {
      this.#before = previous.#highest;
    }
    this.#highest = new Map(this.#before);
  }

  /** Stored rows changed so far. */
  get size(): number {
    return this.#groups.length;
  }

  get(table: PackedTable, key: readonly KeyPart[]): RowValue | undefined {
    const offset = packedOffset(table, key);
    const group = find(this.#byKey, table, key) ?? find(this.#previous, table, key);
    const rows = group?.rows ?? this.#stored.group(table, key);
    return owned(packedRow(rows, offset));
  }

  /** @returns a number that stands for the change in the state hash */
  put(table: PackedTable, key: readonly KeyPart[], row: RowValue): number {
    const offset = packedOffset(table, key);
    const group = this.#group(table, key);
    putPackedRow(group.rows, offset, owned(row) as RowValue);
    const text = typeof row === "string" ? row : JSON.stringify(row);
    return mixText(Math.imul(group.hash ^ offset, mixPrime), text);
  }

  /** @returns a number that stands for the change in the state hash */
  delete(table: PackedTable, key: readonly KeyPart[]): number {
    const offset = packedOffset(table, key);
    const group = this.#group(table, key);
    deletePackedRow(group.rows, offset);
    return ~Math.imul(group.hash ^ offset, mixPrime);
  }

  /** Adds what is to be written. */
  addTo(puts: StorageEntry[], deletes: Uint8Array[]): void {
    for (const { key, rows } of this.#groups) {
      if (rows.length === 0) deletes.push(key);
      else puts.push([key, frame(checkedKey(key), encodeMessagePack(rows))]);
    }
  }

  #group(table: PackedTable, key: readonly KeyPart[]): Group {
    let level = levelIn(this.#byKey, table.name);
    const last = key.length - 1;
    for (let index = 0; index < last; index += 1) level = levelIn(level, key[index] as KeyPart);
    const number = groupOf(key[last] as number);
    const known = level.get(number) as Group | undefined;
    if (known !== undefined) return known;
    const before = find(this.#previous, table, key);
    const groupBytes = before?.key ?? this.#stored.groupKey(table, key);
    const group: Group = {
      key: groupBytes,
      hash: before?.hash ?? crc32c(checkedKey(groupBytes)),
      // What is on its way to the storage must not change any more.
      rows: before === undefined ? this.#storedRows(table, key, number) : [...before.rows],
    };
    level.set(number, group);
    this.#groups.push(group);
    if (number > (this.#highest.get(table.name) ?? -1)) this.#highest.set(table.name, number);
    return group;
  }

  /** Numbers are mostly positions: one that is higher than all before has not been stored, and need not be looked for. */
  #storedRows(table: PackedTable, key: readonly KeyPart[], number: number): PackedRows {
    const isNew = this.#before !== undefined && number > (this.#before.get(table.name) ?? -1);
    return isNew ? [] : this.#stored.group(table, key);
  }
}

function levelIn(level: Level, part: KeyPart): Level {
  const known = level.get(part);
  if (known !== undefined) return known as Level;
  const made: Level = new Map();
  level.set(part, made);
  return made;
}

function find(
  root: Level | undefined,
  table: PackedTable,
  key: readonly KeyPart[],
): Group | undefined {
  let level = root?.get(table.name) as Level | undefined;
  const last = key.length - 1;
  for (let index = 0; index < last && level !== undefined; index += 1) {
    level = level.get(key[index] as KeyPart) as Level | undefined;
  }
  return level?.get(groupOf(key[last] as number)) as Group | undefined;
}

const mixPrime = 0x01000193;

/** FNV-1a over the units of a text. @see draft-eastlake-fnv */
function mixText(seed: number, text: string): number {
  let hash = seed;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), mixPrime);
  }
  return hash >>> 0;
}

/** A row that nobody else can change. */
function owned(row: RowValue | undefined): RowValue | undefined {
  return typeof row === "object" && row !== null ? structuredClone(row) : row;
}
