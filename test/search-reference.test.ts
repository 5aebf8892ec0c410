/** The search reference is true: its fields, operators, limits and examples are those of the parser. */
import { limits } from "@sennit/core";
import { expect, test } from "vitest";

import { codeIn, sectionOf, tablesOf } from "./support/markdown.ts";
import { readText } from "./support/repository.ts";
import { searchFields } from "../packages/projections/src/search/fields.ts";
import { parseQuery } from "../packages/projections/src/search/parse-query.ts";

const reference = readText("docs/reference/search.md");

function rowsOf(title: string): Readonly<Record<string, string>>[] {
  return tablesOf(sectionOf(reference, title).text).flatMap((table) => table.rows);
}

function codesIn(text = ""): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code);
}

test("the table of fields is the one of the parser", () => {
  const documented = rowsOf("Fields").map((row) => [
    codeIn(row["Field"] ?? ""),
    codesIn(row["Operators"]),
    row["Value"],
  ]);
  const declared = Object.entries(searchFields).map(([name, { operators, value, hasPath }]) => [
    hasPath === true ? `${name}.` : name,
    operators,
    value,
  ]);
  expect(documented).toEqual(declared);
});

test("operators and types of values are explained, all of them", () => {
  const operators = new Set(Object.values(searchFields).flatMap((field) => field.operators));
  expect(rowsOf("Operators").flatMap((row) => codesIn(row["Operator"]))).toEqual([...operators]);
  const values = new Set(Object.values(searchFields).map(({ value }) => value));
  expect(new Set(rowsOf("Values").map((row) => row["Value"]))).toEqual(values);
});

test("every value shown can be asked for", () => {
  const fieldOf = { text: "kind:", value: "tag.x=", status: "status:", time: "created:" };
  const fields: Readonly<Record<string, string>> = { ...fieldOf, count: "version:", ref: "from:" };
  for (const row of rowsOf("Values")) {
    for (const value of codesIn(row["Written"])) {
      const field = fields[row["Value"] ?? ""] ?? "";
      expect(() => parseQuery(`${field}${value}`)).not.toThrow();
    }
  }
});

test("the limits named are the limits", () => {
  const { text } = sectionOf(reference, "Grammar");
  expect(text).toContain(`${limits.queryBytesMax.toLocaleString("en-US")} bytes`);
  expect(text).toContain(`${limits.queryDepthMax} parentheses`);
});
