/** Group commit: while one synced write is on its way, decided batches collect; the next write takes all that wait. */
import type { VersionBlock } from "../codec/version-block.ts";
import { encodeCommit, type CommitRecord } from "../codec/commit-record.ts";
import { frame } from "../codec/frame.ts";
import { StoreError } from "../errors.ts";
import type { RecordId } from "../ids.ts";
import { limits } from "../limits.ts";
import { blockKey, commitKey } from "../storage/keyspace.ts";
import type { Storage, StorageEntry } from "../storage/storage.ts";
import type { DecidedBatch } from "./decide.ts";
import type { StoredTree } from "./stored-tree.ts";

interface Waiting {
  readonly batch: DecidedBatch;
  readonly resolve: () => void;
  readonly reject: (error: StoreError) => void;
}

/** Writes decided batches in order, many to a write. */
export class GroupWriter {
  readonly #storage: Storage;
  readonly #tree: StoredTree;
  readonly #onCommit: (commit: CommitRecord) => void;
  readonly #onFailure: (error: StoreError) => void;
  #waiting: Waiting[] = [];
  #waitingPuts = 0;
  #running: Promise<void> | undefined;

  /**
   * @param tree gets the leaves of every batch, in the order written
   * @param onCommit called after each durable write, before its batches resolve
   * @param onFailure called once when a write fails; every batch waiting has been decided on top of it and is rejected
   */
  constructor(
    storage: Storage,
    tree: StoredTree,
    onCommit: (commit: CommitRecord) => void,
    onFailure: (error: StoreError) => void,
  ) {
    this.#storage = storage;
    this.#tree = tree;
    this.#onCommit = onCommit;
    this.#onFailure = onFailure;
  }

  /** Keys waiting for a write. */
  get waitingPuts(): number {
    return this.#waitingPuts;
  }

  /** Resolves once the batch is durable. */
  write(batch: DecidedBatch): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      this.#waiting.push({ batch, resolve, reject });
      this.#waitingPuts += batch.puts.length;
      // One turn of the microtask queue: callers woken by the write before join this one.
      this.#running ??= Promise.resolve().then(() => this.#run());
    });
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#takeGroup();
      let commit: CommitRecord | undefined;
      try {
        commit = await this.#writeGroup(group.map(({ batch }) => batch));
      } catch (error) {
        this.#fail(group, error);
        break;
      }
      if (commit !== undefined) this.#onCommit(commit);
      for (const { resolve } of group) resolve();
      // Callers just woken append again within this turn of the event loop. When there were several, the next write
      // waits for them; a single caller is never kept waiting.
      if (group.length > 1) await new Promise((resolve) => setImmediate(resolve));
    }
    this.#running = undefined;
  }

  #takeGroup(): Waiting[] {
    let events = 0;
    let count = 0;
    for (const { batch } of this.#waiting) {
      if (count > 0 && events + batch.appended.length > limits.groupEventsMax) break;
      events += batch.appended.length;
      count += 1;
    }
    const group = this.#waiting.splice(0, count);
    for (const { batch } of group) this.#waitingPuts -= batch.puts.length;
    return group;
  }

  /** @returns what is durable now; undefined when there was nothing to write */
  async #writeGroup(batches: readonly DecidedBatch[]): Promise<CommitRecord | undefined> {
    const last = batches.at(-1);
    // Batches of duplicates only change nothing: their events are durable already, or in a write before this one.
    if (last === undefined || batches.every((batch) => batch.puts.length === 0)) return undefined;
    const puts: StorageEntry[] = [];
    const blocks = new Map<RecordId, VersionBlock>();
    for (const batch of batches) {
      for (const put of batch.puts) puts.push(put);
      for (const [recordId, block] of batch.blocks) blocks.set(recordId, block);
    }
    for (const [recordId, block] of blocks) {
      const key = blockKey(recordId);
      puts.push([key, frame(key, block.bytes)]);
    }
    for (const tile of this.#tree.append(batches.flatMap(({ leaves }) => leaves))) puts.push(tile);
    const { head, recordedAtUs, recordCount } = last;
    const commit = { head, recordedAtUs, recordCount, frontier: [...this.#tree.frontier.hashes] };
    puts.push([commitKey, encodeCommit(commit)]);
    await this.#storage.write({ puts });
    return commit;
  }

  #fail(group: readonly Waiting[], cause: unknown): void {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const error = new StoreError(
      "write-failed",
      `The write failed, and whether it was stored is not known: ${reason}`,
      { cause },
    );
    this.#onFailure(error);
    for (const { reject } of [...group, ...this.#waiting]) reject(error);
    this.#waiting = [];
    this.#waitingPuts = 0;
  }
}
