/** Storage in a LevelDB directory. */
import { Level } from "level";

import { throwIfAborted } from "../abort.ts";
import { isStoreError, StoreError } from "../errors.ts";
import { refuseDamage } from "./level-files/refuse-damage.ts";
import type { KeyRange, Storage, StorageEntry, WriteBatch } from "./storage.ts";

const scanChunkEntries = 1000;

/** What may be tuned per database; the defaults suit a log. */
export interface LevelStorageOptions {
  /** Bytes collected in memory before a table file is written. Default 16 MiB. */
  readonly writeBufferBytes?: number | undefined;
  /** Bytes of table blocks kept in memory. Default 32 MiB. */
  readonly cacheBytes?: number | undefined;
  /** Make the database when there is none. Default true. */
  readonly create?: boolean | undefined;
}

/**
 * Opens (and makes, when missing) a LevelDB directory. Every write is synced before it resolves.
 *
 * @throws `store-locked` when another process, or this one, has it open; `file-damaged` when a file of it has changed
 * since it was written: LevelDB itself would not notice
 */
export async function openLevelStorage(
  directory: string,
  options: LevelStorageOptions = {},
): Promise<Storage> {
  // Level begins to open itself when it is made, so the files are looked at before.
  await refuseDamage(directory, assertUnused).catch((error: unknown) => {
    throw isStoreError(error) ? error : openError(directory, error);
  });
  const level = new Level<Uint8Array, Uint8Array>(directory, {
    keyEncoding: "view",
    valueEncoding: "view",
    writeBufferSize: options.writeBufferBytes ?? 16 * 1024 * 1024,
    cacheSize: options.cacheBytes ?? 32 * 1024 * 1024,
    blockSize: 16 * 1024,
    createIfMissing: options.create ?? true,
  });
  try {
    await level.open();
  } catch (error) {
    throw openError(directory, error);
  }
  return new LevelStorage(level);
}

/** LevelDB takes its lock before it looks for a database, and reads nothing of one where it is told that none must be. */
async function assertUnused(directory: string): Promise<void> {
  const level = new Level(directory, { createIfMissing: false, errorIfExists: true });
  const cause = await level.open().then(
    () => level.close(),
    (error: Error) => error.cause,
  );
  if (cause instanceof Error && "code" in cause && cause.code === "LEVEL_LOCKED") throw cause;
}

class LevelStorage implements Storage {
  readonly #level: Level<Uint8Array, Uint8Array>;

  constructor(level: Level<Uint8Array, Uint8Array>) {
    this.#level = level;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    this.#assertOpen();
    try {
      return this.#level.getSync(key);
    } catch (error) {
      throw readError(error);
    }
  }

  async write(batch: WriteBatch): Promise<void> {
    this.#assertOpen();
    const chained = this.#level.batch();
    for (const [key, value] of batch.puts) chained.put(key, value);
    for (const key of batch.deletes ?? []) chained.del(key);
    // Never without sync: LevelDB loses an earlier unsynced write while a later synced one survives (google/leveldb #193).
    await chained.write({ sync: true });
  }

  async *scan(range: KeyRange): AsyncGenerator<readonly StorageEntry[]> {
    this.#assertOpen();
    const iterator = this.#level.iterator({
      gte: range.from,
      lt: range.until,
      reverse: range.reverse ?? false,
      limit: range.limit ?? -1,
      highWaterMarkBytes: 1024 * 1024,
    });
    try {
      while (true) {
        throwIfAborted(range.signal);
        this.#assertOpen();
        const chunk = await iterator.nextv(scanChunkEntries).catch((error: unknown) => {
          // A database that was closed meanwhile is no damage.
          this.#assertOpen();
          throw readError(error);
        });
        if (chunk.length === 0) return;
        yield chunk;
      }
    } finally {
      await iterator.close();
    }
  }

  async close(): Promise<void> {
    await this.#level.close();
  }

  #assertOpen(): void {
    if (this.#level.status !== "open")
      throw new StoreError("store-closed", "The storage is closed.");
  }
}

/** What LevelDB cannot read is damage, whatever it calls it. */
function readError(error: unknown): StoreError {
  const reason = error instanceof Error ? error.message : String(error);
  return new StoreError("entry-unreadable", `The database cannot be read: ${reason}`, {
    cause: error,
  });
}

function openError(directory: string, error: unknown): StoreError {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const code =
    typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined;
  const details = { directory };
  if (code === "LEVEL_LOCKED") {
    return new StoreError("store-locked", `Another process has ${directory} open.`, {
      cause: error,
      details,
    });
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  if (code === "LEVEL_CORRUPTION" || /corruption/i.test(reason)) {
    return new StoreError(
      "entry-unreadable",
      `The database in ${directory} is damaged: ${reason}`,
      { cause: error, details },
    );
  }
  if (/no space left/i.test(reason)) {
    return new StoreError("disk-full", `There is no space to open ${directory}.`, {
      cause: error,
      details,
    });
  }
  return new StoreError("file-unreadable", `Cannot open ${directory}: ${reason}`, {
    cause: error,
    details,
  });
}
