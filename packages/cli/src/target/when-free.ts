/** Waits for a store that a command has open which ends by itself. */
import { setTimeout as sleep } from "node:timers/promises";

import { isStoreError, readStoreOwner } from "@sennit/core";

/** Most commands have a store open for less than this. */
const patienceMs = 3000;
const lookEveryMs = 25;

/**
 * Opens again what is found locked, for a few seconds, unless a server has it.
 *
 * @throws what opening does
 */
export async function whenFree<T>(
  directory: string,
  signal: AbortSignal,
  open: () => Promise<T>,
): Promise<T> {
  const began = performance.now();
  const isPatient = () => performance.now() - began < patienceMs && !signal.aborted;
  for (;;) {
    try {
      return await open();
    } catch (error) {
      const isInUse = isStoreError(error) && error.code === "store-locked";
      if (!isInUse || !isPatient()) throw error;
      await sleep(lookEveryMs);
      for (;;) {
        const owner = await readStoreOwner(directory);
        if (owner?.token !== undefined || (owner !== undefined && !isPatient())) throw error;
        if (owner === undefined) break;
        await sleep(lookEveryMs);
      }
    }
  }
}
