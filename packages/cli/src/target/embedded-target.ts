/** A store that this process opens in its directory. */
import { rm } from "node:fs/promises";
import { join } from "node:path";

import {
  ingest,
  openStore,
  parseRef,
  StoreError,
  type AsOf,
  type BackupOptions,
  type BackupResult,
  type Clock,
  type EmbeddedStore,
  type EraseOptions,
  type IngestSummary,
  type NewEvent,
  type StoreErasure,
} from "@sennit/core";
import type { ProjectionStatus, ViewReader, Views } from "@sennit/projections";

import { lastOf, until } from "./line-results.ts";
import type { RebuildOptions, Target, TargetIngestOptions, ViewReaderOptions } from "./target.ts";

/** When nothing more comes, lines wait so long for a batch to become full. */
const lingerMs = 100;

export class EmbeddedTarget implements Target {
  readonly store: EmbeddedStore;
  readonly directory: string;
  readonly url = undefined;
  #views: Views | undefined;

  private constructor(store: EmbeddedStore, directory: string) {
    this.store = store;
    this.directory = directory;
  }

  /** @throws the codes of `openStore` */
  static async open(directory: string, clock: Clock): Promise<EmbeddedTarget> {
    return new EmbeddedTarget(await openStore(directory, { create: false, clock }), directory);
  }

  async viewReader(
    asOf: AsOf | undefined,
    { signal }: ViewReaderOptions = {},
  ): Promise<ViewReader> {
    return (await this.#openViews()).at(asOf, { signal });
  }

  async resolve(ref: string, asOf: AsOf | undefined, signal?: AbortSignal): Promise<string> {
    const { target } = parseRef(ref);
    const reader = await this.store.at(asOf);
    if (!target.includes("/") || (await reader.findRecord(target)) !== undefined) return ref;
    return (await this.viewReader(asOf, { signal })).resolve(ref, { signal });
  }

  ingest(chunks: AsyncIterable<Uint8Array>, options: TargetIngestOptions): Promise<IngestSummary> {
    const { actor, onResults, signal, ...others } = options;
    const prepare = (events: readonly NewEvent[]) =>
      actor === undefined
        ? events
        : events.map((event) => ({ ...event, actor: event.actor ?? actor }));
    const read = until(signal, chunks);
    return lastOf(ingest(this.store, read, { ...others, lingerMs, prepare }), onResults);
  }

  async erase(refs: readonly string[], options: EraseOptions): Promise<StoreErasure> {
    const result = await this.store.erase(refs, options);
    // Also when nothing was left to erase: a run before this one may have been interrupted.
    if (options.dryRun !== true) await this.#removeViews();
    return result;
  }

  backup(directory: string, options: BackupOptions): Promise<BackupResult> {
    return this.store.backup(directory, options);
  }

  async projections(): Promise<readonly ProjectionStatus[]> {
    const views = await this.#openViews();
    const { describeProjection } = await import("@sennit/projections");
    return views.names.map((name) => describeProjection(views.progress(name)));
  }

  async rebuildProjection(
    name: string,
    { signal, onProgress }: RebuildOptions,
  ): Promise<ProjectionStatus> {
    const views = await this.#openViews();
    const watch = views.progress$(name).subscribe(({ rebuild, head, etaSeconds }) => {
      if (rebuild !== null) onProgress({ position: rebuild.position, head, etaSeconds });
    });
    const stop = new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () =>
        reject(
          new StoreError("aborted", "The rebuild was stopped; the next opening goes on with it.", {
            cause: signal.reason,
          }),
        ),
      );
    });
    try {
      await Promise.race([views.rebuild(name), stop]);
    } finally {
      watch.unsubscribe();
    }
    const { describeProjection } = await import("@sennit/projections");
    return describeProjection(views.progress(name));
  }

  async close(): Promise<void> {
    try {
      await this.#views?.close();
    } finally {
      await this.store.close();
    }
  }

  /** The views, opened on first use. */
  async #openViews(): Promise<Views> {
    if (this.#views === undefined) {
      const { openViews } = await import("@sennit/projections");
      this.#views = await openViews(this.store);
    }
    return this.#views;
  }

  /** Removes the views, in which rows of erased content may be, also of projections this program does not know. */
  async #removeViews(): Promise<void> {
    await this.#views?.close();
    this.#views = undefined;
    await rm(join(this.directory, "views"), { recursive: true, force: true });
  }
}
