/** Reads everything a store's database holds, once, and checks it. */
import { decodeCommit, type CommitRecord } from "../codec/commit-record.ts";
import { limits } from "../limits.ts";
import type { Position } from "../ids.ts";
import type { Acknowledged } from "../log/acknowledged-file.ts";
import { entryKeyPosition } from "../storage/keyspace.ts";
import type { Storage, StorageEntry } from "../storage/storage.ts";
import { ahead } from "./ahead.ts";
import { EntryCheck } from "./entry-check.ts";
import { KeyCheck, spaceOf } from "./key-check.ts";
import { CheckedStore } from "./parts.ts";
import { Findings, type VerifyProgress, type VerifyReport } from "./report.ts";
import { findStrangers } from "./strangers.ts";
import { TreeCheck } from "./tree-check.ts";

export interface VerifyOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called now and then with how far it has come. */
  readonly onProgress?: ((progress: VerifyProgress) => void) | undefined;
}

/** A verification of one storage, which must hold a committed state; later writes are not looked at. */
export class StorageVerification {
  readonly #store: CheckedStore;
  readonly #tree: TreeCheck;
  readonly #entries: EntryCheck;
  readonly #keys: KeyCheck;
  readonly #findings = new Findings();
  readonly #startMs = performance.now();
  #commit: CommitRecord | undefined;
  #hasCommit = false;
  #bytes = 0;

  /** @param acknowledged what the side file says, where there is one */
  constructor(storage: Storage, acknowledged: Acknowledged | undefined) {
    this.#store = new CheckedStore(storage, this.#findings);
    this.#tree = new TreeCheck(this.#store, acknowledged);
    this.#entries = new EntryCheck(this.#store, this.#tree);
    this.#keys = new KeyCheck(this.#store);
  }

  /**
   * Checks every key. Keys come in the order of their bytes: the commit record, the newest blocks, the entries, and the rest.
   *
   * @throws `aborted`, `format-too-new`, `store-closed`
   */
  async run({ signal, onProgress }: VerifyOptions): Promise<VerifyReport> {
    const range = { from: Buffer.alloc(0), until: Buffer.alloc(600, 0xff), signal };
    for await (const chunk of ahead(this.#store.storage.scan(range))) {
      for (const entry of chunk) this.#check(entry);
      onProgress?.(this.#progress());
    }
    this.#finish();
    await findStrangers(this.#store, this.#entries.tally, this.#keys.counted);
    return this.#report();
  }

  /** Up to here a Merkle root proves the entries that can be read. */
  get provenUntil(): Position {
    return this.#tree.provenUntil;
  }

  #check(entry: StorageEntry): void {
    const [key, value] = entry;
    this.#bytes += key.length + value.length;
    const space = spaceOf(key);
    if (space === "entry") this.#entry(entryKeyPosition(key), value);
    else if (space === "commit") this.#readCommit(value);
    else this.#keys[space ?? "unknown"](entry);
  }

  #readCommit(value: Uint8Array): void {
    this.#hasCommit = true;
    try {
      this.#commit = decodeCommit(value);
      this.#store.head = this.#commit.head;
    } catch (error) {
      this.#findings.addError("commit", 0, error);
    }
  }

  #entry(position: Position, value: Uint8Array): void {
    const { head } = this.#store;
    if (position >= 1 && position <= head && position < limits.positionMax) {
      this.#entries.next(position, value);
    } else if (!this.#store.isLater(position)) {
      this.#findings.add(
        "commit",
        position,
        "head-mismatch",
        `The log holds position ${position}, but ${head} was committed.`,
      );
    }
  }

  #finish(): void {
    const { position } = this.#entries;
    const { head } = this.#store;
    if (Number.isFinite(head)) this.#entries.missingUntil(head);
    else if (position > 0 && !this.#hasCommit) {
      this.#findings.add("commit", 0, "head-mismatch", "The commit record is missing.");
    }
    this.#tree.finish(this.#commit);
    for (const name of this.#keys.unreadableBlocks) {
      if (this.#entries.rows.damaged.has(name)) continue;
      const recordId = JSON.stringify(name.split("\0")[0]);
      this.#findings.add(
        "versions",
        0,
        "entry-unreadable",
        `Versions of ${recordId}, of which the log holds none, cannot be read.`,
      );
    }
    if (this.#commit !== undefined && this.#entries.unreadable === 0) this.#compare(this.#commit);
  }

  #compare({ head, recordedAtUs, recordCount }: CommitRecord): void {
    const { records, recordedAtUs: lastTime } = this.#entries;
    if (records !== recordCount) {
      this.#findings.add(
        "commit",
        head,
        "head-mismatch",
        `The log creates ${records} records, but ${recordCount} were committed.`,
      );
    }
    if (lastTime !== recordedAtUs) {
      this.#findings.add(
        "commit",
        head,
        "head-mismatch",
        `The last entry was not recorded at the time that was committed.`,
      );
    }
  }

  #progress(): VerifyProgress {
    const { position } = this.#entries;
    const { head } = this.#store;
    const seconds = (performance.now() - this.#startMs) / 1000;
    return {
      position,
      head: Number.isFinite(head) ? head : position,
      bytes: this.#bytes,
      seconds,
      eventsPerSecond: Math.round(position / Math.max(seconds, 1e-6)),
    };
  }

  #report(): VerifyReport {
    const { events, records, unreadable } = this.#entries;
    const { count, problems, firstDamaged } = this.#findings;
    const { head, bytes, seconds, eventsPerSecond } = this.#progress();
    return {
      ok: count === 0,
      head,
      events,
      records,
      intactUntil: Math.min(head, firstDamaged - 1),
      unreadable,
      problemCount: count,
      problems,
      bytes,
      seconds,
      eventsPerSecond,
    };
  }
}
