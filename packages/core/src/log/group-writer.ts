/** Group commit: while one synced write is on its way, decided batches collect; the next write takes all that wait. */
import type { VersionBlock } from "../codec/version-block.ts";
import type { CommitRecord } from "../codec/commit-record.ts";
import { isStoreError, StoreError } from "../errors.ts";
import type { RecordId } from "../ids.ts";
import { limits } from "../limits.ts";
import type { Storage, StorageEntry } from "../storage/storage.ts";
import type { DecidedBatch } from "./batch-builder.ts";
import { notStored } from "./recovery.ts";
import { commitPuts } from "./stored-parts.ts";
import type { StoredTree } from "./stored-tree.ts";

/** One durable write, for those who watch how a log does. */
export interface GroupWrite {
  readonly batches: number;
  readonly events: number;
  /** How long the storage took, the sync included, milliseconds. */
  readonly writeMs: number;
  /** For each batch, from when it was decided until it was durable, milliseconds. */
  readonly waitsMs: readonly number[];
}

/** Batches that are written together, and what all their callers wait for. */
class Group {
  readonly batches: DecidedBatch[] = [];
  /** When each of them came, milliseconds. */
  readonly cameMs: number[] = [];
  events = 0;
  readonly durable: Promise<void>;
  resolve!: () => void;
  reject!: (error: StoreError) => void;

  constructor() {
    // One promise for all of them: one for each would cost every append.
    this.durable = new Promise<void>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  add(batch: DecidedBatch, nowMs: number): void {
    this.batches.push(batch);
    this.cameMs.push(nowMs);
    this.events += batch.appended.length;
  }

  hasRoomFor(batch: DecidedBatch): boolean {
    return this.events + batch.appended.length <= limits.groupEventsMax;
  }
}

/** What a log does when a group of batches has been written, or could not be. */
export interface GroupListener {
  /** Called after each durable write, before its batches resolve. */
  readonly onCommit: (commit: CommitRecord, write: GroupWrite) => void;
  /**
   * Called when a write fails, after which nothing that was decided may be relied on.
   *
   * @param attempted what the write was to store
   * @returns undefined when it is stored all the same; otherwise the error of its batches
   */
  readonly onFailure: (
    reason: StoreError,
    attempted: readonly StorageEntry[],
  ) => Promise<StoreError | undefined>;
}

/**
 * Writes decided batches in order, many to a write.
 *
 * Callers woken by a write mostly append again at once. When the disk is the faster of the two, they fall into two halves
 * by themselves: one is decided while the other is being written. When it is the slower one, a write waits for all of
 * them, so that one sync carries as many as it can.
 */
export class GroupWriter {
  readonly #storage: Storage;
  readonly #tree: StoredTree;
  readonly #listener: GroupListener;
  /** The groups to be written, oldest first; batches join the last one. */
  #waiting: Group[] = [];
  #waitingBatches = 0;
  #waitingPuts = 0;
  #isWriting = false;
  /** A write that waits for more batches begins when so many are there, or when the event loop has turned. */
  #wanted = Infinity;
  #turn: NodeJS.Immediate | undefined;
  /** True when half of the callers are decided while the other half is written. */
  #inHalves = false;
  /** When the last batch came, milliseconds. */
  #lastCameMs = 0;
  /** When the callers of the last write were woken, milliseconds. */
  #wokenMs = 0;
  readonly #whenIdle: (() => void)[] = [];

  /** @param tree gets the leaves of every batch, in the order written */
  constructor(storage: Storage, tree: StoredTree, listener: GroupListener) {
    this.#storage = storage;
    this.#tree = tree;
    this.#listener = listener;
  }

  /** Keys waiting for a write. */
  get waitingPuts(): number {
    return this.#waitingPuts;
  }

  /** Resolves once the batch is durable. */
  write(batch: DecidedBatch): Promise<void> {
    let group = this.#waiting.at(-1);
    if (group?.hasRoomFor(batch) !== true) this.#waiting.push((group = new Group()));
    this.#lastCameMs = performance.now();
    group.add(batch, this.#lastCameMs);
    this.#waitingBatches += 1;
    this.#waitingPuts += batch.puts.length;
    if (this.#waitingBatches >= this.#wanted) this.#start();
    // One turn of the microtask queue: callers of the same turn join this one.
    else if (this.#waitingBatches === 1 && this.#turn === undefined) {
      queueMicrotask(() => this.#startUnlessWanted());
    }
    return group.durable;
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    if (!this.#isWriting && this.#waiting.length === 0) return;
    await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  #startUnlessWanted(): void {
    if (this.#turn === undefined) this.#start();
  }

  /** Begins to write what waits, within this call. */
  #start(): void {
    if (this.#isWriting) return;
    const group = this.#waiting.shift();
    if (group === undefined) return;
    const { batches } = group;
    this.#waitingBatches -= batches.length;
    for (const { puts } of batches) this.#waitingPuts -= puts.length;
    clearImmediate(this.#turn);
    this.#turn = undefined;
    this.#wanted = Infinity;
    this.#isWriting = true;
    const startMs = performance.now();
    void this.#write(group).then((error) => {
      this.#isWriting = false;
      this.#choose(startMs, performance.now());
      this.#goOn(batches.length);
      if (error === undefined) group.resolve();
      else group.reject(error);
      this.#wokenMs = performance.now();
      if (this.#isWriting || this.#waiting.length > 0) return;
      for (const resolve of this.#whenIdle.splice(0)) resolve();
    });
  }

  /**
   * Halves pay where writing takes no longer than deciding what is written, and as long as the event loop is not left idle
   * for half of the writing. Both marks are where the two ways of writing measured the same.
   */
  #choose(startMs: number, endMs: number): void {
    const writingMs = endMs - startMs;
    this.#inHalves = this.#inHalves
      ? endMs - Math.max(this.#lastCameMs, startMs) < 0.5 * writingMs
      : writingMs < 1.1 * (startMs - this.#wokenMs);
  }

  /** Writes on at once, or after the callers that are about to be woken have come again. */
  #goOn(woken: number): void {
    const callers = woken + this.#waitingBatches;
    const wanted = this.#inHalves ? Math.ceil(callers / 2) : callers;
    if (this.#waitingBatches >= wanted) {
      this.#start();
    } else if (callers > 1) {
      // Not all of them need come: then the write begins with those that did, once the event loop has turned.
      this.#wanted = wanted;
      this.#turn = setImmediate(() => {
        this.#turn = undefined;
        this.#wanted = Infinity;
        this.#start();
      });
    }
  }

  /** @returns undefined when the batches are durable; otherwise why they are not */
  async #write({ batches, events, cameMs }: Group): Promise<StoreError | undefined> {
    const last = batches.at(-1);
    // Batches of duplicates only change nothing: their events are durable already, or in a write before this one.
    if (last === undefined || batches.every((batch) => batch.puts.length === 0)) return undefined;
    const { head, recordedAtUs, recordCount } = last;
    const puts: StorageEntry[] = [];
    const blocks = new Map<RecordId, VersionBlock>();
    for (const batch of batches) {
      for (const put of batch.puts) puts.push(put);
      for (const [recordId, block] of batch.blocks) blocks.set(recordId, block);
    }
    let commit: CommitRecord;
    let startMs = 0;
    try {
      const leaves = batches.flatMap((batch) => batch.leaves);
      const end = commitPuts(this.#tree, blocks, leaves, { head, recordedAtUs, recordCount });
      for (const put of end.puts) puts.push(put);
      commit = end.commit;
      startMs = performance.now();
      await this.#storage.write({ puts, deletes: batches.flatMap(({ deletes }) => deletes ?? []) });
    } catch (error) {
      return this.#fail(error, puts);
    }
    const nowMs = performance.now();
    const waitsMs = cameMs.map((came) => nowMs - came);
    const writeMs = nowMs - startMs;
    this.#listener.onCommit(commit, { batches: batches.length, events, writeMs, waitsMs });
    return undefined;
  }

  /** Those that wait were decided on top of the group that failed, and have never been handed to the storage. */
  #fail(cause: unknown, attempted: readonly StorageEntry[]): Promise<StoreError | undefined> {
    const reason = isStoreError(cause) ? cause : writeFailed(cause);
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBatches = 0;
    this.#waitingPuts = 0;
    const outcome = this.#listener.onFailure(reason, attempted);
    for (const { reject } of waiting) reject(notStored(reason));
    return outcome;
  }
}

function writeFailed(cause: unknown): StoreError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StoreError("write-failed", `The write failed: ${reason}`, { cause });
}
