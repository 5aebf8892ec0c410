/** Every changed bit in a file of a real LevelDB directory is noticed, and what a killed process leaves is not damage. */
import { randomBytes } from "node:crypto";
import { appendFile, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { Level } from "level";
import { expect, test } from "vitest";

import { withTemporaryDirectory } from "../../testing/temporary-directory.ts";
import { checkLevelFiles, type LevelFileCheck } from "./check-level-files.ts";
import { findTableFlaw } from "./table-file.ts";

type Db = Level<string, Buffer>;

async function write(directory: string, work: (db: Db) => Promise<void>): Promise<void> {
  const db = new Level<string, Buffer>(directory, { valueEncoding: "buffer", blockSize: 1024 });
  await db.open();
  await work(db);
  await db.close();
}

async function put(
  db: Db,
  name: string,
  count: number,
  value: (at: number) => Buffer,
): Promise<void> {
  for (let at = 0; at < count; at += 1) {
    await db.put(`${name}-${String(at).padStart(4, "0")}`, value(at), { sync: true });
  }
}

/** A database with tables of packed and of plain blocks, some of them compacted, and a write-ahead log. */
async function makeDatabase(directory: string): Promise<void> {
  await write(directory, async (db) => put(db, "a", 60, (at) => Buffer.alloc(200, at)));
  // Each opening makes a table of what the log held; the fourth table of a level is compacted with the others.
  for (let opening = 0; opening < 5; opening += 1) {
    await write(directory, async (db) => put(db, "b", 10 + opening, () => randomBytes(100)));
  }
  await write(directory, async (db) => put(db, "c", 40, () => randomBytes(90)));
}

async function flawed(directory: string): Promise<LevelFileCheck[]> {
  return (await checkLevelFiles(directory)).filter(({ flaw }) => flaw !== undefined);
}

async function nameOf(directory: string, pattern: RegExp): Promise<string> {
  const name = (await readdir(directory)).toSorted().findLast((file) => pattern.test(file));
  if (name === undefined) throw new Error(`There is no file ${pattern}.`);
  return name;
}

test("a sound database has every kind of file and no flaw, and a directory without one has no files", async () => {
  await withTemporaryDirectory(async (directory) => {
    expect(await checkLevelFiles(directory)).toEqual([]);
    await makeDatabase(directory);
    const checks = await checkLevelFiles(directory);
    const kinds = checks.map(({ kind }) => kind);
    expect(new Set(kinds)).toEqual(new Set(["current", "manifest", "wal", "table"]));
    expect(kinds.filter((kind) => kind === "table").length).toBeGreaterThan(1);
    expect(checks.filter((check) => check.flaw ?? check.tornAt !== undefined)).toEqual([]);
  });
});

test("a changed bit in any byte is noticed", async () => {
  await withTemporaryDirectory(async (directory) => {
    await makeDatabase(directory);
    const unnoticed: string[] = [];
    let flips = 0;
    for (const { name } of await checkLevelFiles(directory)) {
      const path = join(directory, name);
      const bytes = await readFile(path);
      for (let at = 0; at < bytes.length; at += 7) {
        const flipped = Buffer.from(bytes);
        flipped[at] = bytes.readUInt8(at) ^ (1 << (at % 8));
        await writeFile(path, flipped);
        const found = (await checkLevelFiles(directory)).filter(
          (check) => check.flaw !== undefined || check.tornAt !== undefined,
        );
        if (found.length === 0) unnoticed.push(`${name} at ${at}`);
        flips += 1;
      }
      await writeFile(path, bytes);
    }
    expect(flips).toBeGreaterThan(1000);
    expect(unnoticed).toEqual([]);
  });
});

test("no bit of a footer may change, not even one that LevelDB reads over", async () => {
  await withTemporaryDirectory(async (directory) => {
    await makeDatabase(directory);
    const bytes = await readFile(join(directory, await nameOf(directory, /\.ldb$/)));
    const unnoticed: string[] = [];
    for (let at = bytes.length - 48; at < bytes.length; at += 1) {
      for (let bit = 0; bit < 8; bit += 1) {
        const flipped = Buffer.from(bytes);
        flipped[at] = bytes.readUInt8(at) ^ (1 << bit);
        if (findTableFlaw(flipped) === undefined) unnoticed.push(`bit ${bit} at ${at}`);
      }
    }
    expect(findTableFlaw(bytes)).toBeUndefined();
    expect(unnoticed).toEqual([]);
  });
});

test("a write-ahead log cut short is torn, and a changed bit before its last record is damage", async () => {
  await withTemporaryDirectory(async (directory) => {
    await makeDatabase(directory);
    const path = join(directory, await nameOf(directory, /\.log$/));
    const bytes = await readFile(path);
    await truncate(path, bytes.length - 3);
    expect(await flawed(directory)).toEqual([]);
    expect(
      (await checkLevelFiles(directory)).find(({ kind }) => kind === "wal")?.tornAt,
    ).toBeDefined();
    await writeFile(path, Buffer.concat([bytes, Buffer.alloc(100)]));
    expect(await flawed(directory)).toEqual([]);
    // The length of the first record: LevelDB would leave out all that follow it.
    const longer = Buffer.from(bytes);
    longer[5] = bytes.readUInt8(5) ^ 0x40;
    await writeFile(path, longer);
    expect(await flawed(directory)).toEqual([
      {
        name: await nameOf(directory, /\.log$/),
        kind: "wal",
        flaw: { offset: 0, reason: "an unreadable record with others after it" },
      },
    ]);
  });
});

test("a record over several blocks that was cut anywhere is torn, unless another record follows", async () => {
  await withTemporaryDirectory(async (directory) => {
    await write(directory, async (db) => {
      await db.put("small", Buffer.alloc(10), { sync: true });
      await db.put("large", randomBytes(100_000), { sync: true });
    });
    const path = join(directory, await nameOf(directory, /\.log$/));
    const bytes = await readFile(path);
    const middle = Buffer.from(bytes);
    middle.fill(0, 20_000, 24_000);
    for (const cut of [bytes.subarray(0, 50_000), bytes.subarray(0, 65_536), middle]) {
      await writeFile(path, cut);
      expect(await flawed(directory)).toEqual([]);
    }
    await writeFile(path, bytes);
    await write(directory, async (db) => db.put("next", Buffer.alloc(10), { sync: true }));
    await write(directory, async (db) => {
      await db.put("large", randomBytes(100_000), { sync: true });
      await db.put("after", Buffer.alloc(10), { sync: true });
    });
    const log = join(directory, await nameOf(directory, /\.log$/));
    const spoiled = await readFile(log);
    spoiled.fill(0, 40_000, 41_000);
    await writeFile(log, spoiled);
    expect((await flawed(directory)).map(({ kind }) => kind)).toEqual(["wal"]);
  });
});

test.each([
  ["current", /^CURRENT$/],
  ["manifest", /^MANIFEST-/],
  ["wal", /\.log$/],
  ["table", /\.ldb$/],
] as const)("a %s that is missing, cut or longer is named", async (kind, pattern) => {
  await withTemporaryDirectory(async (directory) => {
    await makeDatabase(directory);
    const name = await nameOf(directory, pattern);
    const path = join(directory, name);
    const bytes = await readFile(path);
    if (kind === "current" || kind === "table") {
      await appendFile(path, "x");
      expect((await flawed(directory)).map((check) => check.name)).toEqual([name]);
      await truncate(path, bytes.length - 1);
      expect((await flawed(directory)).map((check) => check.name)).toEqual([name]);
      await writeFile(path, bytes);
      expect(await flawed(directory)).toEqual([]);
    }
    await rm(path);
    const names = (await flawed(directory)).map((check) => check.name);
    // Without CURRENT there is no database; whoever knows that there was one says so.
    expect(names).toEqual(kind === "current" ? [] : [name]);
  });
});
