/** The lock of a backup: one holder at a time, and nobody is robbed of it. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";

import { expect, test } from "vitest";

import { codeOf } from "../testing/storage-contract.ts";
import { withTemporaryDirectory } from "../testing/temporary-directory.ts";
import { lockBackup } from "./lock.ts";

test("a lock says which process of which machine holds it, and is gone when it is given back", async () => {
  await withTemporaryDirectory(async (directory) => {
    await writeFile(join(directory, "backup.lock.new-1"), "");
    const unlock = await lockBackup(directory);
    expect(await readFile(join(directory, "backup.lock"), "utf8")).toBe(
      `${process.pid} ${hostname()}\n`,
    );
    expect(await readdir(directory)).toEqual(["backup.lock"]);
    expect(await codeOf(() => lockBackup(directory))).toBe("backup-locked");
    await unlock();
    expect(await readdir(directory)).toEqual([]);
  });
});

test.each([
  ["no process yet", ""],
  ["half a number", "99999999"],
  ["a process of another machine", "999999999 elsewhere.example\n"],
  ["anything else", "locked\n"],
])("a lock that names %s is not taken over", async (_what, text) => {
  await withTemporaryDirectory(async (directory) => {
    const path = join(directory, "backup.lock");
    await writeFile(path, text);
    expect(await codeOf(() => lockBackup(directory))).toBe("backup-locked");
    expect(await readFile(path, "utf8")).toBe(text);
    expect(await readdir(directory)).toEqual(["backup.lock"]);
  });
});

test("of many who find the lock of a process that has ended, one takes it over", async () => {
  await withTemporaryDirectory(async (directory) => {
    await writeFile(join(directory, "backup.lock"), `999999999 ${hostname()}\n`);
    const codes = await Promise.all(
      Array.from({ length: 8 }, () => codeOf(() => lockBackup(directory))),
    );
    expect(codes.filter((code) => code === "no error")).toHaveLength(1);
    expect(await readdir(directory)).toEqual(["backup.lock"]);
  });
});
