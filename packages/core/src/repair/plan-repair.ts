/** Finds out what a repair of a store would keep and what would go. Nothing of the store changes. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { decodeCommit, type CommitRecord } from "../codec/commit-record.ts";
import { Entry } from "../codec/entry.ts";
import { StoreError } from "../errors.ts";
import type { Position } from "../ids.ts";
import {
  isAcknowledgedLost,
  lostAcknowledged,
  readAcknowledged,
  type Acknowledged,
} from "../log/acknowledged-file.ts";
import { limits } from "../limits.ts";
import { Frontier } from "../merkle/frontier.ts";
import { commitKey, entryKey, entryKeyPosition } from "../storage/keyspace.ts";
import type { Storage } from "../storage/storage.ts";
import {
  acknowledgedName,
  fileError,
  listDirectory,
  logDirectoryName,
  manifestName,
  parseManifest,
} from "../store-directory.ts";
import { spaceOf } from "../verify/key-check.ts";
import type { VerifyProblem, VerifyReport } from "../verify/report.ts";
import { StorageVerification, type VerifyOptions } from "../verify/verify-storage.ts";
import { findLostErasure, type LostErasure } from "./lost-erasures.ts";
import { readingName } from "./leftovers.ts";
import { findLostRecords, type LostVersions } from "./lost-versions.ts";
import { assertClosed, openReadingCopy, type ReadingCopy } from "./reading-copy.ts";

export interface RepairPlan {
  /**
   * - `sound`: nothing to repair.
   * - `rebuild`: all events are intact; what stands beside them is made again.
   * - `cut`: the events after `keep` would go.
   */
  readonly action: "sound" | "rebuild" | "cut";
  /** The last position that the store says it has: committed, found or acknowledged. */
  readonly head: Position;
  /** The last position that the side file says was acknowledged; 0 when it says nothing. */
  readonly acknowledged: Position;
  /** Positions 1 to here stay. */
  readonly keep: Position;
  /**
   * Up to here the Merkle root proves that what stays is what was stored; beyond it, checksums alone speak for it. 0 for a
   * log that cannot be compared with what was acknowledged: it may be another store's.
   */
  readonly proven: Position;
  /** The positions that would go; null when none would. */
  readonly cut: { readonly from: Position; readonly to: Position; readonly events: number } | null;
  /** Why intact positions would go too; null when none would. */
  readonly lostErasure: LostErasure | null;
  /** Records that would lose versions, as far as version blocks and entries can be read. */
  readonly recordCount: number;
  readonly records: readonly LostVersions[];
  /** Files of the database that are damaged. */
  readonly damagedFiles: readonly string[];
  readonly problemCount: number;
  readonly problems: readonly VerifyProblem[];
}

/** A plan with the log that it was made from. */
export interface OpenPlan {
  readonly plan: RepairPlan;
  readonly source: ReadingCopy;
  readonly acknowledged: Acknowledged | undefined;
}

/**
 * Reads a store that nobody has open and says what a repair would do.
 *
 * @throws `store-locked`, `not-a-store`, `store-not-found`, `format-too-new`, `aborted`; `log-gap` when there is no log to
 * read at all; `root-mismatch` when the log is another one than what was acknowledged is of
 */
export async function planRepair(
  directory: string,
  options: VerifyOptions = {},
): Promise<RepairPlan> {
  const { plan, source } = await openPlan(directory, options);
  await source.remove();
  return plan;
}

/** The same, with the readable copy of the log left open. */
export async function openPlan(directory: string, options: VerifyOptions): Promise<OpenPlan> {
  await assertStore(directory);
  const log = join(directory, logDirectoryName);
  await assertClosed(directory);
  const names = (await listDirectory(log)) ?? [];
  if (!names.some((name) => /^\d+\.(ldb|sst|log)$/.test(name))) {
    throw new StoreError("log-gap", `The store in ${directory} has lost its log.`, {
      hint: "There is nothing to repair it from: put back a backup.",
      details: { directory },
    });
  }
  const sidePath = join(directory, acknowledgedName);
  const acknowledged = await readAcknowledged(sidePath);
  const source = await openReadingCopy(log, join(directory, readingName));
  try {
    const verification = new StorageVerification(source.storage, acknowledged);
    const found = await verification.run(options);
    const isUsed = found.head > 0 || source.storage.get(commitKey) !== undefined;
    const isLost = await isAcknowledgedLost(sidePath, isUsed);
    const report = isLost ? withProblem(found, lostAcknowledged(sidePath)) : found;
    await assertOwnLog(directory, source.storage, report, acknowledged);
    const plan = await makePlan(source, report, verification.provenUntil, acknowledged);
    return { plan, source, acknowledged };
  } catch (error) {
    await source.remove();
    throw error;
  }
}

async function makePlan(
  { storage, damagedFiles }: ReadingCopy,
  report: VerifyReport,
  provenByCommit: Position,
  acknowledged: Acknowledged | undefined,
): Promise<RepairPlan> {
  const told = acknowledged?.position ?? 0;
  const isAllThere = told > report.intactUntil && (await isProven(storage, acknowledged));
  // A commit record speaks for a log, whichever it is; that it is this store's, only the acknowledged root can say.
  const isOwn =
    acknowledged !== undefined &&
    (told <= report.intactUntil || isCommitted(storage, acknowledged));
  const intactUntil = isAllThere ? told : report.intactUntil;
  const head = Math.max(report.head, told, await lastFound(storage));
  const lostErasure = intactUntil < head ? await findLostErasure(storage, intactUntil) : undefined;
  const keep = lostErasure === undefined ? intactUntil : lostErasure.position - 1;
  const lost = await findLostRecords(storage, keep);
  const isSound = report.ok && damagedFiles.length === 0;
  return {
    action: keep < head ? "cut" : isSound ? "sound" : "rebuild",
    head,
    acknowledged: told,
    keep,
    proven: isAllThere ? keep : isOwn ? Math.min(keep, provenByCommit) : 0,
    cut: keep < head ? { from: keep + 1, to: head, events: head - keep } : null,
    lostErasure: lostErasure ?? null,
    recordCount: keep < head ? lost.recordCount : 0,
    records: keep < head ? lost.records : [],
    damagedFiles,
    problemCount: report.problemCount,
    problems: report.problems,
  };
}

function withProblem(report: VerifyReport, { code, message }: StoreError): VerifyReport {
  const problem = { position: 0, part: "acknowledged", code, message } as const;
  const problems = [problem, ...report.problems];
  return { ...report, ok: false, problemCount: report.problemCount + 1, problems };
}

/**
 * Refuses a log whose events are whole and are others than those acknowledged: whatever is kept of it, the store would
 * sign the history of another. An end that is missing, or damage before what was acknowledged, leaves nothing to compare.
 */
async function assertOwnLog(
  directory: string,
  storage: Storage,
  report: VerifyReport,
  acknowledged: Acknowledged | undefined,
): Promise<void> {
  if (acknowledged === undefined) return;
  const { position } = acknowledged;
  if (position <= report.intactUntil) {
    const isListed = report.problemCount <= report.problems.length;
    if (isListed && !report.problems.some(({ part }) => part === "acknowledged")) return;
    if (await isProven(storage, acknowledged)) return;
  } else if (commitOf(storage)?.head !== position || isCommitted(storage, acknowledged)) return;
  throw new StoreError(
    "root-mismatch",
    `The log in ${directory} is not the one whose first ${position} events were acknowledged: their Merkle root is another.`,
    {
      hint: "A repair would keep the history of another log and sign it as this store's. Put back this store's own directory log, or restore a backup.",
      details: { directory, position },
    },
  );
}

/** True when the commit record has the root that was acknowledged, at the same position. */
function isCommitted(storage: Storage, acknowledged: Acknowledged | undefined): boolean {
  const commit = commitOf(storage);
  if (commit === undefined || commit.head !== acknowledged?.position) return false;
  return new Frontier(commit.head, commit.frontier).root().equals(acknowledged.root);
}

function commitOf(storage: Storage): CommitRecord | undefined {
  try {
    const value = storage.get(commitKey);
    return value && decodeCommit(value);
  } catch (error) {
    if (error instanceof StoreError && error.category !== "corrupt") throw error;
    return undefined;
  }
}

/** The last position that holds anything, committed or not. */
async function lastFound(storage: Storage): Promise<Position> {
  const range = { from: entryKey(1), until: entryKey(limits.positionMax), reverse: true, limit: 1 };
  let last = 0;
  for await (const chunk of storage.scan(range)) {
    for (const [key] of chunk) if (spaceOf(key) === "entry") last = entryKeyPosition(key);
  }
  return last;
}

/** True when all that was acknowledged can be read, though the commit record that came with it was lost. */
async function isProven(
  storage: Storage,
  acknowledged: Acknowledged | undefined,
): Promise<boolean> {
  if (acknowledged === undefined) return false;
  const { position: until, root } = acknowledged;
  const frontier = new Frontier();
  try {
    const range = { from: entryKey(1), until: entryKey(until + 1) };
    for await (const chunk of storage.scan(range)) {
      for (const [key, value] of chunk) {
        const position = entryKeyPosition(key);
        if (position !== frontier.size + 1) return false;
        const entry = Entry.decode(position, value);
        if (!entry.payloadMatchesDigest() && entry.erasure === undefined) return false;
        frontier.append(entry.leafHash());
      }
    }
  } catch (error) {
    if (error instanceof StoreError && error.category !== "corrupt") throw error;
    return false;
  }
  return frontier.size === until && frontier.root().equals(root);
}

async function assertStore(directory: string): Promise<void> {
  const names = await listDirectory(directory);
  if (names === undefined || !names.includes(manifestName)) {
    const code = names === undefined ? "store-not-found" : "not-a-store";
    throw new StoreError(code, `There is no ${manifestName} in ${directory}.`, {
      details: { directory },
    });
  }
  try {
    parseManifest(directory, await readFile(join(directory, manifestName), "utf8"));
  } catch (error) {
    throw error instanceof StoreError ? error : fileError(error, `Cannot read ${directory}`);
  }
}
