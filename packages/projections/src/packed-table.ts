/**
 * Packed tables: rows whose keys end in a whole number, of which up to 256 with neighbouring numbers stand in one stored
 * row.
 *
 * A stored row costs the same to write whether it is small or large, so an index whose values are shared by many records
 * is several times cheaper this way. To those who read and write rows, a packed table looks like any other.
 */
import type { KeyPart } from "./keys.ts";
import type { RowValue } from "./row-value.ts";

/** Numbers of one stored row: the bits of the last part of the key that do not name it. */
const groupBits = 8;
const groupSize = 2 ** groupBits;

/** A table whose rows are packed. */
export interface PackedTable {
  readonly name: string;
  /** Parts of every key; the last is a whole number from 0. */
  readonly keyParts: number;
}

/**
 * The place of a row within its stored row, 0-255.
 *
 * @throws TypeError for a key of another length, or one that does not end in a whole number from 0
 */
export function packedOffset({ name, keyParts }: PackedTable, key: readonly KeyPart[]): number {
  const last = key[keyParts - 1];
  if (
    key.length !== keyParts ||
    typeof last !== "number" ||
    !Number.isSafeInteger(last) ||
    last < 0
  ) {
    throw new TypeError(
      `A key of table "${name}" has ${keyParts} parts, and the last is a whole number from 0.`,
    );
  }
  return last % groupSize;
}

/** The key of the stored row that a row stands in. */
export function groupKey(key: readonly KeyPart[]): KeyPart[] {
  return [...key.slice(0, -1), groupOf(key.at(-1) as number)];
}

/** The number of the stored row that a number stands in. */
export function groupOf(last: number): number {
  return Math.floor(last / groupSize);
}

/** What a stored row holds: offset and row, one after another, by rising offset. */
export type PackedRows = RowValue[];

/** @throws TypeError for a value that is no stored row of a packed table */
export function toPackedRows(value: RowValue | undefined): PackedRows {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new TypeError("A stored row of a packed table is a list.");
  return value as PackedRows;
}

/** The row at an offset. */
export function packedRow(rows: PackedRows, offset: number): RowValue | undefined {
  const at = placeOf(rows, offset);
  return rows[at] === offset ? rows[at + 1] : undefined;
}

/** Puts a row at an offset, in the place of one that is there. */
export function putPackedRow(rows: PackedRows, offset: number, row: RowValue): void {
  const at = placeOf(rows, offset);
  if (at === rows.length) rows.push(offset, row);
  else if (rows[at] === offset) rows[at + 1] = row;
  else rows.splice(at, 0, offset, row);
}

/** Removes the row at an offset, if there is one. */
export function deletePackedRow(rows: PackedRows, offset: number): void {
  const at = placeOf(rows, offset);
  if (rows[at] === offset) rows.splice(at, 2);
}

/** The index of the first offset that is not below this one. */
function placeOf(rows: PackedRows, offset: number): number {
  // Most rows come in the order of their numbers.
  if (rows.length === 0 || (rows.at(-2) as number) < offset) return rows.length;
  let low = 0;
  let high = rows.length / 2;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((rows[2 * middle] as number) < offset) low = middle + 1;
    else high = middle;
  }
  return 2 * low;
}

/** The last part of the key of a row at a place of a group. */
export function unpackedNumber(group: number, offset: number): number {
  return group * groupSize + offset;
}

/** The packed ones of a definition's tables, by name. */
export function packedTables(
  tables: readonly (string | PackedTable)[],
): ReadonlyMap<string, PackedTable> {
  const packed = new Map<string, PackedTable>();
  for (const table of tables) if (typeof table !== "string") packed.set(table.name, table);
  return packed;
}
