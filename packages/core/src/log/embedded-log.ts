/** The event log on a storage of this process: one writer, decided in memory, written in groups. */
import { assert } from "../assert.ts";
import { readClockUs, type Clock } from "../clock.ts";
import type { CommitRecord } from "../codec/commit-record.ts";
import type { Entry } from "../codec/entry.ts";
import { throwIfAborted, untilAborted } from "../abort.ts";
import { StoreError } from "../errors.ts";
import type { NewEvent, RecordedEvent } from "../event/event.ts";
import type { Position } from "../ids.ts";
import { limits } from "../limits.ts";
import type { LineageGraph } from "../lineage/graph.ts";
import type { SnapshotFile } from "../lineage/snapshot-file.ts";
import { Frontier } from "../merkle/frontier.ts";
import { mustHaveEntry, PendingState, StoredState, type State } from "../records/state.ts";
import type { Storage } from "../storage/storage.ts";
import type { BatchStart, DecidedBatch } from "./batch-builder.ts";
import { cascades, checkBatch, isAllStored } from "./batch-input.ts";
import type { Acknowledged, AcknowledgedFile } from "./acknowledged-file.ts";
import { checkConditions, noAppendOptions, validateAppendOptions } from "./conditions.ts";
import { findDamage } from "./damage.ts";
import { BatchDecider } from "./decide.ts";
import {
  eraseContent,
  type EraseOptions,
  type ErasureResult,
  type ErasureWrites,
  type EraseTarget,
} from "./erase.ts";
import type {
  AppendOptions,
  AppendResult,
  EventLog,
  ReadOptions,
  FollowOptions,
} from "./event-log.ts";
import { Gate } from "./gate.ts";
import { GroupWriter, type GroupWrite } from "./group-writer.ts";
import { answerToKey, withKey } from "./idempotency.ts";
import { GraphKeeper } from "./graph-keeper.ts";
import { LogProofs } from "./log-proofs.ts";
import { readEntries, readEvents, readStoredEntries, type StoredEntry } from "./read-entries.ts";
import { finishErasures, purgeErased, purgePut } from "./purge.ts";
import { readCommit, Recovery, type LogStatus } from "./recovery.ts";
import { StoredTree } from "./stored-tree.ts";
import { followEvents, HeadSignal } from "./subscribe.ts";

/** An `EventLog` on any `Storage`. */
export class EmbeddedLog implements EventLog {
  /** Proofs over what is durable. */
  readonly proofs: LogProofs;
  readonly #storage: Storage;
  readonly #clock: Clock;
  readonly #acknowledged: AcknowledgedFile | undefined;
  readonly #stored: State;
  readonly #pending: PendingState;
  readonly #tree: StoredTree;
  readonly #writer: GroupWriter;
  readonly #recovery: Recovery;
  /** Tells that the head has moved, and how it was written. */
  readonly headSignal: HeadSignal = new HeadSignal();
  /** What is durable. */
  #commit: CommitRecord;
  /** What has been decided; the same as `#commit` when nothing is being written. */
  #decided: BatchStart;
  /** No batch gets a time at or before this one, so that an answer as of it stays true. */
  #answeredUntilUs = 0;
  readonly #graph: GraphKeeper;
  readonly #gate: Gate;
  #damage: StoreError | undefined;
  #closing: Promise<void> | undefined;

  private constructor(
    storage: Storage,
    clock: Clock,
    commit: CommitRecord,
    acknowledged: AcknowledgedFile | undefined,
    snapshot: SnapshotFile | undefined,
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
    this.#tree = new StoredTree(storage, leafHash, new Frontier(commit.head, commit.frontier));
    this.proofs = new LogProofs(this.#tree, () => this.#commit);
    this.#recovery = new Recovery(storage, (stored) => this.#restore(stored));
    this.#gate = new Gate(this.#recovery);
    this.#graph = new GraphKeeper(
      {
        treeHead: (size) => this.proofs.treeHead(size),
        readEntries: (options) => this.readEntries(options),
        decidedHead: () => this.#decided.head,
        decided: (position) => this.#pending.entry(position),
      },
      snapshot,
    );
    this.#writer = new GroupWriter(storage, this.#tree, {
      onCommit: (next, write) => this.#advance(next, write),
      onFailure: (reason, attempted) => {
        if (reason.category === "corrupt") this.#damage = reason;
        const outcome = this.#recovery.settle(reason, attempted);
        this.#forgetUndurable();
        return outcome;
      },
    });
  }

  /**
   * Opens the log in a storage and looks whether anything of it is missing. A damaged log can be read where it is
   * intact; `damage` says what is wrong, and every append is refused with it.
   *
   * @param acknowledged the side file of the store, where there is one; the log closes it
   * @param snapshot where the lineage graph is kept between two openings
   * @throws `checksum-mismatch`, `head-mismatch` and `format-too-new` for a commit record that cannot be read
   */
  static async open(
    storage: Storage,
    clock: Clock,
    acknowledged?: AcknowledgedFile,
    snapshot?: SnapshotFile,
  ): Promise<EmbeddedLog> {
    const commit = readCommit(storage);
    const log = new EmbeddedLog(storage, clock, commit, acknowledged, snapshot);
    const found = await findDamage(storage, commit, log.proofs, acknowledged?.last);
    log.#damage = found ?? acknowledged?.damage;
    if (log.#damage === undefined && commit.head > (acknowledged?.last?.position ?? 0)) {
      log.#noteAcknowledged();
    }
    if (log.#damage === undefined) await finishErasures(storage);
    return log;
  }

  /** What is wrong with what is stored; nothing is written to a damaged log. Undefined for a sound one. */
  get damage(): StoreError | undefined {
    const { failure } = this.#recovery;
    return this.#damage ?? (failure?.category === "corrupt" ? failure : undefined);
  }

  /** Whether appends are taken at present. */
  get status(): LogStatus {
    if (this.damage !== undefined) return { state: "damaged", reason: this.damage };
    const reason = this.#recovery.failure;
    return { state: reason === undefined ? "ready" : "not-writable", reason };
  }

  /**
   * Tries to take appends again after a failed write; every append does so first. It does nothing for a log that is ready.
   *
   * @throws why that cannot be done at present: `disk-full`, `write-failed`, `store-closed`, the codes of damage
   */
  async recover(): Promise<void> {
    this.#assertTakesAppends();
    await this.#recovery.run();
  }

  /** Undefined when `state` and `proofs` can answer now; see `Storage.readable`. */
  readable(): Promise<void> | undefined {
    return this.#storage.readable();
  }

  /** What the log is stored in, for checking it. Only the log itself writes there. */
  get storage(): Storage {
    return this.#storage;
  }

  /** What the side file said when the log was opened. */
  get acknowledgedBefore(): Acknowledged | undefined {
    return this.#acknowledged?.last;
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

  async append(
    events: readonly NewEvent[],
    options: AppendOptions = noAppendOptions,
  ): Promise<AppendResult> {
    this.#assertTakesAppends();
    validateAppendOptions(options);
    throwIfAborted(options.signal);
    const checked = checkBatch(events);
    if (this.#writer.waitingPuts > limits.pendingPutsMax) {
      throw new StoreError("too-many-pending-appends", "Too many events wait for the disk.");
    }
    // Decided in the turn of the call, if possible: the sender may change its objects later, and what was checked is stored.
    const own = this.#mustWait(checked) ? structuredClone(checked) : checked;
    while (this.#mustWait(own)) {
      if (this.#gate.isShut) await this.#gate.wait(own.length);
      else await this.#gate.shut(this.graph());
      throwIfAborted(options.signal);
      this.#assertTakesAppends();
    }
    const batch = this.#decide(own, options);
    const { signal, idempotencyKey: key } = options;
    const written = key === undefined ? this.#writer.write(batch) : this.#writeWithKey(batch, key);
    // Each promise more costs every append.
    await (signal === undefined ? written : untilAborted(written, signal));
    const last = batch.appended.some(({ status }) => status === "stored") ? batch.head : this.head;
    return { head: last, events: batch.appended };
  }

  #mustWait(events: readonly NewEvent[]): boolean {
    return this.#gate.isShut || (this.#graph.loaded === undefined && events.some(cascades));
  }

  /**
   * Destroys the content of events, and records that it was done; see `Store.erase`. Nothing is appended meanwhile.
   */
  async erase(targets: readonly EraseTarget[], options: EraseOptions): Promise<ErasureResult> {
    this.#assertTakesAppends();
    while (this.#gate.isShut) {
      await this.#gate.wait(1);
      this.#assertTakesAppends();
    }
    const result = await this.#gate.shut(this.#erase(targets, options));
    if (options.dryRun !== true) await purgeErased(this.#storage);
    return result;
  }

  async #erase(targets: readonly EraseTarget[], options: EraseOptions): Promise<ErasureResult> {
    await this.#writer.idle();
    // A write that was on its way may have failed.
    await this.#recovery.run();
    this.#assertTakesAppends();
    const place = { storage: this.#storage, state: this.#stored, head: this.head };
    const write = async (event: NewEvent, writes: ErasureWrites) => {
      await this.#recovery.run();
      assert(this.#decided.head === place.head, "nothing is appended during an erasure");
      const batch = this.#decide([event], {});
      const puts = [...batch.puts, ...writes.puts, purgePut(batch.head)];
      await this.#writer.write({ ...batch, puts, deletes: writes.deletes });
      this.#pending.forgetBlocks(writes.recordIds);
    };
    return eraseContent(place, write, targets, options);
  }

  async #writeWithKey(batch: DecidedBatch, key: string): Promise<void> {
    await this.#writer.write(batch);
    this.#pending.forgetBatch(key);
  }

  read(options: ReadOptions = {}): AsyncGenerator<RecordedEvent> {
    return readEvents(this.#storage, this.head, options);
  }

  /** The entries of `read` in chunks, their content not yet decoded. */
  readEntries(options: ReadOptions = {}): AsyncGenerator<readonly Entry[]> {
    return readEntries(this.#storage, this.head, options);
  }

  /** The stored bytes of the entries of `read` in chunks: what another thread needs to decode them by itself. */
  readStoredEntries(options: ReadOptions = {}): AsyncGenerator<readonly StoredEntry[]> {
    return readStoredEntries(this.#storage, this.head, options);
  }

  follow({ from = 1, signal }: FollowOptions = {}): AsyncGenerator<RecordedEvent> {
    return followEvents(this, this.headSignal, from, signal);
  }

  /** Calls back after every durable write until the returned function is called. */
  onHead(listener: (write: GroupWrite | undefined) => void): () => void {
    return this.headSignal.listen(listener);
  }

  /** The lineage graph up to at least the head, built from the log the first time. Readers filter by position. */
  graph(): Promise<LineageGraph> {
    return this.#graph.load();
  }

  /**
   * Makes sure that no event will ever be recorded at or before a time, so that it can be resolved to a position.
   *
   * @param timeUs microseconds since the epoch, not after the present
   * @throws the codes of `recover` for a time after the last event, as long as it is not known whether others were stored
   */
  async settleUntil(timeUs: number): Promise<void> {
    if (timeUs > this.#answeredUntilUs) {
      this.#answeredUntilUs = timeUs;
      // Before the last batch nothing can be recorded in any case; only a later time must outlive this process.
      if (timeUs >= this.#decided.recordedAtUs) this.#noteAcknowledged();
    }
    const { head } = this.#decided;
    while (this.head < head && this.#recovery.failure === undefined) await this.headSignal.next();
    // A write that failed may turn out to be stored, at a time before this one.
    if (this.damage === undefined && timeUs > this.#commit.recordedAtUs) await this.#recovery.run();
  }

  /** The present by this log's reckoning: never before the last batch or answer. Microseconds since the epoch. */
  nowUs(): number {
    return Math.max(readClockUs(this.#clock), this.#decided.recordedAtUs, this.#answeredUntilUs);
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    await this.#writer.idle();
    await this.#recovery.idle();
    this.headSignal.close();
    await this.#graph.close(this.status.state === "ready");
    await this.#acknowledged?.close();
    await this.#storage.close();
  }

  #decide(events: readonly NewEvent[], options: AppendOptions): DecidedBatch {
    const state = this.#pending;
    const known = answerToKey(state, this.#decided, events, options.idempotencyKey);
    if (known !== undefined) return known;
    if (!isAllStored(state, events)) checkConditions(state, this.#decided.head, options);
    const recordedAtUs = Math.max(
      readClockUs(this.#clock),
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
      const decided = new BatchDecider(state, this.#graph.loaded, start).decide(events);
      const batch = withKey(state, decided, events, options.idempotencyKey);
      state.keep();
      // A batch of duplicates alone leaves the time of the last batch as it was.
      if (batch.head === start.head) return { ...batch, ...this.#decided };
      this.#decided = { head: batch.head, recordCount: batch.recordCount, recordedAtUs };
      return batch;
    } catch (error) {
      state.rollback();
      this.#graph.loaded?.truncate(start.head);
      throw error;
    }
  }

  #advance(commit: CommitRecord, write?: GroupWrite): void {
    this.#commit = commit;
    this.#pending.forget(commit.head);
    this.#noteAcknowledged();
    this.headSignal.notify(write);
  }

  /** A damaged log notes nothing: what the side file says of its end is the evidence that something is missing. */
  #noteAcknowledged(): void {
    if (this.damage !== undefined) return;
    this.#acknowledged?.note(() => {
      const { size, root } = this.proofs.treeHead();
      return { position: size, root, answeredUntilUs: this.#answeredUntilUs };
    });
  }

  /** After a failed write: what was decided holds no more, and whoever waits for the head looks again. */
  #forgetUndurable(): void {
    this.#pending.forgetAll();
    this.#graph.loaded?.truncate(this.#commit.head);
    this.#decided = this.#commit;
    this.headSignal.notify();
  }

  /** Goes on from what the storage holds after a failed write: the head as it was, or that of the write. @throws damage */
  async #restore(stored: CommitRecord): Promise<void> {
    const { size: position, root } = this.proofs.treeHead();
    const proofs = new LogProofs(this.#tree, () => stored);
    // What was acknowledged must be there, as at every opening.
    const known = { position, root, answeredUntilUs: this.#answeredUntilUs };
    const damage = await findDamage(this.#storage, stored, proofs, known);
    if (damage !== undefined) throw damage;
    this.#tree.restart(new Frontier(stored.head, stored.frontier));
    this.#graph.catchUp(stored.head, (at) => mustHaveEntry(this.#stored, at));
    this.#decided = stored;
    if (stored.head > this.head) this.#advance(stored);
  }

  #assertTakesAppends(): void {
    if (this.#closing !== undefined) throw new StoreError("store-closed", "The store is closed.");
    if (this.damage !== undefined) throw this.damage;
  }
}
