/** The configuration reference is true: its table is the server's table of settings. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { flagOf, settingNames, settingTable, variableOf } from "@sennit/server";
import { expect, test } from "vitest";

import { blocksOf, sectionOf, tablesOf } from "./support/markdown.ts";
import { readText, repositoryRoot } from "./support/repository.ts";

const page = "docs/reference/configuration.md";
/** With this variable set, the declared rows are written into the page instead of being compared. */
const isUpdating = process.env["SENNIT_UPDATE_DOCS"] === "1";

const titles = ["Setting", "Flag", "Variable", "Default", "Range", "Meaning"];

function declaredRows(): string[][] {
  return settingNames.map((name) => {
    const { default: usual, range, description } = settingTable[name];
    const isNone = usual === undefined || (Array.isArray(usual) && usual.length === 0);
    const shown = isNone ? "none" : `\`${String(usual)}\``;
    return [
      `\`${name}\``,
      `\`${flagOf(name)}\``,
      `\`${variableOf(name)}\``,
      shown,
      range,
      description,
    ];
  });
}

test("the table of the page is the table of settings", () => {
  const rows = declaredRows();
  if (isUpdating) {
    const lines = [titles, titles.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`);
    const text = readText(page);
    const { text: section } = sectionOf(text, "Settings");
    const updated = text.replace(section, () => `\n${lines.join("\n")}\n`);
    writeFileSync(join(repositoryRoot, page), updated);
    return;
  }
  const [table] = tablesOf(sectionOf(readText(page), "Settings").text);
  expect(table?.columns).toEqual(titles);
  expect(table?.rows.map((row) => titles.map((title) => row[title]))).toEqual(rows);
});

test("the file shown is one that is taken", () => {
  const [block] = blocksOf(sectionOf(readText(page), "In a file").text);
  const shown = JSON.parse(block?.text ?? "") as Record<string, unknown>;
  for (const [name, value] of Object.entries(shown)) {
    const setting = settingTable[name as keyof typeof settingTable];
    expect(setting.fromValue(value)).toEqual(value);
  }
});

test("no two settings share a variable, and none takes that of a client", () => {
  const variables = settingNames.map(variableOf);
  const clients = ["SENNIT_STORE", "SENNIT_TOKEN", "SENNIT_CONFIG"];
  expect(new Set([...variables, ...clients]).size).toBe(variables.length + clients.length);
});
