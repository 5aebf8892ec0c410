/**
 * Puts a repaired log in the place of the damaged one, which is kept.
 *
 * Once its journal stands in the store, the swap is decided: whoever opens the store next finishes what is left of it. Each
 * step can be done again.
 */
import { appendFile, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";

import { isStoreError, StoreError } from "../errors.ts";
import { isPlainObject } from "../event/json.ts";
import { openLevelStorage } from "../storage/level-storage.ts";
import type { Storage } from "../storage/storage.ts";
import {
  acknowledgedName,
  fileError,
  listDirectory,
  logDirectoryName,
  parseJson,
  syncDirectory,
  writeWhole,
} from "../store-directory.ts";
import { assertClosed } from "./reading-copy.ts";

/** The repaired log before it is in place. */
export const repairingName = "log.repairing";
/** Its side file before it is in place. */
export const repairingAcknowledgedName = "acknowledged.repairing";
/** What the names of damaged logs begin with, once they have been replaced. */
export const damagedLogPrefix = `${logDirectoryName}.damaged-`;
/** Says that a swap has begun, and with what. */
const journalName = "repair.json";
/** What was repaired, one JSON object to a line. */
const repairsName = "repairs.ndjson";
/** Rows made from the log; they are made again. */
const viewsName = "views";
/** An empty database that serves as a lock: the system lets go of it when a process ends, however it ends. */
const swapLockName = "repair.lock";

/** What is remembered of a repair. */
export interface RepairRecord {
  /** RFC 3339. */
  readonly repairedAt: string;
  readonly action: "rebuild" | "cut";
  /** The positions that went; null when none did. */
  readonly cut: { readonly from: number; readonly to: number; readonly events: number } | null;
  readonly old: { readonly head: number; readonly acknowledgedRoot: string | null };
  readonly new: { readonly head: number; readonly root: string };
  /** Name of the directory that holds the damaged log, in the store's. */
  readonly damagedLog: string;
  /** Name of the side file as it was; null when there was none. */
  readonly damagedAcknowledged: string | null;
}

/** Swaps, once `log.repairing` and `acknowledged.repairing` are whole and synced. */
export async function beginSwap(directory: string, record: RepairRecord): Promise<void> {
  await writeWhole(join(directory, journalName), `${JSON.stringify(record)}\n`);
  await finishSwap(directory);
}

/**
 * Finishes a swap that was cut short; does nothing when there is none.
 *
 * @throws `store-locked` while another process is at it or has the log open, `file-unreadable`, `log-gap`
 */
export async function finishSwap(directory: string): Promise<void> {
  if (!(await hasJournal(directory))) return;
  const lock = join(directory, swapLockName);
  try {
    const held = await takeLock(directory, lock);
    if (held === undefined) return;
    try {
      // Another process may have finished it before the lock was ours, and have the store open by now.
      if (await hasJournal(directory)) await swapClosed(directory);
    } finally {
      await held.close();
    }
    // Whoever takes the lock from here on finds no journal, and removes it as well.
    await rm(lock, { recursive: true, force: true }).catch(() => undefined);
  } catch (error) {
    if (error instanceof StoreError) throw error;
    throw fileError(error, `Cannot finish the repair of ${directory}`);
  }
}

/** @returns undefined when there is nothing to do any more */
async function takeLock(directory: string, lock: string): Promise<Storage | undefined> {
  try {
    return await openLevelStorage(lock);
  } catch (error) {
    if (isStoreError(error) && ["store-locked", "disk-full"].includes(error.code)) throw error;
    // Another process removes it, or ended while it was made; nobody has it open.
    if (!(await hasJournal(directory))) return undefined;
    await rm(lock, { recursive: true, force: true });
    return openLevelStorage(lock);
  }
}

async function hasJournal(directory: string): Promise<boolean> {
  return (await listDirectory(directory))?.includes(journalName) === true;
}

/** Swaps when nobody has the log open, neither the old one nor the one that is in place already. */
async function swapClosed(directory: string): Promise<void> {
  const record = await readJournal(directory);
  const log = join(directory, logDirectoryName);
  if ((await listDirectory(log)) !== undefined) await assertClosed(directory);
  await swap(directory, record);
}

async function swap(directory: string, record: RepairRecord): Promise<void> {
  const path = (name: string) => join(directory, name);
  const has = async (name: string) => (await listDirectory(directory))?.includes(name) === true;
  if (await has(repairingName)) {
    if (!(await has(record.damagedLog))) {
      await rename(path(logDirectoryName), path(record.damagedLog));
      await syncDirectory(directory);
    }
    await rename(path(repairingName), path(logDirectoryName));
    await syncDirectory(directory);
  }
  if (await has(repairingAcknowledgedName)) {
    const kept = record.damagedAcknowledged;
    if (kept !== null && !(await has(kept))) {
      await rename(path(acknowledgedName), path(kept));
      await syncDirectory(directory);
    }
    await rename(path(repairingAcknowledgedName), path(acknowledgedName));
    await syncDirectory(directory);
  }
  await rm(path(viewsName), { recursive: true, force: true });
  await remember(path(repairsName), record);
  await rm(path(journalName), { force: true });
  await syncDirectory(directory);
}

/** Adds a line, unless it stands there already: a swap may be finished twice. */
async function remember(path: string, record: RepairRecord): Promise<void> {
  const line = JSON.stringify(record);
  const before = await readFile(path, "utf8").catch(() => "");
  if (before.split("\n").includes(line)) return;
  // What a cut-short line left is no record; the next begins on a line of its own.
  const start = before === "" || before.endsWith("\n") ? "" : "\n";
  await appendFile(path, `${start}${line}\n`);
  const file = await open(path, "r+");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

async function readJournal(directory: string): Promise<RepairRecord> {
  const record = parseJson(await readFile(join(directory, journalName), "utf8"));
  if (isPlainObject(record) && typeof record["damagedLog"] === "string") {
    return record as unknown as RepairRecord;
  }
  throw new StoreError("log-gap", `A repair of the store in ${directory} was cut short.`, {
    hint: `Its ${journalName} cannot be read. Of log.damaged-… and ${repairingName}, rename the one you want to ${logDirectoryName}, and delete ${journalName}.`,
    details: { directory },
  });
}
