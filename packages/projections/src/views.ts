/** The views of a store: its projections, kept in step with the log, and readers on them. */
import { rm } from "node:fs/promises";
import { join } from "node:path";

import {
  isStoreError,
  recordsRestingOn,
  StoreError,
  throwIfAborted,
  toStoreError,
  type AsOf,
  type EmbeddedStore,
} from "@sennit/core";
import { openLevelStorage, openMemoryStorage, type Storage } from "@sennit/core/storage";
import type { Observable } from "rxjs/internal/Observable";

import type { Follower } from "./live/follower.ts";
import { defineProjection, type ProjectionDefinition } from "./projection.ts";
import type { ProjectionRows } from "./projection-rows.ts";
import { builtInProjections } from "./read-models/built-in.ts";
import { recordsProjection } from "./read-models/records.ts";
import { ProjectionRunner, type ProjectionProgress } from "./runner.ts";
import { SpaceAllocator, sweepSpaces } from "./spaces.ts";
import { ViewReader } from "./view-reader.ts";

export interface OpenViewsOptions {
  /** Projections of the caller's own, beside the built-in ones. */
  readonly projections?: readonly ProjectionDefinition[] | undefined;
}

/**
 * Opens the views of a store in its directory `views`, which may be deleted at any time, or in memory.
 *
 * @throws TypeError for a definition that cannot be, or two of one name; `store-locked`
 */
export async function openViews(
  store: EmbeddedStore,
  options: OpenViewsOptions = {},
): Promise<Views> {
  const definitions = checkDefinitions([...builtInProjections, ...(options.projections ?? [])]);
  const directory = store.directory === undefined ? undefined : join(store.directory, "views");
  const storage = await openStorage(directory);
  let isDamaged = false;
  let views: Views | undefined;
  const settings = {
    store,
    storage,
    spaces: new SpaceAllocator(storage),
    onDamage: () => {
      isDamaged = true;
    },
    onRebuilt: () => views?.sweep(),
  };
  const close = async (): Promise<void> => {
    await storage.close();
    // What is damaged in one place may be so in others; everything there is can be made again.
    if (isDamaged && directory !== undefined) await removeDirectory(directory);
  };
  try {
    const runners = new Map<string, ProjectionRunner>();
    for (const definition of definitions) {
      runners.set(definition.name, await ProjectionRunner.open(settings, definition));
    }
    views = new Views(store, storage, runners, close);
    return views;
  } catch (error) {
    await close();
    throw error;
  }
}

function checkDefinitions(definitions: readonly ProjectionDefinition[]): ProjectionDefinition[] {
  const names = new Set<string>();
  return definitions.map((definition) => {
    const { name } = defineProjection(definition);
    if (names.has(name)) throw new TypeError(`Two projections are called "${name}".`);
    names.add(name);
    return definition;
  });
}

/** Views are made from the log, so ones that cannot be opened are thrown away and made again. */
async function openStorage(directory: string | undefined): Promise<Storage> {
  if (directory === undefined) return openMemoryStorage();
  try {
    return await openLevelStorage(directory);
  } catch (error) {
    if (isStoreError(error) && ["store-locked", "disk-full"].includes(error.code)) throw error;
    await removeDirectory(directory).catch((reason: unknown) => {
      throw new StoreError(
        "file-unreadable",
        `Cannot renew the views in ${directory}: ${String(reason)}`,
        {
          cause: reason,
          details: { directory },
        },
      );
    });
    return openLevelStorage(directory);
  }
}

function removeDirectory(directory: string): Promise<void> {
  return rm(directory, { recursive: true, force: true });
}

/** The projections of a store, following its log. */
export class Views {
  readonly #store: EmbeddedStore;
  readonly #runners: ReadonlyMap<string, ProjectionRunner>;
  readonly #closeStorage: () => Promise<void>;
  readonly #stopSweep = new AbortController();
  readonly #storage: Storage;
  readonly #follower: Follower = {
    next: async (after, signal) => {
      await this.#runner(recordsProjection.name).reach(after + 1, signal);
      return this.at(undefined, { signal });
    },
    dependants: async (recordId, asOf) =>
      recordsRestingOn(await this.#store.log.graph(), recordId, asOf),
  };
  #sweeping: Promise<void> = Promise.resolve();
  /** Why the last sweep has not removed everything. */
  #sweepFailure: StoreError | undefined;
  #closing: Promise<void> | undefined;

  /** Starts the runners. @param closeStorage called once nothing uses the storage any more */
  constructor(
    store: EmbeddedStore,
    storage: Storage,
    runners: ReadonlyMap<string, ProjectionRunner>,
    closeStorage: () => Promise<void>,
  ) {
    this.#store = store;
    this.#runners = runners;
    this.#closeStorage = closeStorage;
    for (const runner of runners.values()) runner.start();
    this.#storage = storage;
    this.sweep();
  }

  /** Begins to remove rows that belong to no projection any more. What fails is tried again by `caughtUp` and the next opening. */
  sweep(): void {
    const inUse = () => ({
      spaces: new Map([...this.#runners].map(([name, { checkpoint }]) => [name, checkpoint.space])),
      begunFrom: this.#runner(recordsProjection.name).checkpoint.begunAt,
    });
    this.#sweeping = this.#sweeping
      .then(() => sweepSpaces(this.#storage, inUse, this.#stopSweep.signal))
      .then(
        () => {
          this.#sweepFailure = undefined;
        },
        (error: unknown) => {
          this.#sweepFailure = toStoreError(error);
        },
      );
  }

  /**
   * A reader of an instant, once the views have got there. Default: the present.
   *
   * @throws the codes of `Store.at`, `projection-failed` when the views have stopped before that instant, `disk-full` and
   * `write-failed` while they cannot be written that far (later calls try again), `aborted`
   */
  async at(
    asOf?: AsOf,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<ViewReader> {
    throwIfAborted(options.signal);
    const reader = await this.#store.at(asOf);
    const runner = this.#runner(recordsProjection.name);
    await runner.reach(reader.asOf, options.signal);
    const records = async () => {
      await runner.reach(reader.asOf);
      return runner.rows;
    };
    return new ViewReader(reader, records, this.#store.storeId, this.#follower);
  }

  /** The rows of a projection as far as it is, for reading. Ask again after `view-rebuilt`. @throws `argument-invalid` for a name that is not there */
  rows(name: string): ProjectionRows {
    return this.#runner(name).rows;
  }

  /** How far a projection is: at once, after every batch, and when it stops. @throws `argument-invalid` */
  progress$(name: string): Observable<ProjectionProgress> {
    return this.#runner(name).progress$;
  }

  /**
   * Resolves once every projection has applied everything up to the present head, and what had been erased by then is gone
   * from the files of the views, also from the rows of projections that are not open.
   *
   * @throws the codes of `at`; `disk-full` and `write-failed` also while what was erased may still be in the files
   */
  async caughtUp(): Promise<void> {
    const { head } = this.#store;
    const runners = [...this.#runners.values()];
    await Promise.all(runners.map((runner) => runner.reach(head)));
    await Promise.all(runners.map((runner) => runner.idle()));
    await this.#sweeping;
    if (this.#sweepFailure === undefined) return;
    this.sweep();
    await this.#sweeping;
    if (this.#sweepFailure !== undefined) throw notSwept(this.#sweepFailure);
  }

  /** Stops the projections and closes their storage; the store stays open. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#stopSweep.abort();
    await Promise.all([...this.#runners.values()].map((runner) => runner.stop()));
    await this.#sweeping;
    await this.#closeStorage();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #runner(name: string): ProjectionRunner {
    const runner = this.#runners.get(name);
    if (runner !== undefined) return runner;
    throw new StoreError("argument-invalid", `There is no projection ${JSON.stringify(name)}.`, {
      hint: `There are: ${[...this.#runners.keys()].join(", ")}.`,
    });
  }
}

function notSwept(cause: StoreError): StoreError {
  return new StoreError(
    cause.category === "internal" ? "write-failed" : cause.code,
    `Rows that were removed may still be in the files of the views: ${cause.message}`,
    { cause, hint: "Try again, or delete the directory views: it is made again from the log." },
  );
}
