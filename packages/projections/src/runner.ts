/** Keeps one projection in step with the log: catch-up first, then live. */
import {
  isStoreError,
  StoreError,
  toStoreError,
  type EmbeddedStore,
  type Position,
  type RecordedEvent,
} from "@sennit/core";
import type { Storage } from "@sennit/core/storage";
import { BehaviorSubject } from "rxjs/internal/BehaviorSubject";
import type { Observable } from "rxjs/internal/Observable";
import { exhaustMap } from "rxjs/internal/operators/exhaustMap";
import { startWith } from "rxjs/internal/operators/startWith";
import { Subject } from "rxjs/internal/Subject";

import { fold, FoldError, foldFailure, mayPass } from "./fold-error.ts";
import type { ProjectionDefinition } from "./projection.ts";
import { ProjectionRows } from "./projection-rows.ts";
import { RowBatch } from "./row-batch.ts";
import { emptyCheckpoint, isVoidedBetween, openCheckpoint, voidsFold } from "./open-checkpoint.ts";
import {
  checkpointEntry,
  forgetOtherSpace,
  readCheckpoint,
  type Checkpoint,
  type SpaceAllocator,
} from "./spaces.ts";
import { WaitingList } from "./waiting-list.ts";

/** Rows changed after which a batch is written. Much larger ones outlive the young generation and cost more to collect. */
const batchRowsMax = 4000;
/** Events after which a batch is written. */
const batchEventsMax = 5000;

export interface ProjectionProgress {
  readonly name: string;
  readonly version: number;
  /** Position applied, and the log's head: equal when caught up. */
  readonly position: Position;
  readonly head: Position;
  readonly stateHash: string;
  /**
   * Why the projection has stopped; null while it goes on. Where its rows could not be written (category `unavailable`), it
   * is tried again with the next event and whenever somebody waits for it; otherwise when the views are opened anew.
   */
  readonly failure: StoreError | null;
}

/** The rows of one build of a projection and how far it is. A rebuild is another one. */
interface Build {
  readonly rows: ProjectionRows;
  checkpoint: Checkpoint;
}

/** What a runner works with. */
export interface RunnerSettings {
  readonly store: EmbeddedStore;
  readonly storage: Storage;
  readonly spaces: SpaceAllocator;
  /** Called when stored rows turn out to be damaged. */
  readonly onDamage: () => void;
  /** Called when a projection has been made anew and has caught up: its old rows are of no use any more. */
  readonly onRebuilt: () => void;
}

/** Runs one projection. Rows and checkpoint are written together, so a crash repeats nothing and skips nothing. */
export class ProjectionRunner {
  readonly definition: ProjectionDefinition;
  readonly #settings: RunnerSettings;
  readonly #nudges = new Subject<void>();
  readonly #progress: BehaviorSubject<ProjectionProgress>;
  readonly #waiting = new WaitingList();
  readonly #stop = new AbortController();
  #build: Build;
  /** True when the rows must be made anew: they are damaged, or made of content that has been erased since. */
  #isVoid = false;
  /** Rows that were void and are still stored. */
  #oldRows: ProjectionRows[] = [];
  #failure: StoreError | null = null;
  /** True when the failure may have passed by the next event. */
  #isStalled = false;
  /** Position at which the last failed write was overcome: failing there again is no progress. */
  #overcomeAt = -1;
  /** Position up to which the log has been searched for erasures since the projection stopped. */
  #searchedUntil = 0;
  #running: Promise<void> = Promise.resolve();
  #unsubscribe: () => void = () => undefined;

  private constructor(
    settings: RunnerSettings,
    definition: ProjectionDefinition,
    checkpoint: Checkpoint,
  ) {
    this.#settings = settings;
    this.definition = definition;
    this.#build = this.#openBuild(checkpoint);
    this.#progress = new BehaviorSubject(this.#currentProgress());
  }

  /**
   * Opens the projection where it stopped, or from the beginning when its checkpoint is of another version, of another
   * log, or cannot be read.
   */
  static async open(
    settings: RunnerSettings,
    definition: ProjectionDefinition,
  ): Promise<ProjectionRunner> {
    const checkpoint = await openCheckpoint(settings, definition);
    return new ProjectionRunner(settings, definition, checkpoint);
  }

  /** Position, head, state hash and failure: now, after every batch written, and when the projection stops. */
  get progress$(): Observable<ProjectionProgress> {
    return this.#progress;
  }

  /** The rows as far as the projection is. After a rebuild they are others. */
  get rows(): ProjectionRows {
    return this.#build.rows;
  }

  /** Where the projection is. */
  get checkpoint(): Checkpoint {
    return this.#build.checkpoint;
  }

  /** Begins to follow the log. Heads that come while a batch is folded are folded in the same run. */
  start(): void {
    const stopListening = this.#settings.store.log.onHead(() => {
      this.#resume();
      this.#nudges.next();
    });
    const subscription = this.#nudges
      .pipe(
        startWith(undefined),
        exhaustMap(() => {
          this.#running = this.#run();
          return this.#running;
        }),
      )
      .subscribe(() => {
        // A head may have come between the last look and the end of the run.
        if (this.#hasWork()) queueMicrotask(() => this.#nudges.next());
      });
    this.#unsubscribe = () => {
      stopListening();
      subscription.unsubscribe();
    };
  }

  /**
   * Resolves once everything up to a position has been applied.
   *
   * @throws `projection-failed` when the projection has stopped before it, `disk-full` and `write-failed` when its rows
   * cannot be written at present, `store-closed`, `aborted`
   */
  async reach(position: Position, signal?: AbortSignal): Promise<void> {
    if (!this.#isVoid && this.#build.checkpoint.position >= position) return;
    if (!this.#stop.signal.aborted) this.#resume();
    if (this.#failure !== null) throw this.#failure;
    if (this.#stop.signal.aborted) throw closed();
    await this.#waiting.wait(position, signal);
  }

  /** Resolves when nothing is being folded. */
  async idle(): Promise<void> {
    await this.#running;
  }

  /** Stops following, after the batch being written. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.#unsubscribe();
    this.#waiting.rejectAll(closed());
    this.#progress.complete();
  }

  /** Tries again what has failed for a reason that may have passed. */
  #resume(): void {
    if (!this.#isStalled) return;
    this.#isStalled = false;
    this.#failure = null;
    this.#overcomeAt = -1;
    this.#searchedUntil = 0;
    this.#nudges.next();
  }

  #hasWork(): boolean {
    if (this.#stop.signal.aborted || this.#isStalled) return false;
    // One that has stopped must not keep what is erased later.
    const done = this.#failure === null ? this.#build.checkpoint.position : this.#searchedUntil;
    return this.#isVoid || done < this.#settings.store.head;
  }

  /** Catches up with the head, beginning anew as often as rows turn out to be damaged. It never rejects. */
  async #run(): Promise<void> {
    while (this.#hasWork()) {
      try {
        if (this.#isVoid && !(await this.#beginAnew())) return;
        const { head } = this.#settings.store;
        if (this.#failure === null) await this.#follow(head);
        else await this.#searchErasures(head);
        if (!this.#hasWork()) await this.#retireOldRows();
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        // When the rows are damaged, the error is one of them, and the next turn starts without them.
        if (!this.#isVoid && !(await this.#overcome(error))) await this.#stopAt(error);
      }
    }
  }

  async #searchErasures(until: Position): Promise<void> {
    const { store } = this.#settings;
    const { checkpoint } = this.#build;
    const after = Math.max(checkpoint.position, this.#searchedUntil);
    try {
      this.#isVoid ||= await isVoidedBetween(store, checkpoint, after, until, this.#stop.signal);
      if (!this.#isVoid) await this.#retireOldRows();
    } catch (error) {
      // What cannot be read is not searched again.
      if (!mayPass(error)) this.#searchedUntil = until;
      throw error;
    }
    this.#searchedUntil = until;
  }

  async #retireOldRows(): Promise<void> {
    const { position, space } = this.#build.checkpoint;
    // Before its first batch, the stored checkpoint is the one of the old rows, and would keep them.
    const isForgotten =
      position === 0 &&
      (await forgetOtherSpace(this.#settings.storage, this.definition.name, space));
    if (this.#oldRows.length === 0 && !isForgotten) return;
    for (const rows of this.#oldRows) rows.retire();
    this.#oldRows = [];
    this.#settings.onRebuilt();
  }

  /** @returns false when not even that could be done: the projection then waits for the next event to try again */
  async #beginAnew(): Promise<boolean> {
    try {
      const space = await this.#settings.spaces.allocate();
      const { head } = this.#settings.store;
      this.#oldRows.push(this.#build.rows);
      this.#build = this.#openBuild(emptyCheckpoint(this.definition, space, head));
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#fail(error);
      this.#isStalled = true;
      return false;
    }
    this.#isVoid = false;
    this.#failure = null;
    this.#searchedUntil = 0;
    this.#progress.next(this.#currentProgress());
    return true;
  }

  /** Folds and writes the events after the checkpoint up to a position; one batch is written while the next is folded. */
  async #follow(until: Position): Promise<void> {
    const { rows, checkpoint } = this.#build;
    const range = { from: checkpoint.position + 1, until, signal: this.#stop.signal };
    let batch = new RowBatch(rows, this.definition, checkpoint.stateHash);
    let writing: Promise<void> = Promise.resolve();
    let last: RecordedEvent | undefined;
    try {
      for await (const entries of this.#settings.store.log.readEntries(range)) {
        for (const entry of entries) {
          last = entry.event();
          if (voidsFold(last, checkpoint)) {
            this.#isVoid = true;
            return;
          }
          // A fold reads rows and cannot wait.
          const shut = this.#settings.storage.readable();
          if (shut !== undefined) await shut;
          fold(batch, last);
          if (batch.eventCount < batchEventsMax && batch.rowCount < batchRowsMax) continue;
          await writing;
          if (this.#isVoid) return;
          writing = this.#write(batch, last);
          // The failure is thrown by the next await; until then it must not count as one nobody looks at.
          writing.catch(() => undefined);
          batch = batch.next();
        }
      }
    } finally {
      await writing;
    }
    if (last !== undefined && batch.eventCount > 0) await this.#write(batch, last);
  }

  /**
   * After a failed write: goes on from what the storage holds, which may be more than was known.
   *
   * @returns false when the failure is another, stays, or has come back without any progress
   */
  async #overcome(error: unknown): Promise<boolean> {
    if (!mayPass(error)) return false;
    const { storage } = this.#settings;
    try {
      await storage.recover();
    } catch {
      return false;
    }
    const { checkpoint } = this.#build;
    const stored = readCheckpoint(storage, this.definition.name);
    const isOurs = stored?.space === checkpoint.space && stored.position >= checkpoint.position;
    if (isOurs) this.#reached(stored);
    // What was written has gone, so the rows are not those of the checkpoint.
    else if (checkpoint.position > 0) this.#isVoid = true;
    const { position } = this.#build.checkpoint;
    if (position <= this.#overcomeAt) return false;
    this.#overcomeAt = position;
    return true;
  }

  /** Stops the projection, for good unless the failure may pass. What stands before the event it fails at is kept. */
  async #stopAt(error: unknown): Promise<void> {
    let reason = error;
    if (error instanceof FoldError) {
      reason = foldFailure(this.definition, error);
      try {
        await this.#follow(error.position - 1);
        if (this.#isVoid) return;
      } catch (other) {
        if (this.#isVoid || this.#stop.signal.aborted) return;
        reason = other instanceof FoldError ? foldFailure(this.definition, other) : other;
      }
    }
    this.#fail(reason);
  }

  #fail(error: unknown): void {
    this.#failure = toStoreError(error);
    this.#isStalled = mayPass(error);
    this.#progress.next(this.#currentProgress());
    this.#waiting.rejectAll(this.#failure);
  }

  async #write(batch: RowBatch, { position, hash }: RecordedEvent): Promise<void> {
    if (this.#isVoid) return;
    const { name, version } = this.definition;
    const { stateHash } = batch;
    const checkpoint: Checkpoint = {
      version,
      space: this.#build.checkpoint.space,
      begunAt: this.#build.checkpoint.begunAt,
      position,
      eventHash: hash,
      stateHash,
    };
    const { puts, deletes } = batch.changes();
    puts.push(checkpointEntry(name, checkpoint));
    try {
      await this.#settings.storage.write({ puts, deletes });
    } catch (error) {
      const { code, message } = isStoreError(error)
        ? error
        : new StoreError("write-failed", String(error));
      throw new StoreError(code, `Projection "${name}" cannot be written: ${message}`, {
        cause: error,
        hint: "The log is not affected; the projection goes on from here as soon as it can be written.",
        details: { projection: name, position },
      });
    }
    this.#reached(checkpoint);
  }

  #reached(checkpoint: Checkpoint): void {
    this.#build.checkpoint = checkpoint;
    this.#progress.next(this.#currentProgress());
    if (!this.#isVoid) this.#waiting.resolveUpTo(checkpoint.position);
  }

  #openBuild(checkpoint: Checkpoint): Build {
    const { storage, onDamage } = this.#settings;
    const rows = new ProjectionRows(storage, this.definition, checkpoint.space, (damaged) => {
      onDamage();
      if (damaged !== this.#build.rows || this.#isVoid) return;
      this.#isVoid = true;
      this.#nudges.next();
    });
    return { rows, checkpoint };
  }

  #currentProgress(): ProjectionProgress {
    const { name, version } = this.definition;
    const { position, stateHash } = this.#build.checkpoint;
    const { head } = this.#settings.store;
    return { name, version, position, head, stateHash, failure: this.#failure };
  }
}

function closed(): StoreError {
  return new StoreError("store-closed", "The views are closed.");
}
