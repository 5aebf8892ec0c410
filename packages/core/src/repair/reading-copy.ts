/** A copy of a damaged database that can be opened and read, so that nothing of the damaged one changes. */
import { copyFile, link, mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";

import { Level } from "level";

import { isStoreError } from "../errors.ts";
import { openError } from "../storage/level-errors.ts";
import { checkLevelFiles } from "../storage/level-files/check-level-files.ts";
import { findTableFlaw } from "../storage/level-files/table-file.ts";
import { assertUnused, openLevelStorage } from "../storage/level-storage.ts";
import type { Storage } from "../storage/storage.ts";

/** @throws `store-locked` when somebody has the database open */
export async function assertClosed(directory: string): Promise<void> {
  await assertUnused(directory).catch((error: unknown) => {
    throw isStoreError(error) ? error : openError(directory, error);
  });
}

/** A database as far as it can be read. */
export interface ReadingCopy {
  readonly storage: Storage;
  /** Files with damage. A table is left out whole, because LevelDB cannot be trusted with parts of one. */
  readonly damagedFiles: readonly string[];
  /** Closes and deletes the copy. */
  readonly remove: () => Promise<void>;
}

/**
 * Copies a LevelDB directory and opens the copy. Tables are linked, since LevelDB never changes one.
 *
 * @param copy the directory to make; what stands there is deleted
 */
export async function openReadingCopy(directory: string, copy: string): Promise<ReadingCopy> {
  await rm(copy, { recursive: true, force: true });
  await mkdir(copy);
  const flaws = (await checkLevelFiles(directory)).filter(({ flaw }) => flaw !== undefined);
  const damaged = new Set(flaws.map(({ name }) => name));
  const names = await readdir(directory);
  if (!names.includes("CURRENT")) damaged.add("CURRENT");
  for (const name of names) {
    const isTable = /^\d+\.(ldb|sst)$/.test(name);
    if (isTable && findTableFlaw(await readFile(join(directory, name))) !== undefined) {
      damaged.add(name);
    } else if (isTable) {
      await linkOrCopy(join(directory, name), join(copy, name));
    } else if (/^(CURRENT|MANIFEST-\d+|\d+\.log)$/.test(name)) {
      await copyFile(join(directory, name), join(copy, name));
    }
  }
  if (damaged.size > 0) await rebuild(copy);
  const storage = await openLevelStorage(copy);
  return {
    storage,
    damagedFiles: [...damaged].toSorted(),
    remove: async () => {
      await storage.close();
      await rm(copy, { recursive: true, force: true });
    },
  };
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch {
    // Not every file system has links.
    await copyFile(from, to);
  }
}

/** Lets LevelDB make a new list of its files from the files themselves, and tables of what its log still holds. */
async function rebuild(copy: string): Promise<void> {
  // The declarations of the package are those of every platform; on Node it has this too.
  const { repair } = Level as unknown as { repair: (location: string) => Promise<void> };
  await repair.call(Level, copy);
}
