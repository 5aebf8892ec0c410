/** A storage whose disk fails as it is told: writes that reject, a full disk, a power cut. For tests. */
import { setImmediate } from "node:timers/promises";

import { StoreError, type ErrorCode } from "../errors.ts";
import { openMemoryStorage } from "../storage/memory-storage.ts";
import type { KeyRange, Storage, StorageEntry, WriteBatch } from "../storage/storage.ts";

/** What becomes of a write that rejects: it shows after `recover`, and after a power cut at the latest. */
export type WriteFate = "lost" | "stored";

interface Failure {
  readonly code: ErrorCode;
  readonly fate: WriteFate;
}

interface Unresolved {
  readonly batch: WriteBatch;
  /** Undefined while the write is on its way. */
  fate: WriteFate | undefined;
}

/**
 * Wraps an empty storage. As the port demands, no write is taken after one has rejected until `recover` resolves; the
 * rejected one is not seen before that. `recover` shuts the storage for a moment, as LevelDB does.
 */
export class FaultStorage implements Storage {
  readonly #inner: Storage;
  readonly #random: () => number;
  /** What has resolved, or has turned out to be stored, in order: what a power cut cannot take. */
  readonly #synced: WriteBatch[] = [];
  readonly #unresolved: Unresolved[] = [];
  readonly #planned = new Map<number, Failure>();
  #writeCount = 0;
  #full: Failure | undefined;
  #failure: StoreError | undefined;
  #writes: Promise<void> = Promise.resolve();
  #recovering: Promise<void> | undefined;
  #shut: Promise<void> | undefined;
  #isDead = false;

  /** @param seed chooses what a power cut leaves of the writes on their way */
  constructor(inner: Storage = openMemoryStorage(), seed = 1) {
    this.#inner = inner;
    this.#random = randomFrom(seed);
  }

  /** Makes a write reject. @param number counts from the next write, which is 1 */
  failWrite(number: number, fate: WriteFate, code: ErrorCode = "write-failed"): void {
    this.#planned.set(this.#writeCount + number, { code, fate });
  }

  /** Fills the disk: until `free`, writes and `recover` reject with `disk-full`. @param fate of the write that meets it */
  fill(fate: WriteFate = "lost"): void {
    this.#full = { code: "disk-full", fate };
  }

  free(): void {
    this.#full = undefined;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    this.#assertAlive();
    if (this.#shut !== undefined) throw new StoreError("store-reopening", "The storage is shut.");
    return this.#inner.get(key);
  }

  async write(batch: WriteBatch): Promise<void> {
    this.#assertTakesWrites();
    this.#writeCount += 1;
    const failure = this.#planned.get(this.#writeCount);
    const unresolved: Unresolved = { batch: copyOf(batch), fate: undefined };
    this.#unresolved.push(unresolved);
    const written = this.#writes.then(() => this.#writeOne(unresolved, failure));
    this.#writes = written.catch(() => undefined);
    await written;
  }

  async #writeOne(unresolved: Unresolved, planned: Failure | undefined): Promise<void> {
    // A disk takes its time, and much may happen meanwhile.
    await setImmediate();
    if (this.#failure !== undefined) unresolved.fate = "lost";
    this.#assertTakesWrites();
    const failure = planned ?? this.#full;
    if (failure !== undefined) {
      unresolved.fate = failure.fate;
      this.#failure = new StoreError(failure.code, "The disk fails as it was told.");
      throw this.#failure;
    }
    await this.#store(unresolved);
  }

  async #store(unresolved: Unresolved): Promise<void> {
    await this.#inner.write(unresolved.batch);
    this.#unresolved.splice(this.#unresolved.indexOf(unresolved), 1);
    this.#synced.push(unresolved.batch);
  }

  async *scan(range: KeyRange): AsyncGenerator<readonly StorageEntry[]> {
    this.#assertAlive();
    await this.#shut;
    for await (const chunk of this.#inner.scan(range)) {
      this.#assertAlive();
      yield chunk;
    }
  }

  compact(): Promise<void> {
    this.#assertAlive();
    return this.#inner.compact();
  }

  recover(): Promise<void> {
    this.#recovering ??= this.#recover().finally(() => {
      this.#recovering = undefined;
    });
    return this.#recovering;
  }

  async #recover(): Promise<void> {
    this.#assertAlive();
    if (this.#failure === undefined) return;
    await this.#writes;
    if (this.#full !== undefined) throw new StoreError("disk-full", "The disk is still full.");
    this.#shut = setImmediate();
    await this.#shut;
    this.#assertAlive();
    for (const unresolved of [...this.#unresolved]) {
      if (unresolved.fate === "stored") await this.#store(unresolved);
    }
    this.#unresolved.length = 0;
    this.#shut = undefined;
    this.#failure = undefined;
  }

  readable(): Promise<void> | undefined {
    return this.#shut;
  }

  async close(): Promise<void> {
    this.#isDead = true;
    await this.#writes;
    await this.#inner.close();
  }

  /**
   * Cuts the power: this storage is gone, and what the disk holds comes back. That is every write that resolved, and of
   * the others a first part in their order, each whole. A write that rejected may be there or not, as was chosen for it.
   *
   * @param keepsUnsynced false for a disk that loses everything not yet synced
   */
  async crash(keepsUnsynced = true): Promise<FaultStorage> {
    this.#isDead = true;
    const left = keepsUnsynced ? this.#unresolved : [];
    const count = Math.floor(this.#random() * (left.length + 1));
    const kept = left.slice(0, count).filter(({ fate }) => fate !== "lost");
    const disk = new FaultStorage(openMemoryStorage(), Math.floor(this.#random() * 2 ** 32));
    for (const batch of [...this.#synced, ...kept.map((item) => item.batch)]) {
      await disk.write(batch);
    }
    return disk;
  }

  #assertTakesWrites(): void {
    this.#assertAlive();
    if (this.#failure !== undefined) throw this.#failure;
  }

  #assertAlive(): void {
    if (this.#isDead) throw new StoreError("store-closed", "The storage is closed.");
  }
}

function copyOf({ puts, deletes = [] }: WriteBatch): WriteBatch {
  return {
    puts: puts.map(([key, value]) => [Uint8Array.from(key), Uint8Array.from(value)] as const),
    deletes: deletes.map((key) => Uint8Array.from(key)),
  };
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
