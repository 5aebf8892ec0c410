/** Both storages under one contract. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test } from "vitest";

import { codeOf, runStorageContract } from "../testing/storage-contract.ts";
import { withTemporaryDirectory } from "../testing/temporary-directory.ts";
import { openLevelStorage } from "./level-storage.ts";
import { openMemoryStorage } from "./memory-storage.ts";

runStorageContract("memory", async () => ({
  storage: openMemoryStorage(),
  remove: async () => {},
}));

runStorageContract("level", async () => {
  const directory = await mkdtemp(join(tmpdir(), "sennit-"));
  return {
    storage: await openLevelStorage(directory),
    remove: () => rm(directory, { recursive: true }),
  };
});

test("what Level has stored is there after closing and opening", async () => {
  await withTemporaryDirectory(async (directory) => {
    const storage = await openLevelStorage(directory);
    await storage.write({ puts: [[Buffer.from("a"), Buffer.from("b")]] });
    await storage.close();
    const again = await openLevelStorage(directory);
    expect(Buffer.from(again.get(Buffer.from("a")) ?? []).toString()).toBe("b");
    await again.close();
  });
});

test("a Level directory that is open cannot be opened a second time", async () => {
  await withTemporaryDirectory(async (directory) => {
    const storage = await openLevelStorage(directory);
    expect(await codeOf(() => openLevelStorage(directory))).toBe("store-locked");
    await storage.close();
  });
});
