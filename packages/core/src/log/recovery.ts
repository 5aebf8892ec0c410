/** After a failed write: makes the storage writable again, and finds out from it what was stored. */
import { decodeCommit, emptyCommit, type CommitRecord } from "../codec/commit-record.ts";
import { isStoreError, StoreError, toStoreError } from "../errors.ts";
import { commitKey } from "../storage/keyspace.ts";
import type { Storage, StorageEntry } from "../storage/storage.ts";

/** Whether a log takes appends at present. A server's readiness follows `state`: all but `ready` is unready. */
export interface LogStatus {
  /**
   * - `ready`: appends are taken.
   * - `not-writable`: a write has failed. Every append tries to recover first; reads go on.
   * - `damaged`: something of the log is missing or has changed. Reads of what is intact go on; nothing is written.
   */
  readonly state: "ready" | "not-writable" | "damaged";
  /** Why it is not ready. */
  readonly reason: StoreError | undefined;
}

/** What is durable, by the storage. @throws `checksum-mismatch`, `head-mismatch`, `format-too-new` */
export function readCommit(storage: Storage): CommitRecord {
  const value = storage.get(commitKey);
  return value === undefined ? emptyCommit : decodeCommit(value);
}

/** Holds why nothing can be written after a failure, until the storage has been recovered. */
export class Recovery {
  readonly #storage: Storage;
  readonly #restore: (stored: CommitRecord) => Promise<void>;
  #failure: StoreError | undefined;
  #running: Promise<void> | undefined;

  /** @param restore makes the log what the storage holds; throws damage */
  constructor(storage: Storage, restore: (stored: CommitRecord) => Promise<void>) {
    this.#storage = storage;
    this.#restore = restore;
  }

  /** Why nothing can be written at present. While it is there, whether the failed write is stored is not known. */
  get failure(): StoreError | undefined {
    return this.#failure;
  }

  /**
   * Takes note of a failed write and recovers from it, if that is possible now.
   *
   * @param attempted what the write was to store
   * @returns undefined when the write is stored after all; `outcome-unknown`, or the reason when nothing of it is stored
   */
  async settle(
    reason: StoreError,
    attempted: readonly StorageEntry[],
  ): Promise<StoreError | undefined> {
    this.#failure = reason;
    try {
      await this.#attempt();
      // The head alone does not tell: a batch of duplicates under a new key moves nothing.
      return this.#isStored(attempted) ? undefined : notStored(reason);
    } catch (error) {
      return unknownOutcome(reason, error);
    }
  }

  /** Recovers, together with whoever asks at the same time. @throws why it cannot be done now */
  async run(): Promise<void> {
    if (this.#failure !== undefined) await this.#attempt();
  }

  /** Resolves when no attempt is under way. */
  async idle(): Promise<void> {
    await this.#running?.catch(() => undefined);
  }

  #isStored(puts: readonly StorageEntry[]): boolean {
    return puts.every(([key, value]) => {
      const stored = this.#storage.get(key);
      return stored !== undefined && Buffer.compare(stored, value) === 0;
    });
  }

  #attempt(): Promise<void> {
    this.#running ??= this.#recover().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #recover(): Promise<void> {
    try {
      await this.#storage.recover();
      await this.#restore(readCommit(this.#storage));
      this.#failure = undefined;
    } catch (error) {
      this.#failure = isStoreError(error) ? notStored(error) : toStoreError(error);
      throw this.#failure;
    }
  }
}

/** The error of a batch that has not reached the storage. It can be sent again without a second thought. */
export function notStored(reason: StoreError): StoreError {
  if (reason.details["stored"] === false) return reason;
  return new StoreError(reason.code, `${reason.message} Nothing of this batch was stored.`, {
    cause: reason.cause ?? reason,
    hint: reason.hint,
    details: { ...reason.details, stored: false },
  });
}

function unknownOutcome(reason: StoreError, obstacle: unknown): StoreError {
  const { code, message } = toStoreError(obstacle);
  return new StoreError(
    "outcome-unknown",
    `A write has failed, and whether it was stored is not known before the store can be written again: ${reason.message}`,
    { cause: reason, details: { reason: reason.code, obstacle: { code, message } } },
  );
}
