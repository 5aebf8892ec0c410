/** SPEC.md against the tests: every test it names exists, and every rule has one. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const spec = await readFile(join(root, "SPEC.md"), "utf8");
const rules = Array.from({ length: 12 }, (_, index) => `S${index + 1}`);

interface Named {
  readonly file: string;
  readonly name: string;
}

function namedIn(text: string): Named[] {
  return [...text.matchAll(/^- `(src\/[^`]+)`: (.+)$/gm)].map(([, file = "", name = ""]) => ({
    file,
    name,
  }));
}

/** The part of the page that speaks of a rule. */
function section(rule: string): string {
  const start = spec.indexOf(`\n### ${rule} `);
  const end = spec.slice(start + 1).search(/\n##/);
  return start < 0 ? "" : spec.slice(start, start + 1 + end);
}

/** A test's declaration: its name as a string that follows an opening bracket. */
function declares(source: string, name: string): boolean {
  const at = source.indexOf(JSON.stringify(name));
  return at > 0 && /\(\s*$/.test(source.slice(0, at));
}

test("every test named in SPEC.md exists", async () => {
  const named = namedIn(spec);
  expect(named.length).toBeGreaterThan(60);
  const missing: Named[] = [];
  for (const { file, name } of named) {
    const source = await readFile(join(root, file), "utf8").catch(() => "");
    if (!declares(source, name)) missing.push({ file, name });
  }
  expect(missing).toEqual([]);
});

test.each(rules)("%s has a test", (rule) => {
  expect(namedIn(section(rule)).length).toBeGreaterThan(0);
});

test("every test that names a rule is listed under it", async () => {
  const unlisted: string[] = [];
  for (const file of await readdir(join(root, "src"), { recursive: true })) {
    if (!file.endsWith(".ts")) continue;
    const source = await readFile(join(root, "src", file), "utf8");
    for (const [, name = "", rule = ""] of source.matchAll(/"((S\d+)(?:-S\d+)?: [^"]+)"/g)) {
      const isListed = namedIn(section(rule)).some(
        (item) => item.name === name && item.file === `src/${file}`,
      );
      if (!isListed) unlisted.push(`${file}: ${name}`);
    }
  }
  expect(unlisted).toEqual([]);
});
