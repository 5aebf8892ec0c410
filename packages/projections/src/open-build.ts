/** One build that is open: its storage, and the runner that keeps it in step with the log. */
import { isStoreError, type EmbeddedStore } from "@sennit/core";
import type { Storage } from "@sennit/core/storage";

import type { BuildPlace, BuildRef } from "./builds.ts";
import { emptyCheckpoint, readCheckpoint, type Checkpoint } from "./checkpoint.ts";
import { isOfThisLog, isVoidedBetween } from "./open-checkpoint.ts";
import type { ProjectionDefinition } from "./projection.ts";
import { ProjectionRunner } from "./runner.ts";
import type { SharedLog } from "./shared-log.ts";

/** A build, and who keeps it. */
export interface OpenBuild {
  readonly ref: BuildRef;
  readonly storage: Storage;
  readonly runner: ProjectionRunner;
}

interface Opening {
  readonly store: EmbeddedStore;
  readonly log: SharedLog;
  readonly place: BuildPlace;
  readonly definition: ProjectionDefinition;
}

/** Codes that say nothing against the rows themselves. */
const passing = ["store-locked", "disk-full"];

/**
 * Opens a build where it stopped. The runner is not started yet.
 *
 * @returns undefined when its rows are not those of this log and version, or cannot be read
 * @throws `store-locked`, `disk-full`, and what reading the log throws
 */
export async function openBuild(
  { store, log, place, definition }: Opening,
  ref: BuildRef,
  create: boolean,
  onChange: () => void,
): Promise<OpenBuild | undefined> {
  let storage: Storage;
  try {
    storage = await place.open(ref.directory, { create });
  } catch (error) {
    if (create || (isStoreError(error) && passing.includes(error.code))) throw error;
    return undefined;
  }
  const checkpoint =
    readCheckpoint(storage) ?? (create ? emptyCheckpoint(definition, ref.begunAt) : undefined);
  const isFrozen = ref.version !== definition.version;
  let isUsed = false;
  try {
    isUsed = checkpoint !== undefined && (await holds(store, ref, checkpoint, isFrozen));
  } finally {
    if (!isUsed) await storage.close();
  }
  if (checkpoint === undefined || !isUsed) return undefined;
  const isGone = () => place.isGone(ref.directory);
  const settings = { store, log, storage, definition, checkpoint, isFrozen, isGone, onChange };
  return { ref, storage, runner: new ProjectionRunner(settings) };
}

async function holds(
  store: EmbeddedStore,
  ref: BuildRef,
  checkpoint: Checkpoint,
  isFrozen: boolean,
): Promise<boolean> {
  if (checkpoint.version !== ref.version || !(await isOfThisLog(store, checkpoint))) return false;
  if (!isFrozen) return true;
  // Nobody folds what follows, so nobody would meet an erasure before the rows are read.
  const { signal } = new AbortController();
  return !(await isVoidedBetween(store, checkpoint, checkpoint.position, store.head, signal));
}

/** Stops the runner and closes the storage. */
export async function closeBuild({ runner, storage }: OpenBuild): Promise<void> {
  await runner.stop();
  await storage.close();
}
