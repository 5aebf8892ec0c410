/** A store that a server has open: behind a URL, or in a directory here, where its discovery file names the server. */
import {
  parseRef,
  type AsOf,
  type BackupOptions,
  type BackupResult,
  type EraseOptions,
  type IngestSummary,
  type Store,
  type StoreErasure,
} from "@sennit/core";
import { connect } from "@sennit/client";
import type { ProjectionStatus, ViewReader } from "@sennit/projections";

import { pullBackup } from "./pull-backup.ts";
import { ingestInto } from "./ingest-into.ts";
import type { RebuildOptions, Target, TargetIngestOptions, ViewReaderOptions } from "./target.ts";

export interface ServerPlace {
  readonly url: string;
  /** A secret. */
  readonly token: string | undefined;
  /** Of the store, where it is on this machine. */
  readonly directory?: string | undefined;
}

/** What a client can do. */
interface ServerStore extends Store {
  at(asOf?: AsOf, options?: ViewReaderOptions): Promise<ViewReader>;
  projections(): Promise<readonly ProjectionStatus[]>;
  rebuildProjection(
    name: string,
    options: Pick<RebuildOptions, "signal">,
  ): Promise<ProjectionStatus>;
}

export class ServerTarget implements Target {
  readonly store: ServerStore;
  readonly directory: string | undefined;

  private constructor(store: ServerStore, directory: string | undefined) {
    this.store = store;
    this.directory = directory;
  }

  /** @throws `server-unreachable`, `unauthenticated`, `forbidden` */
  static async connect(
    { url, token, directory }: ServerPlace,
    signal: AbortSignal,
  ): Promise<ServerTarget> {
    const store: unknown = await connect(url, { token, signal });
    return new ServerTarget(store as ServerStore, directory);
  }

  viewReader(asOf: AsOf | undefined, { signal }: ViewReaderOptions = {}): Promise<ViewReader> {
    return this.store.at(asOf, { signal });
  }

  async resolve(ref: string, asOf: AsOf | undefined, signal?: AbortSignal): Promise<string> {
    if (!parseRef(ref).target.includes("/")) return ref;
    return (await this.store.at(asOf, { signal })).resolve(ref, { signal });
  }

  ingest(chunks: AsyncIterable<Uint8Array>, options: TargetIngestOptions): Promise<IngestSummary> {
    return ingestInto(this.store, chunks, options);
  }

  erase(refs: readonly string[], options: EraseOptions): Promise<StoreErasure> {
    return this.store.erase(refs, options);
  }

  backup(directory: string, options: BackupOptions): Promise<BackupResult> {
    return pullBackup(this.store, this.directory, directory, options);
  }

  async projections(): Promise<readonly ProjectionStatus[]> {
    return this.store.projections();
  }

  rebuildProjection(name: string, { signal }: RebuildOptions): Promise<ProjectionStatus> {
    return this.store.rebuildProjection(name, { signal });
  }

  close(): Promise<void> {
    return this.store.close();
  }
}
