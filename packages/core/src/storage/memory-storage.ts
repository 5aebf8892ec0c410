/** Storage in memory: the same contract without the disk, for tests, trials and embedding. */
import { throwIfAborted } from "../abort.ts";
import { StoreError } from "../errors.ts";
import type { KeyRange, Storage, StorageEntry, WriteBatch } from "./storage.ts";

const scanChunkEntries = 1000;

/** Makes an empty storage that lives as long as the process. */
export function openMemoryStorage(): Storage {
  return new MemoryStorage();
}

/** Keys are held as Latin-1 text, whose order is the order of the bytes. */
class MemoryStorage implements Storage {
  readonly #values = new Map<string, Uint8Array>();
  #sorted: string[] = [];
  #sortedIsCurrent = true;
  #open = true;

  get(key: Uint8Array): Uint8Array | undefined {
    this.#assertOpen();
    return this.#values.get(toText(key));
  }

  async write(batch: WriteBatch): Promise<void> {
    this.#assertOpen();
    for (const [key, value] of batch.puts) {
      const text = toText(key);
      if (!this.#values.has(text)) this.#sortedIsCurrent = false;
      // A copy: the slice of a Buffer would share the caller's memory.
      this.#values.set(text, Uint8Array.from(value));
    }
    for (const key of batch.deletes ?? []) {
      if (this.#values.delete(toText(key))) this.#sortedIsCurrent = false;
    }
    await Promise.resolve();
  }

  async *scan(range: KeyRange): AsyncGenerator<readonly StorageEntry[]> {
    this.#assertOpen();
    throwIfAborted(range.signal);
    const keys = this.#keys();
    const from = lowerBound(keys, toText(range.from));
    const until = Math.max(from, lowerBound(keys, toText(range.until)));
    const selected = keys.slice(from, until);
    if (range.reverse === true) selected.reverse();
    const count = Math.min(selected.length, range.limit ?? Infinity);
    for (let start = 0; start < count; start += scanChunkEntries) {
      throwIfAborted(range.signal);
      this.#assertOpen();
      yield selected.slice(start, Math.min(start + scanChunkEntries, count)).flatMap((key) => {
        const value = this.#values.get(key);
        return value === undefined ? [] : [[Buffer.from(key, "latin1"), value] as const];
      });
      await Promise.resolve();
    }
  }

  async recover(): Promise<void> {
    this.#assertOpen();
    await Promise.resolve();
  }

  readable(): undefined {}

  async compact(): Promise<void> {
    this.#assertOpen();
    await Promise.resolve();
  }

  async close(): Promise<void> {
    this.#open = false;
    await Promise.resolve();
  }

  #keys(): readonly string[] {
    if (!this.#sortedIsCurrent) {
      // A new array each time: a running scan keeps the one it started with.
      this.#sorted = [...this.#values.keys()].toSorted();
      this.#sortedIsCurrent = true;
    }
    return this.#sorted;
  }

  #assertOpen(): void {
    if (!this.#open) throw new StoreError("store-closed", "The storage is closed.");
  }
}

function toText(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString("latin1");
}

/** Index of the first key not below the given one. */
function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] ?? "") < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
