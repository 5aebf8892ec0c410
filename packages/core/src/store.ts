/** The store: a log, and every question about it now or as of an instant. */
import { join } from "node:path";

import type { Observable } from "rxjs";

import type { NewEvent, RecordedEvent } from "./event/event.ts";
import { parseRef, type Position } from "./ids.ts";
import type { EmbeddedLog } from "./log/embedded-log.ts";
import type { OwnerFile } from "./owner-file.ts";
import type { EraseOptions, ErasureResult } from "./log/erase.ts";
import type { AppendedEvent, AppendOptions, AppendResult, FollowOptions } from "./log/event-log.ts";
import type { LogStatus } from "./log/recovery.ts";
import { must } from "./assert.ts";
import { formatVerifierKey } from "./checkpoint/signed-note.ts";
import { takeBackup, type BackupOptions, type BackupResult } from "./backup/take-backup.ts";
import type { SigningKey } from "./checkpoint/signing-key.ts";
import { isStoreError, StoreError } from "./errors.ts";
import { whenReadable } from "./read/when-readable.ts";
import { resolveAsOf } from "./read/as-of.ts";
import { EmbeddedReader } from "./read/embedded-reader.ts";
import { labelEvent, labelRecordId } from "./read/labels.ts";
import { PresentReader } from "./read/present-reader.ts";
import type { AsOf, Reader } from "./read/reader.ts";
import { makeReceipt, type ReceiptOptions } from "./receipt/make-receipt.ts";
import type { Receipt } from "./receipt/receipt-format.ts";
import { damagedLogs, removeWorkingCopies } from "./repair/leftovers.ts";
import { StateSnapshots } from "./state/snapshots.ts";
import { observeEvents } from "./log/subscribe.ts";
import type { Storage } from "./storage/storage.ts";
import { stateName } from "./store-directory.ts";
import {
  exportLog,
  type ExportOptions,
  type ExportSource,
  type ExportSummary,
} from "./transfer/export-log.ts";
import { verifyLog, type VerifyOptions, type VerifyReport } from "./verify.ts";

/** What an erasure in a store destroyed, and where it did not reach. */
export interface StoreErasure extends ErasureResult {
  /** Names of the damaged logs in the store's directory, which repairs have kept. They may hold what was erased. */
  readonly damagedLogs: readonly string[];
}

/** A store as a program sees it, in this process or behind a URL: the reader of the present, and the ways to write. */
export interface Store extends Reader {
  /** The name of the log for good, a UUID; copies of it have the same. */
  readonly storeId: string;
  /** Position of the last durable event; 0 when empty. The present that the read methods speak for. */
  readonly head: Position;
  /** Stores a batch whole or not at all; see `EventLog.append`. */
  append(events: readonly NewEvent[], options?: AppendOptions): Promise<AppendResult>;
  /** A reader of an instant, unmoved by later events. Default: the present. */
  at(asOf?: AsOf): Promise<Reader>;
  /** Names a position (default: the head), or moves a name that is there. */
  label(
    name: string,
    position?: Position,
    options?: { readonly actor?: string | undefined },
  ): Promise<AppendedEvent>;
  /** Every event from a position on (default 1), stored ones first, then live, without gap or duplicate. */
  follow(options?: FollowOptions): AsyncIterable<RecordedEvent>;
  /**
   * A checkpoint signed with the store's key: a signed note that says which log had which root at which size.
   *
   * @param size 0 to the head; default: the head
   */
  checkpoint(size?: Position): Promise<string>;
  /**
   * The hashes, 32 bytes each, that lead from the event at a position to the root of the first `size` events, for
   * `verifyInclusion` of `@sennit/core/proofs`.
   *
   * @param size the position to the head; default: the head
   * @throws `argument-invalid`
   */
  inclusionProof(position: Position, size?: Position): Promise<readonly Uint8Array[]>;
  /**
   * The hashes that show the first `from` events to be the beginning of the first `to`, for `verifyConsistency`.
   *
   * @param to `from` to the head; default: the head
   * @throws `argument-invalid`
   */
  consistencyProof(from: Position, to?: Position): Promise<readonly Uint8Array[]>;
  /** The public key that checks the store's checkpoints: `NAME+ID+KEY`, a C2SP verifier key. */
  verifierKey(): Promise<string>;
  /**
   * A decision's closure with the proof that this log holds it, for `verifyReceipt` elsewhere.
   *
   * @throws `record-not-found`, `version-not-found`, `ref-invalid`, `argument-invalid`, `aborted`
   */
  receipt(ref: string, options?: ReceiptOptions): Promise<Receipt>;
  /**
   * Destroys the content of events: a record's (`ID`), or a version's (`ID@VERSION`) with that of the versions patched on
   * top of it. Resolves once no file in `log/` holds it, and the copies a repair works on are gone; `damagedLogs` names the
   * logs that repairs have kept, which may hold it. Ids, kinds, sources, times, positions and proofs stay, every
   * read says what was erased, and the erasure itself is an event. There is no way back.
   *
   * @throws `record-not-found`, `version-not-found`, `ref-invalid`, `argument-invalid`, `event-too-large` when so much is
   * erased that one event cannot name it, and the codes of `append`
   */
  erase(refs: readonly string[], options: EraseOptions): Promise<StoreErasure>;
  /**
   * The whole log as a file for `importStore`, in pieces and in constant memory, as it is when the first piece is taken.
   * What it holds is said at the end.
   *
   * @throws `checksum-mismatch`, `log-gap`, `aborted`
   */
  export(options?: ExportOptions): AsyncGenerator<Uint8Array, ExportSummary>;
  /** Reads the whole log and checks every stored byte of it. */
  verify(options?: VerifyOptions): Promise<VerifyReport>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** What a store in this process has beside its log. */
interface StoreSurroundings {
  readonly storeId: string;
  /** The log's own. */
  readonly storage: Storage;
  /** Undefined when the store lives in memory. */
  readonly directory: string | undefined;
  readonly signingKey: () => Promise<SigningKey>;
  /** The discovery file; undefined when the store lives in memory. */
  readonly owner: OwnerFile | undefined;
}

/** A store in this process. */
export class EmbeddedStore extends PresentReader implements Store {
  /** The log underneath, for what builds on it (projections, a server). */
  readonly log: EmbeddedLog;
  /** A store in memory gets one at every opening. */
  readonly storeId: string;
  /** The store's directory; undefined when it lives in memory. */
  readonly directory: string | undefined;
  readonly #surroundings: StoreSurroundings;
  readonly #snapshots: StateSnapshots | undefined;
  #signingKey: Promise<SigningKey> | undefined;
  #closing: Promise<void> | undefined;

  constructor(log: EmbeddedLog, surroundings: StoreSurroundings) {
    super();
    this.log = log;
    this.storeId = surroundings.storeId;
    this.directory = surroundings.directory;
    this.#surroundings = surroundings;
    const { directory } = surroundings;
    if (directory !== undefined) this.#snapshots = new StateSnapshots(join(directory, stateName));
  }

  get head(): Position {
    return this.log.head;
  }

  /** What is wrong with what is stored; nothing is written to a damaged store. Reads of what is intact go on. */
  get damage(): StoreError | undefined {
    return this.log.damage;
  }

  /**
   * Says in the store's discovery file where this process answers for the store over HTTP, so that others that find it locked
   * know whom to ask; undefined when it does not any more. A store in memory has no such file.
   *
   * @param token a credential that this process takes from whoever reads the file, which is its owner alone
   */
  async announce(url: string | undefined, token?: string): Promise<void> {
    await this.#surroundings.owner?.announce(url, token);
  }

  /** Whether appends are taken at present. */
  get status(): LogStatus {
    return this.log.status;
  }

  /**
   * Tries to take appends again after a failed write, as every append does. A server asks for this before it says that it
   * is not ready: with no more appends sent to it, nothing else would try. As often as one likes: it is cheap.
   *
   * @throws why that cannot be done at present
   */
  recover(): Promise<void> {
    return this.log.recover();
  }

  get asOf(): Position {
    return this.log.head;
  }

  append(events: readonly NewEvent[], options?: AppendOptions): Promise<AppendResult> {
    return this.log.append(events, options);
  }

  async at(asOf: AsOf = { position: this.head }): Promise<EmbeddedReader> {
    const position = await whenReadable(this.log, () => resolveAsOf(this.log, asOf));
    return new EmbeddedReader(this.log, position, this.#snapshots);
  }

  async label(
    name: string,
    position: Position = this.head,
    options: { readonly actor?: string | undefined } = {},
  ): Promise<AppendedEvent> {
    if (!Number.isInteger(position) || position < 0) {
      throw new StoreError(
        "argument-invalid",
        `${position} is no position: positions are whole numbers from 0.`,
      );
    }
    const { asOf } = await this.at({ position });
    const recordId = labelRecordId(name);
    const append = (exists: boolean) =>
      this.append([labelEvent(name, asOf, exists, options.actor)]);
    const exists = (await this.findRecord(recordId)) !== undefined;
    const { events } = await append(exists).catch((error: unknown) => {
      // Another caller has set the same new label in between: then this one moves it.
      if (exists || !isStoreError(error) || error.code !== "record-already-exists") throw error;
      return append(true);
    });
    return must(events[0], "one event given, one answer");
  }

  follow(options?: FollowOptions): AsyncIterable<RecordedEvent> {
    return this.log.follow(options);
  }

  /** What `follow` gives, as an rxjs Observable that completes when the store is closed. */
  events$(options?: { readonly from?: Position | undefined }): Observable<RecordedEvent> {
    return observeEvents(this.log, options?.from);
  }

  async checkpoint(size: Position = this.head): Promise<string> {
    const key = await this.#key();
    return key.signCheckpoint({
      origin: key.verifierKey.name,
      ...(await whenReadable(this.log, () => this.log.proofs.treeHead(size))),
    });
  }

  inclusionProof(position: Position, size?: Position): Promise<readonly Uint8Array[]> {
    return whenReadable(this.log, () => this.log.proofs.inclusionProof(position, size));
  }

  consistencyProof(from: Position, to?: Position): Promise<readonly Uint8Array[]> {
    return whenReadable(this.log, () => this.log.proofs.consistencyProof(from, to));
  }

  async verifierKey(): Promise<string> {
    return formatVerifierKey((await this.#key()).verifierKey);
  }

  receipt(ref: string, options?: ReceiptOptions): Promise<Receipt> {
    return whenReadable(this.log, () =>
      makeReceipt(this.log, (at) => this.checkpoint(at), ref, options),
    );
  }

  async erase(refs: readonly string[], options: EraseOptions): Promise<StoreErasure> {
    const targets = refs.map((ref) => {
      const { target: recordId, version } = parseRef(ref);
      return { recordId, version };
    });
    const result = await this.log.erase(targets, options);
    const { directory } = this;
    if (directory === undefined) return { ...result, damagedLogs: [] };
    if (options.dryRun !== true) await removeWorkingCopies(directory);
    return { ...result, damagedLogs: await damagedLogs(directory) };
  }

  /**
   * Backs the log up into a directory that is new, empty or holds an earlier backup of it, and does not stand in the store,
   * while appends go on. When this resolves, what was written has been read back, and so has what earlier runs wrote,
   * unless `quick` leaves that out. `restoreStore` makes a store of it.
   *
   * @throws `directory-not-empty`, `backup-of-another-store`, `backup-diverged`, `backup-damaged`, `backup-invalid`,
   * `backup-locked`, `argument-invalid`, `key-invalid`, `disk-full`, `aborted`
   */
  async backup(directory: string, options?: BackupOptions): Promise<BackupResult> {
    // Who has lost the key is told before anything is written.
    const isOwnKey = options?.signingKey !== false && options?.keysOf === undefined;
    if (this.directory !== undefined && isOwnKey) await this.#key();
    return takeBackup({ ...this.#source(), directory: this.directory }, directory, options);
  }

  export(options?: ExportOptions): AsyncGenerator<Uint8Array, ExportSummary> {
    return exportLog(this.#source(), options);
  }

  verify(options?: VerifyOptions): Promise<VerifyReport> {
    return whenReadable(this.log, () => verifyLog(this.log, options));
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  /** What tells who has the store open goes first: once the log is closed, it may be another process's. */
  async #close(): Promise<void> {
    await this.#surroundings.owner?.release();
    await this.log.close();
    await this.#snapshots?.idle();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** What a copy of the store is made from. */
  #source(): ExportSource {
    const { storeId, log } = this;
    const checkpoint = (size: Position) => this.checkpoint(size);
    return { storeId, log, storage: this.#surroundings.storage, checkpoint };
  }

  /** The key is read when it is first needed: most uses of a store sign nothing. */
  #key(): Promise<SigningKey> {
    this.#signingKey ??= this.#surroundings.signingKey();
    return this.#signingKey;
  }

  protected now(): EmbeddedReader {
    return new EmbeddedReader(this.log, this.head, this.#snapshots);
  }
}
