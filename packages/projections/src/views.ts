/** The views of a store: its projections, kept in step with the log, and readers on them. */
import { join } from "node:path";

import {
  recordsRestingOn,
  StoreError,
  throwIfAborted,
  toStoreError,
  type AsOf,
  type EmbeddedStore,
  type Position,
} from "@sennit/core";
import type { Observable } from "rxjs/internal/Observable";

import { openBuildDirectory, openMemoryBuilds, type BuildPlace } from "./builds.ts";
import { ProjectionKeeper } from "./keeper.ts";
import type { Follower } from "./live/follower.ts";
import type { ProjectionProgress } from "./progress.ts";
import { defineProjection, type ProjectionDefinition } from "./projection.ts";
import type { ProjectionRows } from "./projection-rows.ts";
import { builtInProjections } from "./read-models/built-in.ts";
import { recordsProjection } from "./read-models/records.ts";
import { SharedLog } from "./shared-log.ts";
import { EmbeddedViewReader } from "./embedded-view-reader.ts";

export interface OpenViewsOptions {
  /** Projections of the caller's own, beside the built-in ones. */
  readonly projections?: readonly ProjectionDefinition[] | undefined;
  /** Events to fold from which on rows are made anew in a thread of its own, where the definition can be found. Default 250 000. */
  readonly workerEventsMin?: number | undefined;
}

/** Below it, starting a thread and compiling what it runs takes longer than it saves. */
const workerEventsMinDefault = 250_000;

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
  const { directory } = store;
  const place =
    directory === undefined
      ? openMemoryBuilds()
      : await openBuildDirectory(join(directory, "views"));
  const workerEventsMin = options.workerEventsMin ?? workerEventsMinDefault;
  return openViewsIn(store, place, definitions, workerEventsMin);
}

/** Opens views whose builds stand in a place, which is closed with them. */
export async function openViewsIn(
  store: EmbeddedStore,
  place: BuildPlace,
  definitions: readonly ProjectionDefinition[],
  workerEventsMin: number,
): Promise<Views> {
  const isForeign = definitions.map((definition) => !builtInProjections.includes(definition));
  const log = new SharedLog(store, isForeign.includes(true));
  const made: { views?: Views } = {};
  const onUnused = () => made.views?.sweep();
  let allOpen: (() => void) | undefined;
  const opened = new Promise<void>((resolve) => {
    allOpen = resolve;
  });
  const openings = await Promise.allSettled(
    definitions.map((definition, index) => {
      const isBuiltIn = isForeign[index] === false;
      const about = { store, log, place, definition, isBuiltIn };
      return ProjectionKeeper.open({ ...about, workerEventsMin, opened, onUnused });
    }),
  );
  const keepers = openings.flatMap((opening) =>
    opening.status === "fulfilled" ? [opening.value] : [],
  );
  const failed = openings.find((opening) => opening.status === "rejected");
  if (failed !== undefined) {
    await Promise.all(keepers.map((keeper) => keeper.close()));
    place.close();
    throw failed.reason;
  }
  const names = definitions.map(({ name }) => name);
  allOpen?.();
  made.views = new Views(
    store,
    place,
    new Map(keepers.map((keeper, index) => [names[index] ?? "", keeper])),
  );
  return made.views;
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

/** The projections of a store, following its log. */
export class Views {
  readonly #store: EmbeddedStore;
  readonly #place: BuildPlace;
  readonly #keepers: ReadonlyMap<string, ProjectionKeeper>;
  readonly #follower: Follower = {
    next: async (after, signal) => {
      await this.#keeper(recordsProjection.name).at(after + 1, signal);
      return this.at(undefined, { signal });
    },
    dependants: async (recordId, asOf) =>
      recordsRestingOn(await this.#store.log.graph(), recordId, asOf),
  };
  #sweeping: Promise<void> = Promise.resolve();
  /** Why the last sweep has not removed everything. */
  #sweepFailure: StoreError | undefined;
  #closing: Promise<void> | undefined;

  /** @param place where the builds of the projections stand; closed with the views */
  constructor(
    store: EmbeddedStore,
    place: BuildPlace,
    keepers: ReadonlyMap<string, ProjectionKeeper>,
  ) {
    this.#store = store;
    this.#place = place;
    this.#keepers = keepers;
    this.sweep();
  }

  /** The names of the projections, built-in ones first. */
  get names(): readonly string[] {
    return [...this.#keepers.keys()];
  }

  /** Begins to remove rows that belong to no projection any more. What fails is tried again by `caughtUp` and the next opening. */
  sweep(): void {
    this.#sweeping = this.#sweeping
      .then(() => this.#place.sweep(() => this.#kept()))
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
   * @throws the codes of `Store.at`, `projection-failed` when the views have stopped before that instant,
   * `projection-paused`, `disk-full` and `write-failed` while they cannot be written that far (later calls try again),
   * `aborted`
   */
  async at(
    asOf?: AsOf,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<EmbeddedViewReader> {
    throwIfAborted(options.signal);
    const reader = await this.#store.at(asOf);
    const keeper = this.#keeper(recordsProjection.name);
    await keeper.at(reader.asOf, options.signal);
    const rows = (name: string, signal?: AbortSignal) => this.#keeper(name).at(reader.asOf, signal);
    return new EmbeddedViewReader(reader, {
      rows,
      storeId: this.#store.storeId,
      follower: this.#follower,
    });
  }

  /** The rows of a projection as far as it is, for reading. Ask again after `view-rebuilt`. @throws `argument-invalid` for a name that is not there */
  rows(name: string): ProjectionRows {
    return this.#keeper(name).rows;
  }

  /** The rows of a projection once it has got to a position. Default: the present head. @throws the codes of `at`, `argument-invalid` */
  rowsAt(
    name: string,
    position: Position = this.#store.head,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<ProjectionRows> {
    return this.#keeper(name).at(position, options.signal);
  }

  /** How far a projection is at this moment. @throws `argument-invalid` */
  progress(name: string): ProjectionProgress {
    return this.#keeper(name).progress;
  }

  /** How far a projection is: at once, after every batch, and when it stops. Completes when the views are closed. @throws `argument-invalid` */
  progress$(name: string): Observable<ProjectionProgress> {
    return this.#keeper(name).progress$;
  }

  /** Stops a projection after the batch at work, until it is resumed or the views are opened anew. @throws `argument-invalid` */
  pause(name: string): void {
    this.#keeper(name).pause();
  }

  /** Lets a projection go on that was paused, and one that has failed try again at once. @throws `argument-invalid` */
  resume(name: string): void {
    this.#keeper(name).resume();
  }

  /**
   * Makes the rows of a projection anew, beside those that answer meanwhile, and resolves once the new ones do.
   *
   * @throws `argument-invalid`, `projection-failed` when the old rows stay, `projection-paused`, `disk-full`,
   * `write-failed`, `store-closed`
   */
  rebuild(name: string): Promise<void> {
    return this.#keeper(name).rebuild();
  }

  /**
   * Resolves once every projection has applied everything up to the present head, and what had been erased by then is gone
   * from the files of the views, also from the rows of projections that are not open.
   *
   * @throws the codes of `at`; `disk-full` and `write-failed` also while what was erased may still be in the files
   */
  async caughtUp(): Promise<void> {
    const { head } = this.#store;
    const keepers = [...this.#keepers.values()];
    await Promise.all(keepers.map((keeper) => keeper.at(head)));
    await Promise.all(keepers.map((keeper) => keeper.idle()));
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
    await Promise.all([...this.#keepers.values()].map((keeper) => keeper.close()));
    await this.#sweeping;
    this.#place.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Builds that are open or to be opened, and those of other projections of which no content has been erased since they were begun. */
  #kept(): Set<string> {
    const keepers = [...this.#keepers.values()];
    const begunFrom = Math.min(...keepers.map(({ begunAt }) => begunAt));
    const kept = new Set(keepers.flatMap(({ directories }) => directories));
    for (const [name, { serving, next }] of this.#place.builds) {
      for (const ref of [serving, next]) {
        const isCurrent = this.#keepers.has(name) || (ref?.begunAt ?? -1) >= begunFrom;
        if (ref !== undefined && isCurrent) kept.add(ref.directory);
      }
    }
    return kept;
  }

  #keeper(name: string): ProjectionKeeper {
    const keeper = this.#keepers.get(name);
    if (keeper !== undefined) return keeper;
    throw new StoreError("argument-invalid", `There is no projection ${JSON.stringify(name)}.`, {
      hint: `There are: ${[...this.#keepers.keys()].join(", ")}.`,
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
