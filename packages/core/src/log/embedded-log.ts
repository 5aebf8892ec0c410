/** The event log on a storage of this process: one writer, decided in memory, written in groups. */
import type { Observable } from "rxjs";

import { must } from "../assert.ts";
import type { Clock } from "../clock.ts";
import { decodeCommit, emptyCommit, type CommitRecord } from "../codec/commit-record.ts";
import { Entry } from "../codec/entry.ts";
import { frame } from "../codec/frame.ts";
import { encodeMessagePack } from "../codec/msgpack.ts";
import { throwIfAborted, untilAborted } from "../abort.ts";
import { StoreError } from "../errors.ts";
import type { NewEvent, RecordedEvent } from "../event/event.ts";
import type { Position } from "../ids.ts";
import { limits } from "../limits.ts";
import { LineageGraph } from "../lineage/graph.ts";
import { Frontier } from "../merkle/frontier.ts";
import { mustHaveEntry, PendingState, StoredState, type State } from "../records/state.ts";
import { commitKey, entryKey, entryKeyPosition, idempotencyKey } from "../storage/keyspace.ts";
import type { Storage } from "../storage/storage.ts";
import type { BatchStart } from "./batch-builder.ts";
import { batchDigest, cascades, checkBatch, isAllStored } from "./batch-input.ts";
import type { AcknowledgedFile } from "./acknowledged-file.ts";
import { checkConditions, checkReadOptions, validateAppendOptions } from "./conditions.ts";
import { findDamage } from "./damage.ts";
import { BatchDecider, type DecidedBatch } from "./decide.ts";
import { storedAnswer } from "./duplicates.ts";
import type { AppendOptions, AppendResult, EventLog, ReadOptions } from "./event-log.ts";
import { GroupWriter } from "./group-writer.ts";
import { LogProofs } from "./log-proofs.ts";
import { StoredTree } from "./stored-tree.ts";
import { HeadSignal, observeEvents } from "./subscribe.ts";

/** An `EventLog` on any `Storage`. */
export class EmbeddedLog implements EventLog {
  /** Proofs over what is durable. */
  readonly proofs: LogProofs;
  readonly #storage: Storage;
  readonly #clock: Clock;
  readonly #acknowledged: AcknowledgedFile | undefined;
  readonly #stored: State;
  readonly #pending: PendingState;
  readonly #writer: GroupWriter;
  readonly #headSignal = new HeadSignal();
  /** What is durable. */
  #commit: CommitRecord;
  /** What has been decided; the same as `#commit` when nothing is being written. */
  #decided: BatchStart;
  /** No batch gets a time at or before this one, so that an answer as of it stays true. */
  #answeredUntilUs = 0;
  #graph: LineageGraph | undefined;
  #graphLoading: Promise<LineageGraph> | undefined;
  /** There while appends wait for the graph. */
  #gate: Promise<void> | undefined;
  #failure: StoreError | undefined;
  #closing: Promise<void> | undefined;

  private constructor(
    storage: Storage,
    clock: Clock,
    commit: CommitRecord,
    acknowledged: AcknowledgedFile | undefined,
  ) {
    this.#storage = storage;
    this.#acknowledged = acknowledged;
    this.#answeredUntilUs = acknowledged?.last?.answeredUntilUs ?? 0;
    this.#clock = clock;
    this.#commit = commit;
    this.#decided = commit;
    this.#stored = new StoredState(storage);
    this.#pending = new PendingState(this.#stored);
    const leafHash = (leaf: number) => mustHaveEntry(this.#stored, leaf + 1).leafHash();
    const tree = new StoredTree(storage, leafHash, new Frontier(commit.head, commit.frontier));
    this.proofs = new LogProofs(tree, () => this.#commit);
    this.#writer = new GroupWriter(
      storage,
      tree,
      (next) => this.#advance(next),
      (error) => this.#poison(error),
    );
  }

  /**
   * Opens the log in a storage and looks whether anything of it is missing. A damaged log can be read where it is
   * intact; `damage` says what is wrong, and every append is refused with it.
   *
   * @param acknowledged the side file of the store, where there is one; the log closes it
   * @throws `checksum-mismatch`, `head-mismatch` and `format-too-new` for a commit record that cannot be read
   */
  static async open(
    storage: Storage,
    clock: Clock,
    acknowledged?: AcknowledgedFile,
  ): Promise<EmbeddedLog> {
    const value = storage.get(commitKey);
    const commit = value === undefined ? emptyCommit : decodeCommit(value);
    const log = new EmbeddedLog(storage, clock, commit, acknowledged);
    log.#failure = await findDamage(storage, commit, log.proofs, acknowledged?.last);
    if (log.#failure === undefined && commit.head > (acknowledged?.last?.position ?? 0)) {
      log.#noteAcknowledged();
    }
    return log;
  }

  /** Why nothing can be written: damage found at opening, or a write that failed. Undefined for a sound log. */
  get damage(): StoreError | undefined {
    return this.#failure;
  }

  get head(): Position {
    return this.#commit.head;
  }

  /** Records ever created, as of the head. */
  get recordCount(): number {
    return this.#commit.recordCount;
  }

  /** Time of the last durable batch, microseconds since the epoch. */
  get recordedAtUs(): number {
    return this.#commit.recordedAtUs;
  }

  /** Synchronous look-ups in what is stored. It may hold more than the head: filter by position. */
  get state(): State {
    return this.#stored;
  }

  async append(events: readonly NewEvent[], options: AppendOptions = {}): Promise<AppendResult> {
    this.#assertWritable();
    validateAppendOptions(options);
    throwIfAborted(options.signal);
    const checked = checkBatch(events);
    if (this.#writer.waitingPuts > limits.pendingPutsMax) {
      throw new StoreError("too-many-pending-appends", "Too many events wait for the disk.");
    }
    if (this.#graph === undefined && checked.some(cascades)) this.#gate ??= this.#openGate();
    // Without a gate the batch is decided in the turn of the call, before the sender can change its objects.
    const own = this.#gate === undefined ? checked : await this.#passGate(checked, options);
    const batch = this.#decide(own, options);
    await untilAborted(this.#write(batch, options.idempotencyKey), options.signal);
    const last = batch.appended.some(({ status }) => status === "stored") ? batch.head : this.head;
    return { head: last, events: batch.appended };
  }

  /** Waits until the graph is there. Batches sent meanwhile wait too, so the order of calls holds. */
  async #passGate(
    events: readonly NewEvent[],
    { signal }: AppendOptions,
  ): Promise<readonly NewEvent[]> {
    // The sender may change its objects while we wait: what was checked is what is stored.
    const own = structuredClone(events);
    await this.#gate;
    throwIfAborted(signal);
    this.#assertWritable();
    return own;
  }

  async #openGate(): Promise<void> {
    try {
      await this.graph();
    } finally {
      this.#gate = undefined;
    }
  }

  async #write(batch: DecidedBatch, key: string | undefined): Promise<void> {
    await this.#writer.write(batch);
    if (key !== undefined) this.#pending.forgetBatch(key);
  }

  async *read(options: ReadOptions = {}): AsyncGenerator<RecordedEvent> {
    for await (const entries of this.readEntries(options)) {
      for (const entry of entries) {
        throwIfAborted(options.signal);
        yield entry.event();
      }
    }
  }

  /** The entries of `read` in chunks, their content not yet decoded. */
  async *readEntries(options: ReadOptions = {}): AsyncGenerator<readonly Entry[]> {
    checkReadOptions(options);
    const until = Math.min(options.until ?? this.head, this.head);
    const reverse = options.reverse ?? false;
    const first = reverse ? 1 : Math.max(1, options.from ?? 1);
    const last = reverse ? Math.min(until, options.from ?? until) : until;
    const limit = options.limit ?? Infinity;
    if (first > last || limit < 1) return;
    let expected = reverse ? last : first;
    const range = {
      from: entryKey(first),
      until: entryKey(last + 1),
      reverse,
      signal: options.signal,
    };
    const chunks = this.#storage.scan(Number.isFinite(limit) ? { ...range, limit } : range);
    const end = reverse ? Math.max(first, last - limit + 1) : Math.min(last, first + limit - 1);
    for await (const chunk of chunks) {
      yield chunk.map(([key, value]) => {
        const position = entryKeyPosition(key);
        if (position !== expected) throw gap(expected);
        expected += reverse ? -1 : 1;
        return Entry.decode(position, value);
      });
    }
    if (expected !== end + (reverse ? -1 : 1)) throw gap(expected);
  }

  events$(options: { readonly from?: Position | undefined } = {}): Observable<RecordedEvent> {
    return observeEvents(this, this.#headSignal, options.from ?? 1);
  }

  /** Calls back after every durable write until the returned function is called. */
  onHead(listener: () => void): () => void {
    return this.#headSignal.listen(listener);
  }

  /** The lineage graph up to at least the head, built from the log the first time. Readers filter by position. */
  async graph(): Promise<LineageGraph> {
    if (this.#graph !== undefined) return this.#graph;
    this.#graphLoading ??= this.#loadGraph().finally(() => {
      this.#graphLoading = undefined;
    });
    return this.#graphLoading;
  }

  /**
   * Makes sure that no event will ever be recorded at or before a time, so that it can be resolved to a position.
   *
   * @param timeUs microseconds since the epoch, not after the present
   */
  async settleUntil(timeUs: number): Promise<void> {
    if (timeUs > this.#answeredUntilUs) {
      this.#answeredUntilUs = timeUs;
      // Before the last batch nothing can be recorded in any case; only a later time must outlive this process.
      if (timeUs >= this.#decided.recordedAtUs) this.#noteAcknowledged();
    }
    const { head } = this.#decided;
    while (this.head < head && this.#failure === undefined) await this.#headSignal.next();
  }

  /** The present by this log's reckoning: never before the last batch or answer. Microseconds since the epoch. */
  nowUs(): number {
    return Math.max(this.#clockUs(), this.#decided.recordedAtUs, this.#answeredUntilUs);
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    await this.#writer.idle();
    this.#headSignal.close();
    await this.#acknowledged?.close();
    await this.#storage.close();
  }

  #decide(events: readonly NewEvent[], options: AppendOptions): DecidedBatch {
    const state = this.#pending;
    const known = this.#answerToKey(events, options);
    if (known !== undefined) return known;
    if (!isAllStored(state, events)) checkConditions(state, this.#decided.head, options);
    const recordedAtUs = Math.max(
      this.#clockUs(),
      this.#decided.recordedAtUs + 1,
      this.#answeredUntilUs + 1,
    );
    const start = {
      head: this.#decided.head,
      recordCount: this.#decided.recordCount,
      recordedAtUs,
    };
    state.begin();
    try {
      const batch = new BatchDecider(state, this.#graph, start).decide(events);
      const withKey = this.#rememberKey(batch, events, options);
      state.keep();
      // A batch of duplicates alone leaves the time of the last batch as it was.
      if (batch.head > start.head) {
        this.#decided = { head: batch.head, recordCount: batch.recordCount, recordedAtUs };
      }
      return { ...withKey, ...this.#decided };
    } catch (error) {
      state.rollback();
      this.#graph?.truncate(start.head);
      throw error;
    }
  }

  /** The first answer to a batch whose idempotency key is known. */
  #answerToKey(
    events: readonly NewEvent[],
    { idempotencyKey: key }: AppendOptions,
  ): DecidedBatch | undefined {
    const before = key === undefined ? undefined : this.#pending.idempotentBatch(key);
    if (before === undefined) return undefined;
    if (!batchDigest(events).equals(before.digest)) {
      throw new StoreError(
        "idempotency-key-reused",
        `Idempotency key ${JSON.stringify(key)} belongs to another batch.`,
        {
          details: { idempotencyKey: key, positions: before.positions },
        },
      );
    }
    const appended = before.positions.map((position) =>
      storedAnswer(
        this.#pending,
        must(this.#pending.entry(position), "an idempotent batch's events are stored"),
      ),
    );
    return { ...this.#decided, puts: [], leaves: [], blocks: new Map(), appended };
  }

  #rememberKey(
    batch: DecidedBatch,
    events: readonly NewEvent[],
    { idempotencyKey: key }: AppendOptions,
  ): DecidedBatch {
    if (key === undefined) return batch;
    const remembered = {
      digest: batchDigest(events),
      positions: batch.appended.map(({ position }) => position),
    };
    this.#pending.setIdempotentBatch(key, remembered);
    const storageKey = idempotencyKey(key);
    const value = frame(storageKey, encodeMessagePack([remembered.digest, remembered.positions]));
    return { ...batch, puts: [...batch.puts, [storageKey, value]] };
  }

  #advance(commit: CommitRecord): void {
    this.#commit = commit;
    this.#pending.forget(commit.head);
    this.#noteAcknowledged();
    this.#headSignal.notify();
  }

  /** The clock's reading, or 0 when it is none: the log then goes on from the last batch. */
  #clockUs(): number {
    const now = Math.floor(this.#clock.nowUs());
    return now >= 0 && now <= limits.timeUsMax ? now : 0;
  }

  /** A damaged log notes nothing: what the side file says of its end is the evidence that something is missing. */
  #noteAcknowledged(): void {
    if (this.#failure !== undefined) return;
    this.#acknowledged?.note(() => {
      const { size, root } = this.proofs.treeHead();
      return { position: size, root, answeredUntilUs: this.#answeredUntilUs };
    });
  }

  #poison(error: StoreError): void {
    this.#failure = error;
    this.#graph = undefined;
    this.#decided = this.#commit;
    this.#headSignal.notify();
  }

  async #loadGraph(): Promise<LineageGraph> {
    const graph = new LineageGraph();
    while (graph.head < this.head) {
      for await (const entries of this.readEntries({ from: graph.head + 1 })) {
        for (const { header } of entries) graph.apply(header);
      }
    }
    // From here to the assignment nothing else runs, so no event can slip in between.
    while (graph.head < this.#decided.head) {
      graph.apply(
        must(this.#pending.entry(graph.head + 1), "a decided event is pending or stored").header,
      );
    }
    this.#graph = graph;
    return graph;
  }

  #assertWritable(): void {
    if (this.#closing !== undefined) throw new StoreError("store-closed", "The store is closed.");
    if (this.#failure !== undefined) throw this.#failure;
  }
}

function gap(position: Position): StoreError {
  return new StoreError("log-gap", `Position ${position} is missing from the log.`, {
    details: { position },
  });
}
