/** Rewrites the files of the log after an erasure. Until that is done, a key says that it has to be. */
import { frame } from "../codec/frame.ts";
import { StoreError, toStoreError } from "../errors.ts";
import type { Position } from "../ids.ts";
import { purgeKey } from "../storage/keyspace.ts";
import type { Storage, StorageEntry } from "../storage/storage.ts";

/** To be written together with an erasure: files may hold what it destroys until they have been rewritten. */
export function purgePut(erasedBy: Position): StorageEntry {
  const body = Buffer.allocUnsafe(8);
  body.writeDoubleLE(erasedBy);
  return [purgeKey, frame(purgeKey, body)];
}

/**
 * Rewrites the files, if an erasure has left that to be done.
 *
 * @throws the codes of `Storage.compact`: it is then tried again by the next erasure and the next opening
 */
export async function purgeErased(storage: Storage): Promise<void> {
  await storage.readable();
  if (storage.get(purgeKey) === undefined) return;
  try {
    await storage.compact();
    // LevelDB does not say that a compaction has failed; the next write does.
    await storage.write({ puts: [], deletes: [purgeKey] });
  } catch (error) {
    const { code, message, category } = toStoreError(error);
    throw new StoreError(
      category === "internal" ? "write-failed" : code,
      `The content is erased, but older files may still hold it: ${message}`,
      {
        hint: "They are rewritten when the store is next opened, or by the next sennit erase.",
        cause: error,
      },
    );
  }
}

/** What an erasure has left undone when its process ended. Where it cannot be done now, a later opening tries again. */
export async function finishErasures(storage: Storage): Promise<void> {
  await purgeErased(storage).catch(() => undefined);
}
