/** Keeps one projection in step with the log: catch-up first, then live. */
import type { EmbeddedStore, Position, RecordedEvent } from "@sennit/core";
import { BehaviorSubject } from "rxjs/internal/BehaviorSubject";
import type { Observable } from "rxjs/internal/Observable";
import { exhaustMap } from "rxjs/internal/operators/exhaustMap";
import { startWith } from "rxjs/internal/operators/startWith";
import { Subject } from "rxjs/internal/Subject";
import type { Subscription } from "rxjs/internal/Subscription";

import type { ProjectionDefinition } from "./projection.ts";
import { emptyCheckpoint, ProjectionRows, RowBatch, type Checkpoint } from "./row-storage.ts";
import type { Storage } from "@sennit/core/storage";

/** Rows changed after which a batch is written. */
const batchRowsMax = 20_000;
/** Events after which a batch is written. */
const batchEventsMax = 5000;

export interface ProjectionProgress {
  readonly name: string;
  readonly version: number;
  /** Position applied, and the log's head: equal when caught up. */
  readonly position: Position;
  readonly head: Position;
  readonly stateHash: string;
}

/** Runs one projection. Rows and checkpoint are written together, so a crash repeats nothing and skips nothing. */
export class ProjectionRunner {
  readonly definition: ProjectionDefinition;
  readonly rows: ProjectionRows;
  readonly #store: EmbeddedStore;
  readonly #nudges = new Subject<void>();
  readonly #progress: BehaviorSubject<ProjectionProgress>;
  #checkpoint: Checkpoint;
  #failure: unknown;
  #waiting: {
    readonly position: Position;
    readonly resolve: () => void;
    readonly reject: (error: unknown) => void;
  }[] = [];
  #subscription: Subscription | undefined;
  #stopListening: (() => void) | undefined;
  #advancing: Promise<void> = Promise.resolve();
  #stopped = false;

  private constructor(store: EmbeddedStore, storage: Storage, definition: ProjectionDefinition) {
    this.#store = store;
    this.definition = definition;
    this.rows = new ProjectionRows(storage, definition);
    this.#checkpoint = emptyCheckpoint;
    this.#progress = new BehaviorSubject(this.#currentProgress());
  }

  /** Opens the projection where it stopped, or from the beginning when its checkpoint is of another log. */
  static async open(
    store: EmbeddedStore,
    storage: Storage,
    definition: ProjectionDefinition,
  ): Promise<ProjectionRunner> {
    const runner = new ProjectionRunner(store, storage, definition);
    const checkpoint = runner.rows.checkpoint();
    if (await isOfThisLog(store, checkpoint)) runner.#checkpoint = checkpoint;
    else await runner.rows.clear();
    return runner;
  }

  /** Position, head and state hash, now and after every batch written. */
  get progress$(): Observable<ProjectionProgress> {
    return this.#progress;
  }

  get position(): Position {
    return this.#checkpoint.position;
  }

  /** Begins to follow the log. Heads that come while a batch is folded are folded in the same run. */
  start(): void {
    this.#stopListening = this.#store.log.onHead(() => this.#nudges.next());
    this.#subscription = this.#nudges
      .pipe(
        startWith(undefined),
        exhaustMap(async () => {
          this.#advancing = this.#advance();
          await this.#advancing;
        }),
      )
      .subscribe({
        next: () => {
          // A head may have come between the last look and the end of the run.
          if (this.#isBehind()) queueMicrotask(() => this.#nudges.next());
        },
        error: (error: unknown) => this.#fail(error),
      });
  }

  /** Resolves once everything up to a position has been applied. @throws what `apply` threw */
  async reach(position: Position): Promise<void> {
    if (this.#checkpoint.position >= position) return;
    if (this.#failure !== undefined) throw this.#failure;
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push({ position, resolve, reject });
    });
  }

  /** Stops following, after the batch being written. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stopListening?.();
    await this.#advancing.catch(() => undefined);
    this.#subscription?.unsubscribe();
    this.#progress.complete();
  }

  #isBehind(): boolean {
    return !this.#stopped && this.#checkpoint.position < this.#store.head;
  }

  async #advance(): Promise<void> {
    while (this.#isBehind()) {
      let batch = this.#newBatch();
      let events = 0;
      let last: RecordedEvent | undefined;
      for await (const event of this.#store.events({ from: this.#checkpoint.position + 1 })) {
        this.definition.apply(event, batch);
        last = event;
        events += 1;
        if (events < batchEventsMax && batch.size < batchRowsMax) continue;
        await this.#write(batch, event);
        batch = this.#newBatch();
        events = 0;
        last = undefined;
        if (this.#stopped) return;
      }
      if (last !== undefined) await this.#write(batch, last);
    }
  }

  #newBatch(): RowBatch {
    return new RowBatch(this.rows, this.definition, this.#checkpoint.stateHash);
  }

  async #write(batch: RowBatch, { position, hash }: RecordedEvent): Promise<void> {
    const { puts, deletes } = batch.changes();
    const checkpoint = { position, eventHash: hash, stateHash: batch.stateHash };
    await this.rows.write(puts, deletes, checkpoint);
    this.#checkpoint = checkpoint;
    this.#progress.next(this.#currentProgress());
    const reached = this.#waiting.filter((waiting) => waiting.position <= position);
    this.#waiting = this.#waiting.filter((waiting) => waiting.position > position);
    for (const { resolve } of reached) resolve();
  }

  #fail(error: unknown): void {
    this.#failure = error;
    for (const { reject } of this.#waiting) reject(error);
    this.#waiting = [];
  }

  #currentProgress(): ProjectionProgress {
    const { name, version } = this.definition;
    const { position, stateHash } = this.#checkpoint;
    return { name, version, position, head: this.#store.head, stateHash };
  }
}

/** A checkpoint belongs to a log that holds the very event it was made at. */
async function isOfThisLog(
  store: EmbeddedStore,
  { position, eventHash }: Checkpoint,
): Promise<boolean> {
  if (position === 0) return true;
  if (position > store.head) return false;
  for await (const event of store.events({ from: position, limit: 1 }))
    return event.hash === eventHash;
  return false;
}
