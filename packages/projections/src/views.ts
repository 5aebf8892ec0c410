/** The views of a store: its projections, kept in step with the log, and readers on them. */
import { rm } from "node:fs/promises";
import { join } from "node:path";

import {
  isStoreError,
  StoreError,
  throwIfAborted,
  type AsOf,
  type EmbeddedStore,
} from "@sennit/core";
import { openLevelStorage, openMemoryStorage, type Storage } from "@sennit/core/storage";
import type { Observable } from "rxjs/internal/Observable";

import type { ProjectionDefinition } from "./projection.ts";
import { recordsProjection } from "./read-models/records.ts";
import type { ProjectionRows } from "./row-storage.ts";
import { ProjectionRunner, type ProjectionProgress } from "./runner.ts";
import { ViewReader } from "./view-reader.ts";

export interface OpenViewsOptions {
  /** Projections of the caller's own, beside the built-in ones. */
  readonly projections?: readonly ProjectionDefinition[] | undefined;
}

/** Opens the views of a store in its directory `views`, which may be deleted at any time, or in memory. */
export async function openViews(
  store: EmbeddedStore,
  options: OpenViewsOptions = {},
): Promise<Views> {
  const storage = await openStorage(store.directory);
  try {
    const definitions = [recordsProjection, ...(options.projections ?? [])];
    const runners = new Map<string, ProjectionRunner>();
    for (const definition of definitions) {
      if (runners.has(definition.name))
        throw new TypeError(`Two projections are called "${definition.name}".`);
      runners.set(definition.name, await ProjectionRunner.open(store, storage, definition));
    }
    for (const runner of runners.values()) runner.start();
    return new Views(store, storage, runners);
  } catch (error) {
    await storage.close();
    throw error;
  }
}

/** Views are made from the log, so ones that cannot be read are thrown away and made again. */
async function openStorage(directory: string | undefined): Promise<Storage> {
  if (directory === undefined) return openMemoryStorage();
  const path = join(directory, "views");
  try {
    return await openLevelStorage(path);
  } catch (error) {
    if (isStoreError(error) && error.code === "store-locked") throw error;
    await rm(path, { recursive: true, force: true });
    return openLevelStorage(path);
  }
}

export class Views {
  readonly #store: EmbeddedStore;
  readonly #storage: Storage;
  readonly #runners: ReadonlyMap<string, ProjectionRunner>;

  constructor(
    store: EmbeddedStore,
    storage: Storage,
    runners: ReadonlyMap<string, ProjectionRunner>,
  ) {
    this.#store = store;
    this.#storage = storage;
    this.#runners = runners;
  }

  /** A reader of an instant, once the views have got there. Default: the present. @throws the codes of `Store.at` */
  async at(
    asOf?: AsOf,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<ViewReader> {
    const reader = await this.#store.at(asOf);
    const runner = this.#runner(recordsProjection.name);
    await runner.reach(reader.asOf);
    throwIfAborted(options.signal);
    return new ViewReader(reader, runner.rows);
  }

  /** The rows of a projection, for reading. @throws `argument-invalid` for a name that is not there */
  rows(name: string): ProjectionRows {
    return this.#runner(name).rows;
  }

  /** How far a projection is: at once, and after every batch. @throws `argument-invalid` */
  progress$(name: string): Observable<ProjectionProgress> {
    return this.#runner(name).progress$;
  }

  /** Resolves once every projection has applied everything up to the present head. */
  async caughtUp(): Promise<void> {
    const { head } = this.#store;
    await Promise.all([...this.#runners.values()].map((runner) => runner.reach(head)));
  }

  /** Stops the projections and closes their storage; the store stays open. */
  async close(): Promise<void> {
    await Promise.all([...this.#runners.values()].map((runner) => runner.stop()));
    await this.#storage.close();
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
