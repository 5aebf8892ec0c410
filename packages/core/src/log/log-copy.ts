/**
 * Makes a log from the entries of another one, byte for byte, and everything beside them anew.
 *
 * Nothing about the entries is believed: each must follow from those before it, and hold what its header commits to.
 * They are written about a thousand at a time, each time with a commit record, so that what is there is a sound log at
 * any moment, and a copy can be gone on with.
 */
import { must } from "../assert.ts";
import { decodeCommit, emptyCommit, type CommitRecord } from "../codec/commit-record.ts";
import { sealed, type Entry } from "../codec/entry.ts";
import { encodeMessagePack } from "../codec/msgpack.ts";
import { encodePatchedDocument } from "../codec/patched-document.ts";
import type { NewVersion, VersionBlock } from "../codec/version-block.ts";
import { isStoreError, StoreError, type ErrorDetails } from "../errors.ts";
import { contentDigest } from "../event/document.ts";
import { formatRef, type Position, type RecordId } from "../ids.ts";
import { limits } from "../limits.ts";
import { Frontier } from "../merkle/frontier.ts";
import { hashBytes } from "../merkle/hashing.ts";
import {
  mustHaveEntry,
  PendingState,
  StoredState,
  type IdempotentBatch,
  type State,
} from "../records/state.ts";
import {
  findVersion,
  patchedDocument,
  RecordVersions,
  wholeDocument,
} from "../records/versions.ts";
import { commitKey } from "../storage/keyspace.ts";
import type { Storage, StorageEntry } from "../storage/storage.ts";
import { CopiedErasures, otherContent } from "./copied-erasures.ts";
import { erasureWrites, type ErasurePlan } from "./erase.ts";
import {
  blockWith,
  carriedRow,
  commitPuts,
  documentPut,
  eventIdPut,
  idempotencyPut,
  madeRow,
  olderBlockPut,
} from "./stored-parts.ts";
import { StoredTree } from "./stored-tree.ts";

/** Entries in one synced write. */
const writeEntriesMax = 1000;
/** Bytes in one synced write, so that entries of a mebibyte each do not collect in memory. */
const writeBytesMax = 16 * 1024 * 1024;

export interface LogCopyOptions {
  /** The last position to copy. Default: all. Idempotency keys that name a later one are left out. */
  readonly until?: Position | undefined;
}

/** What a copy came to. */
export interface CopiedLog {
  readonly head: Position;
  /** The Merkle root of all entries, 32 bytes. */
  readonly root: Buffer;
  /** Idempotency keys left out because they name positions after `until`. */
  readonly keysLeftOut: number;
}

/** A log being filled. One writer; nothing else may write to the storage meanwhile. */
export class LogCopy {
  readonly #storage: Storage;
  readonly #until: Position;
  readonly #stored: StoredState;
  readonly #state: PendingState;
  readonly #tree: StoredTree;
  /** What has been added, written or not. */
  #last: Omit<CommitRecord, "frontier">;
  #puts: StorageEntry[] = [];
  #bytes = 0;
  #leaves: Buffer[] = [];
  #blocks = new Map<RecordId, VersionBlock>();
  readonly #erasures = new CopiedErasures();
  /** True when the files of the storage may hold content that was erased in it. */
  #mustCompact = false;
  #keysLeftOut = 0;

  private constructor(storage: Storage, commit: CommitRecord, options: LogCopyOptions) {
    this.#storage = storage;
    this.#until = options.until ?? Infinity;
    this.#stored = new StoredState(storage);
    this.#state = new PendingState(this.#stored);
    const leafHash = (leaf: number) => mustHaveEntry(this.#stored, leaf + 1).leafHash();
    this.#tree = new StoredTree(storage, leafHash, new Frontier(commit.head, commit.frontier));
    this.#last = commit;
  }

  /** Goes on from what the storage holds: an empty one begins at position 1. @throws codes of the commit record */
  static open(storage: Storage, options: LogCopyOptions = {}): LogCopy {
    const value = storage.get(commitKey);
    return new LogCopy(storage, value === undefined ? emptyCommit : decodeCommit(value), options);
  }

  /** Position of the last entry added. */
  get head(): Position {
    return this.#last.head;
  }

  /**
   * Adds the next entries, in order. After an error the copy is of no further use; what was written before it is sound.
   * Content that a later entry records as erased is erased again.
   *
   * @throws `log-gap` for an entry out of its place; `checksum-mismatch` for content its header does not commit to;
   * `entry-unreadable` for one that does not follow from those before it; `format-too-new`; codes of `Storage.write`
   */
  async add(entries: readonly Entry[]): Promise<void> {
    for (const entry of entries) {
      if (entry.header.position > this.#until) return;
      const left = this.#place(entry);
      if (left.size > 0) await this.#eraseAgain(entry, left);
      if (this.#leaves.length >= writeEntriesMax || this.#bytes >= writeBytesMax) {
        await this.#write();
      }
    }
  }

  /**
   * Adds idempotency keys, once all entries they name have been added.
   *
   * @throws `entry-unreadable` for one that names no entry, or cannot be one
   */
  async addKeys(keys: Iterable<readonly [key: string, batch: IdempotentBatch]>): Promise<void> {
    for (const [key, batch] of keys) {
      if (this.#until < Infinity && batch.positions.some((position) => position > this.#until)) {
        this.#keysLeftOut += 1;
        continue;
      }
      if (!isKey(key, batch, this.head)) {
        throw unreadable(`Idempotency key ${JSON.stringify(key)} names no batch of this log.`, {
          idempotencyKey: key,
        });
      }
      // The digest of a batch would tell of what was erased of it.
      const isWhole = !batch.positions.some((position) => this.#erasures.has(position));
      const put = idempotencyPut(key, isWhole ? batch : { ...batch, digest: null });
      this.#puts.push(put);
      this.#bytes += put[1].length;
      if (this.#puts.length >= writeEntriesMax) await this.#write();
    }
  }

  /** Writes what has been added. @throws `checksum-mismatch` for erased content whose erasure the log does not record */
  async finish(): Promise<CopiedLog> {
    this.#erasures.finish(this.#until);
    await this.#write();
    if (this.#mustCompact) await this.#storage.compact();
    const { head } = this;
    return { head, root: this.#tree.frontier.root(), keysLeftOut: this.#keysLeftOut };
  }

  /** @returns what the entry says was erased, and came with its content */
  #place(entry: Entry): ErasurePlan {
    try {
      this.#check(entry);
      this.#erasures.check(entry);
      this.#put(entry);
      return this.#erasures.leftTo(entry, this.#state);
    } catch (error) {
      if (isStoreError(error)) throw error;
      // Headers are decoded without looking at the type of each member: what is none of ours fails somewhere.
      const { position } = entry.header;
      throw unreadable(`Log entry ${position} is not one that Sennit wrote.`, { position }, error);
    }
  }

  #check(entry: Entry): void {
    const { position, recordedAtUs, id } = entry.header;
    if (position !== this.head + 1) {
      throw new StoreError(
        "log-gap",
        `Position ${this.head + 1} is missing: ${position} follows ${this.head}.`,
        { details: { position: this.head + 1, found: position } },
      );
    }
    const isTime = Number.isInteger(recordedAtUs) && recordedAtUs <= limits.timeUsMax;
    if (!isTime || recordedAtUs < this.#last.recordedAtUs) {
      throw unreadable(`Log entry ${position} is recorded before the entry before it.`, {
        position,
      });
    }
    if (this.#state.positionOfEvent(id) !== undefined) {
      throw unreadable(`Event ${id} stands in the log twice.`, { position });
    }
  }

  #put(entry: Entry): void {
    const { position, recordId, recordedAtUs, version, id } = entry.header;
    const versions = RecordVersions.of(this.#state, recordId);
    checkVersion(entry, this.#state, versions);
    const { key, value } = sealed(entry);
    this.#puts.push([key, value]);
    this.#bytes += value.length;
    this.#leaves.push(entry.leafHash());
    const idPut = eventIdPut(id, position);
    if (idPut !== undefined) this.#puts.push(idPut);
    const { next, full } = blockWith(versions?.newestBlock, this.#row(entry, versions));
    this.#state.setEntry(entry, idPut !== undefined);
    if (full !== undefined) {
      this.#puts.push(olderBlockPut(recordId, full));
      this.#state.setOlderBlock(recordId, full);
    }
    this.#state.setBlock(recordId, next);
    this.#state.keep();
    this.#blocks.set(recordId, next);
    const recordCount = this.#last.recordCount + (version === 1 ? 1 : 0);
    this.#last = { head: position, recordedAtUs, recordCount };
  }

  #row(entry: Entry, versions: RecordVersions | undefined): NewVersion {
    const { header, erasure } = entry;
    if (header.structure.type === "record.invalidated") {
      return carriedRow(header, versions?.current);
    }
    if (erasure !== undefined) {
      const tag = must(erasure.contentTag, "erased content has a tag");
      return madeRow(header, { isPatched: false, isErased: true, digest: Buffer.from(tag) });
    }
    if (entry.payload().data["patch"] === undefined) {
      const digest = header.version === 1 ? undefined : contentDigest(wholeDocument(entry));
      return madeRow(header, { isPatched: false, digest });
    }
    return this.#patchedRow(entry, must(versions, "a patch follows a version"));
  }

  #patchedRow(entry: Entry, versions: RecordVersions): NewVersion {
    const { header, salt } = entry;
    const { position, structure } = header;
    const document = patchedDocument(versions.document(versions.current), entry);
    const { bytes, digest } = encodePatchedDocument(must(salt, "content has a salt"), document);
    const committed = structure.type === "record.updated" ? structure.documentDigest : null;
    if (committed !== null && !digest.equals(committed)) throw otherContent(position);
    // Patches of entry format 1 commit to no document, and theirs are stored without a salt.
    const stored = committed === null ? encodeMessagePack(document) : bytes;
    this.#puts.push(documentPut(position, stored));
    this.#bytes += stored.length;
    this.#state.setDocumentBytes(position, stored);
    return madeRow(header, { isPatched: true, digest: contentDigest(document) });
  }

  async #eraseAgain({ header: { position } }: Entry, plan: ErasurePlan): Promise<void> {
    await this.#write();
    const place = { storage: this.#storage, state: this.#stored, head: position };
    const { puts, deletes } = await erasureWrites(place, plan, position);
    await this.#storage.write({ puts, deletes });
    this.#state.forgetAll();
    this.#mustCompact = true;
  }

  async #write(): Promise<void> {
    if (this.#puts.length === 0) return;
    const { puts } = commitPuts(this.#tree, this.#blocks, this.#leaves, this.#last);
    await this.#storage.write({ puts: this.#puts.concat(puts) });
    this.#state.forget(this.head);
    this.#puts = [];
    this.#leaves = [];
    this.#blocks = new Map();
    this.#bytes = 0;
  }
}

/** Versions of a record count up from a creation; what an event names must be there before it. */
function checkVersion({ header }: Entry, state: State, versions: RecordVersions | undefined): void {
  const { position, version, structure } = header;
  const current = versions?.current.version ?? 0;
  if (version !== current + 1 || (version === 1 && structure.type !== "record.created")) {
    throw unreadable(`Log entry ${position} does not follow version ${current} of its record.`, {
      position,
    });
  }
  if (structure.type === "record.invalidated") {
    const { from, to } = structure;
    if (from >= 1 && from <= to && to < version) return;
    throw unreadable(`Log entry ${position} withdraws versions that are not there.`, { position });
  }
  for (const source of structure.edges ?? []) {
    if (findVersion(state, source) !== undefined) continue;
    throw unreadable(`Log entry ${position} rests on ${formatRef(source)}, which is not there.`, {
      position,
    });
  }
}

function isKey(key: string, { digest, positions }: IdempotentBatch, head: Position): boolean {
  return (
    key !== "" &&
    Buffer.byteLength(key) <= limits.idempotencyKeyBytesMax &&
    (digest === null || digest.length === hashBytes) &&
    positions.length > 0 &&
    positions.every((position) => Number.isInteger(position) && position >= 1 && position <= head)
  );
}

function unreadable(message: string, details: ErrorDetails, cause?: unknown): StoreError {
  return new StoreError("entry-unreadable", message, { details, cause });
}
