/** One run at a time works on a backup: a file with the number of its process, and where that runs, says so. */
import { randomUUID } from "node:crypto";
import { constants, copyFile, link, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";

import { StoreError } from "../errors.ts";
import { isRunning } from "../running.ts";

/** Name of the lock, and what the names of files begin with that stand there while it changes hands. */
export const lockName = "backup.lock";
/** Each attempt takes away one lock that nobody holds. */
const attemptsMax = 3;

/**
 * Takes the lock of a backup. That of a process of this machine which has ended is taken over; that of another machine
 * never is, since nobody here can tell whether its process runs.
 *
 * @returns gives it back
 * @throws `backup-locked`
 */
export async function lockBackup(directory: string): Promise<() => Promise<void>> {
  const path = join(directory, lockName);
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    if (await makeLock(path)) {
      await removeUnfinished(directory);
      return () => rm(path, { force: true });
    }
    const text = await readFile(path, "utf8").catch(ifMissing);
    if (text === undefined) continue;
    refuseHeld(path, text);
    await removeLock(path, text);
  }
  throw new StoreError("backup-locked", "Another process works on the backup.");
}

/** Makes the lock with all that stands in it, in one step. @returns false when there is one already */
async function makeLock(path: string): Promise<boolean> {
  const own = `${path}.new-${randomUUID()}`;
  try {
    const file = await open(own, "wx");
    try {
      await file.writeFile(`${process.pid} ${hostname()}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await link(own, path).catch((error: unknown) => {
      if (codeOf(error) === "EEXIST") throw error;
      // Not every file system has links.
      return copyFile(own, path, constants.COPYFILE_EXCL);
    });
    return true;
  } catch (error) {
    // Its own file is gone when whoever got the lock meanwhile has removed it.
    if (codeOf(error) === "EEXIST" || codeOf(error) === "ENOENT") return false;
    throw error;
  } finally {
    await rm(own, { force: true });
  }
}

/** Removes locks that were never taken, of processes that ended before they could. The caller has the lock. */
async function removeUnfinished(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (name.startsWith(`${lockName}.new-`)) await rm(join(directory, name), { force: true });
  }
}

/** @throws `backup-locked` unless the lock is that of a process of this machine which has ended */
function refuseHeld(path: string, text: string): void {
  const [, digits, host = hostname()] = /^(\d+)(?: (\S+))?\n$/.exec(text) ?? [];
  const pid = Number(digits ?? 0);
  const isHere = host === hostname();
  if (pid > 0 && isHere && !isRunning(pid)) return;
  if (pid > 0 && isHere) {
    throw new StoreError("backup-locked", `Process ${pid} works on the backup.`, {
      details: { pid, host },
    });
  }
  const who = pid > 0 ? `Process ${pid} on ${host}` : "A process that does not say which";
  throw new StoreError("backup-locked", `${who} has locked the backup.`, {
    hint: `Wait for it. Once you know that it has ended, delete ${path}.`,
    details: { pid: pid > 0 ? pid : null, host: pid > 0 ? host : null },
  });
}

/** Removes the lock that was read, and no other: somebody else may have taken it over by now. */
async function removeLock(path: string, text: string): Promise<void> {
  const aside = `${path}.old-${randomUUID()}`;
  try {
    await rename(path, aside);
    if ((await readFile(aside, "utf8")) !== text) await link(aside, path);
  } catch (error) {
    if (codeOf(error) !== "ENOENT" && codeOf(error) !== "EEXIST") throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

function ifMissing(error: unknown): undefined {
  if (codeOf(error) !== "ENOENT") throw error;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
