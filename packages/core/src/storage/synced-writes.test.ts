/** S3 rests on one rule: nothing reaches LevelDB except through one synced write. */
import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";

import { expect, test } from "vitest";

const packages = join(import.meta.dirname, "..", "..", "..");

async function sources(): Promise<{ readonly path: string; readonly text: string }[]> {
  const found: { path: string; text: string }[] = [];
  for (const name of await readdir(packages)) {
    const entries = await readdir(join(packages, name, "src"), { recursive: true }).catch(() => []);
    for (const entry of entries) {
      if (!entry.endsWith(".ts") || entry.endsWith(".test.ts")) continue;
      const path = join(packages, name, "src", entry);
      found.push({ path: relative(packages, path), text: await readFile(path, "utf8") });
    }
  }
  return found;
}

const levelStorage = join("core", "src", "storage", "level-storage.ts");

test("S3: every write option is sync: true, and there is one", async () => {
  const uses = (await sources()).flatMap(({ path, text }) =>
    [...text.replaceAll(/\/\/.*/g, "").matchAll(/\bsync:\s*[^,}\s]+/g)].map(
      ([use]) => `${path}: ${use}`,
    ),
  );
  expect(uses).toEqual([`${levelStorage}: sync: true`]);
});

test("S3: only the Level storage opens Level and starts batches", async () => {
  const files = await sources();
  const using = (pattern: RegExp): string[] =>
    files.filter(({ text }) => pattern.test(text)).map(({ path }) => path);
  expect(files.length).toBeGreaterThan(40);
  // A repair has LevelDB mend a copy of a damaged database, and writes nothing to it.
  const readingCopy = join("core", "src", "repair", "reading-copy.ts");
  expect(using(/from "(level|classic-level|abstract-level|memory-level)"/)).toEqual([
    levelStorage,
    readingCopy,
  ]);
  expect(using(/\.batch\(/)).toEqual([levelStorage]);
  expect(using(/\b(level|db)\.(put|del|clear)\(/)).toEqual([]);
});

test("S3: the Level storage writes nothing but its one chained batch", async () => {
  const text = (await sources()).find(({ path }) => path === levelStorage)?.text ?? "";
  // What goes through `this.write` ends in the one batch.
  expect(text.match(/(?<!\bthis)\.write\(/g)).toHaveLength(1);
  expect(text.match(/\.put\(/g)).toHaveLength(1);
  expect(text).toMatch(/await chained\.write\(\{ sync: true \}\)/);
});
