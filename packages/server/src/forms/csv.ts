/** CSV as RFC 4180 has it, with cells that a spreadsheet does not take for formulas. */
import { stringify } from "csv-stringify/sync";

import type { RowsForm } from "../route.ts";

/** Lines written together. */
const linesPerPiece = 256;

/** A line of names, then a line for each item. A cell that begins like a formula gets a quote in front. */
export async function* csvTexts(
  items: AsyncIterable<unknown> | Iterable<unknown>,
  { columns }: RowsForm,
): AsyncGenerator<string> {
  yield textOf([columns]);
  const paths = columns.map((column) => column.split("."));
  let rows: (string | number)[][] = [];
  for await (const item of items) {
    rows.push(paths.map((path) => cellOf(item, path)));
    if (rows.length < linesPerPiece) continue;
    yield textOf(rows);
    rows = [];
  }
  if (rows.length > 0) yield textOf(rows);
}

function textOf(rows: readonly (readonly (string | number)[])[]): string {
  return stringify([...rows], {
    record_delimiter: "windows",
    escape_formulas: true,
    // Of the two characters that end a line, either alone would tear a cell.
    quoted_match: /[\r\n]/,
  });
}

/** Text and numbers as they are, nothing for what is absent or null, JSON for what has parts. */
function cellOf(item: unknown, path: readonly string[]): string | number {
  let value = item;
  for (const name of path) value = (value as Readonly<Record<string, unknown>> | undefined)?.[name];
  if (value === undefined || value === null) return "";
  return typeof value === "string" || typeof value === "number" ? value : JSON.stringify(value);
}
