/** A store on disk to take backups of, and a look into what comes of them. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { created, invalidated, updated, type NewEvent } from "../event/event.ts";
import { openStore } from "../open-store.ts";
import { openLevelStorage } from "../storage/level-storage.ts";
import type { EmbeddedStore } from "../store.ts";
import { FakeClock } from "./fake-clock.ts";
import { contentsOf } from "./fill-store.ts";
import { withTemporaryDirectory } from "./temporary-directory.ts";

/** A store, the directory around it, and names in there. */
export interface BackupPlace {
  readonly store: EmbeddedStore;
  readonly root: string;
  readonly backup: string;
  readonly target: string;
}

/** A store on disk with five events, and names beside it. */
export async function withBackupPlace(use: (place: BackupPlace) => Promise<void>): Promise<void> {
  await withTemporaryDirectory(async (root) => {
    const store = await openStore(join(root, "store"), {
      clock: new FakeClock("2026-03-02T10:00:00Z"),
    });
    await store.append([datasetEvent("a"), datasetEvent("b")]);
    await store.append([updated("a", { tags: { x: 1 } })], { idempotencyKey: "third" });
    await store.append([updated("a", { attributes: { value: 1 } })]);
    await store.append([invalidated("b", { cause: "wrong" })], { idempotencyKey: "fifth" });
    try {
      await use({ store, root, backup: join(root, "backup"), target: join(root, "target") });
    } finally {
      await store.close();
    }
  });
}

/** A new record. */
export function datasetEvent(id: string): NewEvent {
  return created(id, { kind: "dataset", name: id });
}

/** Everything the log of a closed store holds. */
export async function storedIn(directory: string): Promise<unknown> {
  const storage = await openLevelStorage(join(directory, "log"), { create: false });
  const contents = await contentsOf(storage);
  await storage.close();
  return contents;
}

/** Segments so small that there are several. */
export const small = { segmentEntriesMax: 2 };

/** The files of a backup's segments. */
export async function segmentsOf(backup: string): Promise<string[]> {
  return (await readdir(join(backup, "segments"))).toSorted();
}
