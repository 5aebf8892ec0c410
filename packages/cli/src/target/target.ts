/** What commands work on: an open store, in this process or behind a URL, and what is done to it beside reading and writing. */
import type {
  AsOf,
  BackupOptions,
  BackupResult,
  EraseOptions,
  IngestSummary,
  LineResult,
  Store,
  StoreErasure,
} from "@sennit/core";
import type { ProjectionStatus, ViewReader } from "@sennit/projections";

export interface ViewReaderOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface TargetIngestOptions {
  /** All or nothing, in one batch. */
  readonly atomic: boolean;
  /** Events to a batch. */
  readonly batchEvents: number;
  /** Set on events that name no actor. */
  readonly actor: string | undefined;
  readonly signal: AbortSignal;
  /** Gets what became of lines as soon as that is known, in their order. */
  readonly onResults: (results: readonly LineResult[]) => void;
}

/** How far a projection that is made anew has come. */
export interface RebuildStep {
  readonly position: number;
  readonly head: number;
  readonly etaSeconds: number | null;
}

export interface RebuildOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (step: RebuildStep) => void;
}

/** An open store. The same question gets the same answer from each of them. */
export interface Target {
  readonly store: Store;
  /** Where its files are on this machine; undefined for a store behind a URL. */
  readonly directory: string | undefined;
  /** Of the server that answers; undefined for a store that this process has open. */
  readonly url: string | undefined;
  /** A reader with the indexes. Default: of the present. @throws the codes of `Views.at` */
  viewReader(asOf: AsOf | undefined, options?: ViewReaderOptions): Promise<ViewReader>;
  /** The ref with `KIND/NAME` replaced by an id; the indexes are asked only when the ref is no id. */
  resolve(ref: string, asOf: AsOf | undefined, signal?: AbortSignal): Promise<string>;
  /** Stores events from NDJSON, each that can be stored, and soon also when no more of them come. */
  ingest(chunks: AsyncIterable<Uint8Array>, options: TargetIngestOptions): Promise<IngestSummary>;
  /** Destroys content, in the log and in every view. @throws the codes of `Store.erase` */
  erase(refs: readonly string[], options: EraseOptions): Promise<StoreErasure>;
  /** @throws the codes of `EmbeddedStore.backup` */
  backup(directory: string, options: BackupOptions): Promise<BackupResult>;
  /** Every projection and how far it is, built-in ones first. */
  projections(): Promise<readonly ProjectionStatus[]>;
  /** Makes a projection anew. @throws the codes of `Views.rebuild`, `aborted` */
  rebuildProjection(name: string, options: RebuildOptions): Promise<ProjectionStatus>;
  close(): Promise<void>;
}
