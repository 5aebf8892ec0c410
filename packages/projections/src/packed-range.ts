/** Ranges of packed tables: whole stored rows are read, and what of them is outside the range is left out. */
import { encodeKey, type KeyPart } from "./keys.ts";
import { groupKey, toPackedRows, unpackedNumber, type PackedTable } from "./packed-table.ts";
import type { Row, RowRange } from "./projection-rows.ts";
import type { RowValue } from "./row-value.ts";

/** A range of stored rows that holds the rows of a range. */
export function groupRange({ keyParts }: PackedTable, range: RowRange): RowRange {
  const group = (key: readonly KeyPart[]) => (key.length === keyParts ? groupKey(key) : key);
  const { prefix, after, from, to, begins, signal } = range;
  const isAfterInGroup = after?.length === keyParts;
  // Of the stored row that `after` stands in, something may follow it.
  const starts = [...(isAfterInGroup ? [groupKey(after)] : []), ...(from ? [group(from)] : [])];
  return {
    prefix: group(prefix),
    after: isAfterInGroup ? undefined : after,
    from: starts.toSorted((one, other) => Buffer.compare(encodeKey(other), encodeKey(one)))[0],
    to: to && group(to),
    begins,
    signal,
  };
}

/** The rows of one stored row that are in a range, in order. */
export function* rowsOfGroup(
  { keyParts }: PackedTable,
  range: RowRange,
  storedKey: readonly KeyPart[],
  stored: RowValue,
): Generator<Row> {
  const others = storedKey.slice(0, -1);
  const group = storedKey[keyParts - 1] as number;
  const bounds = ([range.prefix, range.after, range.from, range.to] as const).map((bound) =>
    bound?.length === keyParts && others.every((part, index) => part === bound[index])
      ? (bound[keyParts - 1] as number)
      : undefined,
  );
  const [only, after = -1, from = 0, to = Infinity] = bounds;
  const rows = toPackedRows(stored);
  for (let index = 0; index < rows.length; index += 2) {
    const last = unpackedNumber(group, rows[index] as number);
    if (last <= after || last < from || last > to || (only !== undefined && last !== only))
      continue;
    yield { key: [...others, last], value: rows[index + 1] as RowValue };
  }
}
