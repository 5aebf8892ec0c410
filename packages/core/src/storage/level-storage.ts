/** Storage in a LevelDB directory. */
import { Level } from "level";

import { throwIfAborted } from "../abort.ts";
import { isStoreError, StoreError } from "../errors.ts";
import { assertFreeBytes, bytesToOpen, removeProbe, writeProbe } from "./disk-room.ts";
import { openError, readError, writeError } from "./level-errors.ts";
import { refuseDamage } from "./level-files/refuse-damage.ts";
import type { KeyRange, Storage, StorageEntry, WriteBatch } from "./storage.ts";

const scanChunkEntries = 1000;
interface Closable {
  close(): Promise<void>;
}

interface Compactable {
  compactRange(start: Uint8Array, end: Uint8Array): Promise<void>;
}

/** Bounds of all keys: no space has the letter ff. */
const firstKey = Buffer.from([0x00]);
const lastKey = Buffer.from([0xff]);
/** Shortest time between two attempts to recover that cost more than a look at the free space, milliseconds. */
const recoveryIntervalMs = 1000;

/** What may be tuned per database; the defaults suit a log. */
export interface LevelStorageOptions {
  /** Bytes collected in memory before a table file is written. Default 16 MiB. */
  readonly writeBufferBytes?: number | undefined;
  /** Bytes of a table file at most. Default 2 MiB. */
  readonly tableBytesMax?: number | undefined;
  /** Bytes of table blocks kept in memory. Default 128 MiB. */
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
    maxFileSize: options.tableBytesMax ?? 2 * 1024 * 1024,
    cacheSize: options.cacheBytes ?? 128 * 1024 * 1024,
    blockSize: 16 * 1024,
    createIfMissing: options.create ?? true,
  });
  try {
    await level.open();
  } catch (error) {
    throw openError(directory, error);
  }
  await removeProbe(directory);
  return new LevelStorage(level, directory);
}

/**
 * Throws when somebody has a directory open. LevelDB takes its lock before it looks for a database, and reads nothing of
 * one where it is told that none must be.
 */
export async function assertUnused(directory: string): Promise<void> {
  const level = new Level(directory, { createIfMissing: false, errorIfExists: true });
  const cause = await level.open().then(
    () => level.close(),
    (error: Error) => error.cause,
  );
  if (cause instanceof Error && "code" in cause && cause.code === "LEVEL_LOCKED") throw cause;
}

/**
 * After a failed write LevelDB may go on and answer later writes well, and yet drop them when it is opened again: they
 * stand behind a torn record in its log. So nothing is written after a failure until the database has been opened anew.
 */
class LevelStorage implements Storage {
  readonly #level: Level<Uint8Array, Uint8Array>;
  readonly #directory: string;
  /** Settles when no write is on its way. They go one by one: one behind a failed one must not reach the log. */
  #writes: Promise<void> = Promise.resolve();
  #unfinishedWrites = 0;
  /** Why nothing may be written. */
  #failure: StoreError | undefined;
  #recovering: Promise<void> | undefined;
  #recoveredLastMs = -Infinity;
  /** How often all iterators have been closed: when the database is opened again, and when it is compacted. */
  #generation = 0;
  readonly #iterators = new Set<Closable>();
  /** While files are rewritten, no scan begins. */
  #compacting: Promise<void> | undefined;
  #isClosed = false;

  constructor(level: Level<Uint8Array, Uint8Array>, directory: string) {
    this.#level = level;
    this.#directory = directory;
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
    this.#assertWritable();
    const chained = this.#level.batch();
    for (const [key, value] of batch.puts) chained.put(key, value);
    for (const key of batch.deletes ?? []) chained.del(key);
    this.#unfinishedWrites += 1;
    // Begun within this call when no other is on its way: whoever calls may have more to do meanwhile.
    const written =
      this.#unfinishedWrites === 1
        ? this.#commit(chained)
        : this.#writes.then(() => this.#commit(chained));
    this.#writes = written.catch(() => undefined);
    await written;
  }

  async #commit(chained: ReturnType<Level<Uint8Array, Uint8Array>["batch"]>): Promise<void> {
    try {
      this.#assertWritable();
      // Never without sync: LevelDB loses an earlier unsynced write while a later synced one survives (google/leveldb #193).
      await chained.write({ sync: true });
    } catch (error) {
      if (!isStoreError(error)) this.#failure = writeError(error);
      await chained.close();
      throw this.#failure ?? error;
    } finally {
      this.#unfinishedWrites -= 1;
    }
  }

  async *scan(range: KeyRange): AsyncGenerator<readonly StorageEntry[]> {
    let { from, until } = range;
    let left = range.limit ?? Infinity;
    while (left > 0) {
      throwIfAborted(range.signal);
      await this.readable();
      // An iterator keeps the files it began to read, however old, until well after it is closed.
      while (this.#compacting !== undefined) await this.#compacting.catch(() => undefined);
      const generation = this.#generation;
      const chunks = this.#scanOnce({ ...range, from, until, limit: left });
      try {
        for await (const chunk of chunks) {
          yield chunk;
          left -= chunk.length;
          const last = chunk.at(-1)?.[0] ?? from;
          if (range.reverse === true) until = last;
          else from = Buffer.concat([last, Buffer.alloc(1)]);
        }
        return;
      } catch (error) {
        // The iterator was closed under the scan, which goes on after the last key it gave.
        if (generation === this.#generation && this.readable() === undefined) throw error;
      }
    }
  }

  async *#scanOnce(range: KeyRange): AsyncGenerator<readonly StorageEntry[]> {
    this.#assertOpen();
    const iterator = this.#level.iterator({
      gte: range.from,
      lt: range.until,
      reverse: range.reverse ?? false,
      limit: range.limit === Infinity ? -1 : (range.limit ?? -1),
      highWaterMarkBytes: 1024 * 1024,
    });
    this.#iterators.add(iterator);
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
      this.#iterators.delete(iterator);
      await iterator.close();
    }
  }

  async compact(): Promise<void> {
    this.#assertWritable();
    while (this.#compacting !== undefined) await this.#compacting.catch(() => undefined);
    this.#compacting = this.#compact().finally(() => {
      this.#compacting = undefined;
    });
    await this.#compacting;
  }

  async #compact(): Promise<void> {
    // The declarations are those of every platform; in Node, Level is a ClassicLevel.
    const level: unknown = this.#level;
    // What an iterator began to read before stays in the files. Scans go on after their last key with another one.
    this.#generation += 1;
    await Promise.all([...this.#iterators].map((iterator) => iterator.close()));
    const compact = () => (level as Compactable).compactRange(firstKey, lastKey);
    // A compaction leaves the files of the deepest level as they are, with the old values that came there together with
    // new ones. So everything is moved there first; then tombstones above it make the second one rewrite it all.
    await compact();
    await this.write({ puts: [], deletes: [firstKey, lastKey] });
    await compact();
  }

  recover(): Promise<void> {
    if (this.#failure === undefined && !this.#isClosed) return Promise.resolve();
    this.#recovering ??= this.#recover().finally(() => {
      this.#recovering = undefined;
    });
    return this.#recovering;
  }

  readable(): Promise<void> | undefined {
    return this.#level.status === "open" || this.#isClosed ? undefined : this.recover();
  }

  async #recover(): Promise<void> {
    await this.#writes;
    this.#assertNotClosed();
    try {
      const bytes = await bytesToOpen(this.#directory);
      await assertFreeBytes(this.#directory, bytes);
      const nowMs = performance.now();
      if (this.#failure !== undefined && nowMs - this.#recoveredLastMs < recoveryIntervalMs) {
        throw this.#failure;
      }
      this.#recoveredLastMs = nowMs;
      // Once closed there is nothing to read from until it is open again, so first of all there must be room for that.
      await writeProbe(this.#directory, bytes);
      await this.#reopen();
    } catch (error) {
      this.#failure = isStoreError(error) ? error : writeError(error);
      throw this.#failure;
    }
    this.#failure = undefined;
  }

  async #reopen(): Promise<void> {
    this.#assertNotClosed();
    await this.#level.close();
    this.#generation += 1;
    this.#assertNotClosed();
    try {
      await this.#level.open({ createIfMissing: false });
    } catch (error) {
      throw openError(this.#directory, error);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#recovering?.catch(() => undefined);
    await this.#writes;
    await this.#level.close();
  }

  #assertWritable(): void {
    this.#assertNotClosed();
    if (this.#failure !== undefined) throw this.#failure;
  }

  #assertOpen(): void {
    this.#assertNotClosed();
    if (this.#level.status === "open") return;
    throw new StoreError("store-reopening", "The storage is being opened again.");
  }

  #assertNotClosed(): void {
    if (this.#isClosed) throw new StoreError("store-closed", "The storage is closed.");
  }
}
