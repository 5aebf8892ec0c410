/** A copy of a damaged database that can be opened and read, so that nothing of the damaged one changes. */
import { copyFile, link, mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";

import { Level } from "level";

import { isStoreError } from "../errors.ts";
import { storeInUse } from "../owner-file.ts";
import { openError } from "../storage/level-errors.ts";
import { checkLevelFiles } from "../storage/level-files/check-level-files.ts";
import { findTableFlaw, readSoundEntries } from "../storage/level-files/table-file.ts";
import { assertUnused, openLevelStorage } from "../storage/level-storage.ts";
import type { Storage, StorageEntry } from "../storage/storage.ts";
import { logDirectoryName } from "../store-directory.ts";
import { spaceOf } from "../verify/key-check.ts";

/** @throws `store-locked` when somebody has the store open */
export async function assertClosed(directory: string): Promise<void> {
  const log = join(directory, logDirectoryName);
  await assertUnused(log).catch(async (cause: unknown) => {
    const error = isStoreError(cause) ? cause : openError(log, cause);
    throw error.code === "store-locked" ? await storeInUse(directory, error) : error;
  });
}

/** A database as far as it can be read. */
export interface ReadingCopy {
  readonly storage: Storage;
  /** Files with damage. LevelDB is not given a damaged table; the log entries in its sound blocks are put in by themselves. */
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
    if (isTable(name) && findTableFlaw(await readFile(join(directory, name))) !== undefined) {
      damaged.add(name);
    } else if (isTable(name)) {
      await linkOrCopy(join(directory, name), join(copy, name));
    } else if (/^(CURRENT|MANIFEST-\d+|\d+\.log)$/.test(name)) {
      await copyFile(join(directory, name), join(copy, name));
    }
  }
  if (damaged.size > 0) await rebuild(copy);
  const storage = await openLevelStorage(copy);
  for (const name of damaged) {
    if (isTable(name)) await addSoundEntries(storage, join(directory, name));
  }
  return {
    storage,
    damagedFiles: [...damaged].toSorted(),
    remove: async () => {
      await storage.close();
      await rm(copy, { recursive: true, force: true });
    },
  };
}

function isTable(name: string): boolean {
  return /^\d+\.(ldb|sst)$/.test(name);
}

/**
 * Adds the log entries of a damaged table that are in no other file. They are written once and never changed but by an erasure,
 * which leaves no older one behind; of other keys an older value could be there.
 */
async function addSoundEntries(storage: Storage, path: string): Promise<void> {
  const bytes = await readFile(path).catch(() => Buffer.alloc(0));
  const puts: StorageEntry[] = [];
  for (const { key, value } of readSoundEntries(bytes)) {
    if (spaceOf(key) === "entry" && storage.get(key) === undefined) puts.push([key, value]);
  }
  // A table has about two mebibytes.
  if (puts.length > 0) await storage.write({ puts });
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
