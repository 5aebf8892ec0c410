/** The error reference and the codes are the same list, and every code in it can happen. */
import { errorCodes, type ErrorCategory, type ErrorCode } from "@sennit/core";
import { expect, test } from "vitest";

import { codeIn, sectionOf, sectionsOf, tablesOf } from "./support/markdown.ts";
import { readText, sourceFiles } from "./support/repository.ts";
import { exitCodes } from "../packages/cli/src/exit-codes.ts";

const reference = readText("docs/reference/errors.md");
const codes = Object.keys(errorCodes) as ErrorCode[];

function isSentence(text = ""): boolean {
  return /^[A-Z`].*\.$/.test(text);
}

/** `not-found` as the title of its section: `Not found`. */
function titleOf(category: ErrorCategory): string {
  return category.charAt(0).toUpperCase() + category.slice(1).replaceAll("-", " ");
}

function codesIn(title: string): string[] {
  const rows = tablesOf(sectionOf(reference, title).text).flatMap((table) => table.rows);
  return rows.map((row) => codeIn(row["Code"] ?? ""));
}

test("each category's section lists its codes, sorted, and no others", () => {
  for (const category of Object.keys(exitCodes) as ErrorCategory[]) {
    const declared = codes.filter((code) => errorCodes[code].category === category).toSorted();
    expect([category, codesIn(titleOf(category))]).toEqual([category, declared]);
  }
});

test("no other section documents codes", () => {
  const titles = new Set((Object.keys(exitCodes) as ErrorCategory[]).map(titleOf));
  const others = sectionsOf(reference).filter(({ title }) => !titles.has(title));
  const columns = others.flatMap(({ text }) => tablesOf(text).flatMap((table) => table.columns));
  expect(columns).not.toContain("Code");
});

test("the table of categories gives the exit codes of the command line", () => {
  const [table] = tablesOf(sectionOf(reference, "Categories").text);
  const documented = (table?.rows ?? []).map((row) => [
    codeIn(row["Category"] ?? ""),
    Number(row["Exit code"]),
  ]);
  expect(Object.fromEntries(documented)).toEqual(exitCodes);
  expect(documented).toHaveLength(Object.keys(exitCodes).length);
});

test("every code says when it happens and what to do", () => {
  const tables = sectionsOf(reference).flatMap(({ text }) => tablesOf(text));
  const rows = tables
    .filter(({ columns }) => columns.includes("Code"))
    .flatMap((table) => table.rows);
  const unsaid = rows.filter(
    (row) => !isSentence(row["Happens when"]) || !isSentence(row["What to do"]),
  );
  expect(rows).toHaveLength(codes.length);
  expect(unsaid).toEqual([]);
});

test("every code has a hint that is a sentence", () => {
  expect(codes.filter((code) => !/^[A-Z].*\S$/.test(errorCodes[code].hint))).toEqual([]);
});

test("every code is raised by a source file", () => {
  const text = sourceFiles()
    .filter((path) => !path.includes("/testing/"))
    .map(readText)
    .join("\n");
  const isRaised = (code: ErrorCode) =>
    new RegExp(`\\b(Store|Client)Error\\(\\s*"${code}"`).test(text);
  expect(codes.filter((code) => !isRaised(code))).toEqual([]);
});
