/** Repairs a store: copies what is intact into a new log, and puts that in the place of the damaged one. */
import { rm } from "node:fs/promises";
import { join } from "node:path";

import { must } from "../assert.ts";
import { throwIfAborted } from "../abort.ts";
import { systemClock, type Clock } from "../clock.ts";
import { Entry } from "../codec/entry.ts";
import { StoreError } from "../errors.ts";
import type { Position } from "../ids.ts";
import { AcknowledgedFile } from "../log/acknowledged-file.ts";
import { LogCopy, type CopiedLog } from "../log/log-copy.ts";
import { StoredState } from "../records/state.ts";
import {
  entryKey,
  entryKeyPosition,
  idempotencyKeyRange,
  idempotencyKeyText,
} from "../storage/keyspace.ts";
import { openLevelStorage } from "../storage/level-storage.ts";
import type { Storage } from "../storage/storage.ts";
import {
  acknowledgedName,
  listDirectory,
  logDirectoryName,
  syncDirectory,
} from "../store-directory.ts";
import { formatTimestamp } from "../timestamp.ts";
import { StorageVerification, type VerifyOptions } from "../verify/verify-storage.ts";
import { assertClosed } from "./reading-copy.ts";
import { openPlan, type OpenPlan, type RepairPlan } from "./plan-repair.ts";
import { beginSwap, repairingAcknowledgedName, repairingName, type RepairRecord } from "./swap.ts";

export interface RepairOptions extends VerifyOptions {
  /** Default: the machine's clock. */
  readonly clock?: Clock | undefined;
}

/** What a repair came to. */
export interface RepairResult {
  readonly plan: RepairPlan;
  /** Null when the store was sound. */
  readonly repair: RepairRecord | null;
  /** Idempotency keys that were lost: they could not be read, or named positions that went. */
  readonly keysLost: number;
}

/**
 * Does what `planRepair` says. The damaged log is kept beside the new one, and nothing is changed before that is
 * whole. A process that ends at any moment leaves either the damaged store or the repaired one.
 *
 * @throws what `planRepair` throws; `disk-full`
 */
export async function repairStore(
  directory: string,
  options: RepairOptions = {},
): Promise<RepairResult> {
  const open = await openPlan(directory, options);
  const { plan, source } = open;
  try {
    if (plan.action === "sound") return { plan, repair: null, keysLost: 0 };
    const { repair, keysLost } = await prepare(directory, open, options).catch(async (error) => {
      for (const name of [repairingName, repairingAcknowledgedName]) {
        await rm(join(directory, name), { recursive: true, force: true });
      }
      throw error;
    });
    await beginSwap(directory, repair);
    return { plan, repair, keysLost };
  } finally {
    await source.remove();
  }
}

/** Makes all that the swap puts in place, and writes nothing to what is there. */
async function prepare(
  directory: string,
  open: OpenPlan,
  options: RepairOptions,
): Promise<{ readonly repair: RepairRecord; readonly keysLost: number }> {
  const { copied, keysLost } = await makeLog(directory, open, options);
  await open.source.remove();
  const repair = await describe(directory, open, copied, options.clock ?? systemClock);
  throwIfAborted(options.signal);
  await assertClosed(directory);
  return { repair, keysLost };
}

/** Fills `log.repairing` with what stays, and `acknowledged.repairing` with what is acknowledged of it. */
async function makeLog(
  directory: string,
  { plan, source, acknowledged }: OpenPlan,
  { signal }: RepairOptions,
): Promise<{ readonly copied: CopiedLog; readonly keysLost: number }> {
  const path = join(directory, repairingName);
  await rm(path, { recursive: true, force: true });
  const target = await openLevelStorage(path);
  let copied: CopiedLog;
  let keysLost: number;
  try {
    const copy = LogCopy.open(target, { until: plan.keep });
    await copyEntries(source.storage, copy, plan.keep, signal);
    const unreadable = await copyKeys(source.storage, copy);
    copied = await copy.finish();
    keysLost = unreadable + copied.keysLeftOut;
    await assertSound(target, plan.keep);
  } finally {
    await target.close();
  }
  await syncDirectory(path);
  const sidePath = join(directory, repairingAcknowledgedName);
  await rm(sidePath, { force: true });
  const side = await AcknowledgedFile.open(sidePath);
  const { head: position, root } = copied;
  side.note(() => ({ position, root, answeredUntilUs: acknowledged?.answeredUntilUs ?? 0 }));
  await side.close();
  await syncDirectory(directory);
  return { copied, keysLost };
}

async function copyEntries(
  source: Storage,
  copy: LogCopy,
  keep: Position,
  signal: AbortSignal | undefined,
): Promise<void> {
  for await (const chunk of source.scan({ from: entryKey(1), until: entryKey(keep + 1), signal })) {
    await copy.add(chunk.map(([key, value]) => Entry.decode(entryKeyPosition(key), value)));
  }
}

/** @returns how many keys could not be read */
async function copyKeys(source: Storage, copy: LogCopy): Promise<number> {
  const state = new StoredState(source);
  let unreadable = 0;
  for await (const chunk of source.scan(idempotencyKeyRange)) {
    for (const [stored] of chunk) {
      const key = idempotencyKeyText(stored);
      try {
        const batch = must(state.idempotentBatch(key), "a key that was scanned is there");
        await copy.addKeys([[key, batch]]);
      } catch (error) {
        if (error instanceof StoreError && error.category !== "corrupt") throw error;
        unreadable += 1;
      }
    }
  }
  return unreadable;
}

async function assertSound(target: Storage, keep: Position): Promise<void> {
  const { ok, head, problems } = await new StorageVerification(target, undefined).run({});
  if (ok && head === keep) return;
  const reason = problems[0]?.message ?? `It ends at position ${head} instead of ${keep}.`;
  throw new StoreError("internal", `The repaired log is not sound, and was not used: ${reason}`);
}

async function describe(
  directory: string,
  { plan, acknowledged }: OpenPlan,
  { head, root }: CopiedLog,
  clock: Clock,
): Promise<RepairRecord> {
  const repairedAt = formatTimestamp(Math.floor(clock.nowUs()));
  const names = (await listDirectory(directory)) ?? [];
  const ending = `damaged-${repairedAt.replaceAll(/[:.]/g, "-")}`;
  return {
    repairedAt,
    action: plan.action === "cut" ? "cut" : "rebuild",
    cut: plan.cut,
    old: {
      head: plan.head,
      acknowledgedRoot:
        acknowledged === undefined ? null : Buffer.from(acknowledged.root).toString("hex"),
    },
    new: { head, root: root.toString("hex") },
    damagedLog: `${logDirectoryName}.${ending}`,
    damagedAcknowledged: names.includes(acknowledgedName) ? `${acknowledgedName}.${ending}` : null,
  };
}
