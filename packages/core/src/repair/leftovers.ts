/** What repairs leave in a store's directory: copies of its log. */
import { rm } from "node:fs/promises";
import { join } from "node:path";

import { fileError, listDirectory } from "../store-directory.ts";
import { damagedLogPrefix, repairingAcknowledgedName, repairingName } from "./swap.ts";

/** Where a damaged log is copied to for reading; it is deleted afterwards. */
export const readingName = "log.reading";

/**
 * Removes the copies that a repair works on, which mean nothing once it has ended. The caller has the store open, so none
 * is to be finished.
 *
 * @throws `file-unreadable`
 */
export async function removeWorkingCopies(directory: string): Promise<void> {
  for (const name of [readingName, repairingName, repairingAcknowledgedName]) {
    try {
      await rm(join(directory, name), { recursive: true, force: true });
    } catch (error) {
      throw fileError(error, `Cannot remove ${join(directory, name)}`);
    }
  }
}

/** Names of the damaged logs that repairs have replaced and kept, the oldest first. */
export async function damagedLogs(directory: string): Promise<string[]> {
  const names = (await listDirectory(directory)) ?? [];
  return names.filter((name) => name.startsWith(damagedLogPrefix)).toSorted();
}
