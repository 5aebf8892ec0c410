/** One run at a time works on a backup. */
import { join } from "node:path";

import { StoreError } from "../errors.ts";
import { takeLock, type LockHolder } from "../lock-file.ts";

/** Name of the lock, and what the names of files begin with that stand there while it changes hands. */
export const lockName = "backup.lock";

/**
 * Takes the lock of a backup.
 *
 * @returns gives it back
 * @throws `backup-locked`
 */
export function lockBackup(directory: string): Promise<() => Promise<void>> {
  const path = join(directory, lockName);
  return takeLock(path, (holder) => backupLocked(path, holder));
}

function backupLocked(path: string, holder: LockHolder | undefined): StoreError {
  if (holder === undefined) {
    return new StoreError("backup-locked", "Another process works on the backup.");
  }
  const { pid, host, isHere } = holder;
  if (isHere) {
    return new StoreError("backup-locked", `Process ${pid} works on the backup.`, {
      details: { pid, host },
    });
  }
  const who = pid === null ? "A process that does not say which" : `Process ${pid} on ${host}`;
  return new StoreError("backup-locked", `${who} has locked the backup.`, {
    hint: `Wait for it. Once you know that it has ended, delete ${path}.`,
    details: { pid, host },
  });
}
