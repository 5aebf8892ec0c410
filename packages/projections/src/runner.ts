/** Keeps one build of a projection in step with the log: catch-up first, then live. */
import { toStoreError, type EmbeddedStore, type Position, type StoreError } from "@sennit/core";
import type { Storage } from "@sennit/core/storage";
import { exhaustMap } from "rxjs/internal/operators/exhaustMap";
import { startWith } from "rxjs/internal/operators/startWith";
import { Subject } from "rxjs/internal/Subject";

import { readCheckpoint, type Checkpoint } from "./checkpoint.ts";
import { FoldError, foldFailure, mayPass } from "./fold-error.ts";
import { foldLog } from "./fold-log.ts";
import { isVoidedBetween } from "./open-checkpoint.ts";
import { RateMeter } from "./progress.ts";
import type { ProjectionDefinition } from "./projection.ts";
import { ProjectionRows } from "./projection-rows.ts";
import type { SharedLog } from "./shared-log.ts";

/** Pause before `apply` is tried again at an event it has refused, milliseconds: the first, and the longest. */
const retryMs = { first: 1000, longest: 60_000 };

/**
 * Rest between two small batches, milliseconds, and the events for which it is not worth while: each batch is a synced write
 * of its own, and takes time from the appends that it follows. Nobody waits for a rest to end.
 */
const restMs = 50;
const restEventsMax = 1000;

/** What a runner works with. */
export interface RunnerSettings {
  readonly store: EmbeddedStore;
  readonly log: SharedLog;
  readonly storage: Storage;
  readonly definition: ProjectionDefinition;
  /** Where the storage stands. */
  readonly checkpoint: Checkpoint;
  /** True for rows of another version: they are read, and nothing is added to them. */
  readonly isFrozen?: boolean;
  /** True when the files of the storage have been deleted. */
  readonly isGone: () => Promise<boolean>;
  /** Called after every batch, when the projection stops, and when its rows are void. */
  readonly onChange: () => void;
}

/** What rows can be void by. */
type VoidReason = "damage" | "erasure";

/** Runs one build. Rows and checkpoint are written together, so a crash repeats nothing and skips nothing. */
export class ProjectionRunner {
  readonly rows: ProjectionRows;
  readonly isFrozen: boolean;
  readonly #settings: RunnerSettings;
  readonly #nudges = new Subject<void>();
  readonly #stop = new AbortController();
  readonly #meter = new RateMeter();
  #checkpoint: Checkpoint;
  #voidBy: VoidReason | undefined;
  #isPaused = false;
  #failure: StoreError | null = null;
  /** True when the failure may have passed by the next event. */
  #isStalled = false;
  /** Position at which the last failed write was overcome: failing there again is no progress. */
  #overcomeAt = -1;
  /** Position up to which the log has been searched for erasures while nothing is folded. */
  #searchedUntil = 0;
  /** How often `apply` has refused the same event. */
  #refusals = 0;
  #retry: NodeJS.Timeout | undefined;
  /** Position up to which somebody waits. */
  #wanted: Position = 0;
  /** When the last batch was written, as `performance.now` tells it. */
  #workedAt = -Infinity;
  #rest: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #unsubscribe: () => void = () => undefined;

  constructor(settings: RunnerSettings) {
    this.#settings = settings;
    this.#checkpoint = settings.checkpoint;
    this.isFrozen = settings.isFrozen ?? false;
    this.rows = new ProjectionRows(settings.storage, settings.definition, () =>
      this.#void("damage"),
    );
  }

  /** Where the build is. */
  get checkpoint(): Checkpoint {
    return this.#checkpoint;
  }

  /** Why it has stopped; null while it goes on. */
  get failure(): StoreError | null {
    return this.#failure;
  }

  /** Why the rows must be made anew, if they must: they are damaged, or made of content erased since. It does nothing more then. */
  get voidBy(): VoidReason | undefined {
    return this.#voidBy;
  }

  get eventsPerSecond(): number {
    return this.#meter.perSecond;
  }

  /** Begins to follow the log. Heads that come while a batch is folded are folded in the same run. */
  start(): void {
    if (this.#stop.signal.aborted) return;
    const stopListening = this.#settings.store.log.onHead(() => {
      this.recover();
      this.#goOn();
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
        if (this.#hasWork()) queueMicrotask(() => this.#goOn());
      });
    this.#unsubscribe = () => {
      stopListening();
      subscription.unsubscribe();
    };
  }

  /** Applies nothing more after the batch at work. What is erased is still looked for. */
  pause(): void {
    this.#isPaused = true;
    this.#nudges.next();
  }

  /** Goes on after a pause, and tries again at once where `apply` has thrown. */
  resume(): void {
    this.#isPaused = false;
    this.#tryAgain();
    this.recover();
    this.#nudges.next();
  }

  /** Somebody waits for a position: what has failed is tried again, and nothing rests until it is reached. */
  want(position: Position): void {
    this.#wanted = Math.max(this.#wanted, position);
    this.recover();
    if (this.#rest !== undefined) this.#goOn();
  }

  /** Tries again what has failed for a reason that may have passed. */
  recover(): void {
    if (!this.#isStalled || this.#stop.signal.aborted) return;
    this.#isStalled = false;
    this.#failure = null;
    this.#overcomeAt = -1;
    this.#searchedUntil = 0;
    this.#nudges.next();
  }

  /** Resolves when nothing is being folded. */
  async idle(): Promise<void> {
    await this.#running;
  }

  /** Stops following, after the batch being written. */
  async stop(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#retry);
    clearTimeout(this.#rest);
    await this.#running;
    this.#unsubscribe();
  }

  #void(reason: VoidReason): void {
    if (this.#voidBy !== undefined || this.#stop.signal.aborted) return;
    this.#voidBy = reason;
    clearTimeout(this.#retry);
    this.#settings.onChange();
  }

  #tryAgain(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    if (this.#failure === null || this.#isStalled || this.#voidBy !== undefined) return;
    this.#failure = null;
    this.#nudges.next();
  }

  /** Folds what there is, at once or after a rest. */
  #goOn(): void {
    clearTimeout(this.#rest);
    this.#rest = undefined;
    const leftMs = this.#mayRest() ? this.#workedAt + restMs - performance.now() : 0;
    if (leftMs > 0) this.#rest = setTimeout(() => this.#nudges.next(), leftMs);
    else this.#nudges.next();
  }

  #mayRest(): boolean {
    const { position } = this.#checkpoint;
    return this.#wanted <= position && this.#settings.store.head - position < restEventsMax;
  }

  #follows(): boolean {
    return this.#failure === null && !this.#isPaused && !this.isFrozen;
  }

  #hasWork(): boolean {
    if (this.#stop.signal.aborted || this.#isStalled) return false;
    if (this.#voidBy !== undefined) return false;
    const { position } = this.#checkpoint;
    // One that does not go on must not keep what is erased later.
    const done = this.#follows() ? position : Math.max(position, this.#searchedUntil);
    return done < this.#settings.store.head;
  }

  /** Catches up with the head. It never rejects. */
  async #run(): Promise<void> {
    this.#meter.begin(performance.now());
    while (this.#hasWork()) {
      try {
        const { head } = this.#settings.store;
        if (this.#follows()) {
          await this.#follow(head);
          this.#workedAt = performance.now();
          if (this.#mayRest()) return;
        } else {
          await this.#searchErasures(head);
        }
      } catch (error) {
        if (this.#stop.signal.aborted || this.#voidBy !== undefined) return;
        if (!(await this.#overcome(error))) await this.#stopAt(error);
      }
    }
  }

  async #searchErasures(until: Position): Promise<void> {
    const checkpoint = this.#checkpoint;
    const after = Math.max(checkpoint.position, this.#searchedUntil);
    const { store } = this.#settings;
    try {
      if (await isVoidedBetween(store, checkpoint, after, until, this.#stop.signal))
        this.#void("erasure");
    } catch (error) {
      // What cannot be read is not searched again.
      if (!mayPass(error)) this.#searchedUntil = until;
      throw error;
    }
    this.#searchedUntil = until;
  }

  async #follow(until: Position): Promise<void> {
    const { log, storage, definition } = this.#settings;
    const checkpoint = this.#checkpoint;
    const { position, begunAt } = checkpoint;
    const chunks = log.read({ from: position + 1, until, begunAt }, this.#stop.signal);
    const isOver = () => this.#voidBy !== undefined || this.#isPaused;
    const onWritten = (written: Checkpoint) => this.#reached(written);
    const target = { storage, definition, rows: this.rows, checkpoint, onWritten, isOver };
    if (!(await foldLog(target, chunks))) this.#void("erasure");
  }

  /**
   * After a failed write: goes on from what the storage holds, which may be more than was known.
   *
   * @returns false when the failure is another, stays, or has come back without any progress
   */
  async #overcome(error: unknown): Promise<boolean> {
    if (!mayPass(error)) return false;
    const { storage, isGone } = this.#settings;
    try {
      await storage.recover();
    } catch {
      if (await isGone()) this.#void("damage");
      return this.#voidBy !== undefined;
    }
    const checkpoint = this.#checkpoint;
    const stored = readCheckpoint(storage);
    if (stored !== undefined && stored.position >= checkpoint.position) this.#reached(stored);
    // What was written has gone, so the rows are not those of the checkpoint.
    else if (checkpoint.position > 0) this.#void("damage");
    const { position } = this.#checkpoint;
    if (position <= this.#overcomeAt) return false;
    this.#overcomeAt = position;
    return true;
  }

  /** Stops the projection, for some time or for good. What stands before the event it fails at is kept. */
  async #stopAt(error: unknown): Promise<void> {
    const { definition } = this.#settings;
    let reason = error;
    if (error instanceof FoldError) {
      reason = foldFailure(definition, error);
      try {
        await this.#follow(error.position - 1);
      } catch (other) {
        if (this.#stop.signal.aborted) return;
        reason = other instanceof FoldError ? foldFailure(definition, other) : other;
      }
    }
    if (this.#voidBy === undefined) this.#fail(reason);
  }

  #fail(error: unknown): void {
    this.#failure = toStoreError(error);
    this.#isStalled = mayPass(error);
    if (!this.#isStalled && !this.#stop.signal.aborted) {
      const pauseMs = Math.min(retryMs.longest, retryMs.first * 2 ** this.#refusals);
      this.#refusals += 1;
      clearTimeout(this.#retry);
      // Nobody should have to wait for this to end the process.
      this.#retry = setTimeout(() => this.#tryAgain(), pauseMs).unref();
    }
    this.#settings.onChange();
  }

  #reached(checkpoint: Checkpoint): void {
    const count = checkpoint.position - this.#checkpoint.position;
    if (count > 0) {
      this.#meter.add(count, performance.now());
      this.#refusals = 0;
    }
    this.#checkpoint = checkpoint;
    this.#settings.onChange();
  }
}
