/** One process at a time works on something: a file with the number of that process, and where it runs, says so. */
import { randomUUID } from "node:crypto";
import { constants, copyFile, link, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";

import type { StoreError } from "./errors.ts";
import { isRunning } from "./running.ts";

/** Who holds a lock, as far as the file tells. */
export interface LockHolder {
  /** Null when the file does not say. */
  readonly pid: number | null;
  readonly host: string | null;
  /** Runs on this machine, so it gives the lock back or ends; nobody can tell that of others. */
  readonly isHere: boolean;
}

/** Each attempt takes away one lock that nobody holds. */
const attemptsMax = 3;

/**
 * Takes a lock. That of a process of this machine which has ended is taken over; that of another machine never is, since
 * nobody here can tell whether its process runs. Beside it stand, while it changes hands, files whose names begin with its own.
 *
 * @param refusal the error for a lock that somebody has; undefined for somebody who got it in between
 * @returns gives it back
 */
export async function takeLock(
  path: string,
  refusal: (holder: LockHolder | undefined) => StoreError,
): Promise<() => Promise<void>> {
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    if (await makeLock(path)) {
      await removeUnfinished(path);
      return () => rm(path, { force: true });
    }
    const text = await readFile(path, "utf8").catch(ifMissing);
    if (text === undefined) continue;
    const holder = holderOf(text);
    if (!holder.isHere || holder.pid === null || isRunning(holder.pid)) throw refusal(holder);
    await removeLock(path, text);
  }
  throw refusal(undefined);
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
async function removeUnfinished(path: string): Promise<void> {
  const directory = dirname(path);
  for (const name of await readdir(directory)) {
    if (name.startsWith(`${basename(path)}.new-`)) await rm(join(directory, name), { force: true });
  }
}

function holderOf(text: string): LockHolder {
  const [, digits, host = hostname()] = /^(\d+)(?: (\S+))?\n$/.exec(text) ?? [];
  const pid = Number(digits ?? 0);
  if (pid === 0) return { pid: null, host: null, isHere: false };
  return { pid, host, isHere: host === hostname() };
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
