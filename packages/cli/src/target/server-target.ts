/** A store that a server has open: behind a URL, or in a directory here, where its discovery file names the server. */
import {
  parseRef,
  type AsOf,
  type BackupOptions,
  type BackupResult,
  type EraseOptions,
  type IngestSummary,
  type StoreErasure,
} from "@sennit/core";
import { connect, type SennitClient, type Token } from "@sennit/client";
import type { ProjectionStatus, ViewReader } from "@sennit/projections";

import { pullBackup } from "./pull-backup.ts";
import { lastOf, until } from "./line-results.ts";
import type { RebuildOptions, Target, TargetIngestOptions, ViewReaderOptions } from "./target.ts";

export interface ServerPlace {
  readonly url: string;
  /** Says where the server is by now, where that can be found out; undefined for nowhere. */
  readonly locate?: (() => Promise<string | undefined>) | undefined;
  /** A secret. One that the server made for itself counts until that server ends, so it is looked up for each request. */
  readonly token: Token | undefined;
  /** Of the store, where it is on this machine. */
  readonly directory?: string | undefined;
}

export class ServerTarget implements Target {
  readonly store: SennitClient;
  readonly directory: string | undefined;
  /** Connects anew. */
  readonly #connect: () => Promise<SennitClient>;

  private constructor(
    store: SennitClient,
    directory: string | undefined,
    connectAnew: () => Promise<SennitClient>,
  ) {
    this.store = store;
    this.directory = directory;
    this.#connect = connectAnew;
  }

  /** @param signal ends whatever is asked. @throws `server-unreachable`, `unauthenticated`, `forbidden` */
  static async connect(
    { url, locate, token, directory }: ServerPlace,
    signal: AbortSignal,
  ): Promise<ServerTarget> {
    const store = await connect(url, { locate, token, signal });
    return new ServerTarget(store, directory, () => connect(url, { locate, token }));
  }

  get url(): string {
    return this.store.url;
  }

  viewReader(asOf: AsOf | undefined, { signal }: ViewReaderOptions = {}): Promise<ViewReader> {
    return this.store.at(asOf, { signal });
  }

  async resolve(ref: string, asOf: AsOf | undefined, signal?: AbortSignal): Promise<string> {
    if (!parseRef(ref).target.includes("/")) return ref;
    return (await this.store.at(asOf, { signal })).resolve(ref, { signal });
  }

  async ingest(
    chunks: AsyncIterable<Uint8Array>,
    { signal, onResults, ...options }: TargetIngestOptions,
  ): Promise<IngestSummary> {
    // What was read is still sent when the user stops, so nothing else may stop it.
    const sender = await this.#connect();
    try {
      return await lastOf(sender.ingest(until(signal, chunks), options), onResults);
    } finally {
      await sender.close();
    }
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

  rebuildProjection(
    name: string,
    { signal, onProgress }: RebuildOptions,
  ): Promise<ProjectionStatus> {
    return this.store.rebuildProjection(name, {
      signal,
      onProgress({ rebuiltUpTo, head, etaSeconds }) {
        if (rebuiltUpTo !== null) onProgress({ position: rebuiltUpTo, head, etaSeconds });
      },
    });
  }

  close(): Promise<void> {
    return this.store.close();
  }
}
