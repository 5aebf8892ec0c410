/** Checks the keys beside the entries: that each can be read, belongs to an event of the log, and has a shape a writer makes. */
import { unframe } from "../codec/frame.ts";
import { decodeMessagePack } from "../codec/msgpack.ts";
import { VersionBlock } from "../codec/version-block.ts";
import { StoreError } from "../errors.ts";
import type { RecordId } from "../ids.ts";
import { hashBytes } from "../merkle/hashing.ts";
import { entryKeyPosition, keySpaces, purgeKey } from "../storage/keyspace.ts";
import type { StorageEntry } from "../storage/storage.ts";
import type { KeyTally } from "./entry-check.ts";
import type { CheckedStore } from "./parts.ts";
import { isTileOf } from "./tree-check.ts";

const positionKeyBytes = 9;
const eventIdKeyBytes = 17;
const tileKeyBytes = 10;
/** After the record's id in the key of an older block: `00` and the index. */
export const olderBlockSuffixBytes = 5;

/** The space of a key; undefined for a key that no writer makes. */
export function spaceOf(key: Uint8Array): keyof typeof keySpaces | undefined {
  const { length } = key;
  switch (key[0]) {
    case keySpaces.entry:
      return length === positionKeyBytes ? "entry" : undefined;
    case keySpaces.block:
      return length > 1 ? "block" : undefined;
    case keySpaces.commit:
      return length === 1 ? "commit" : undefined;
    case keySpaces.document:
      return length === positionKeyBytes ? "document" : undefined;
    case keySpaces.eventId:
      return length === eventIdKeyBytes ? "eventId" : undefined;
    case keySpaces.idempotency:
      return length > 1 ? "idempotency" : undefined;
    case keySpaces.olderBlock:
      return length > 1 + olderBlockSuffixBytes ? "olderBlock" : undefined;
    case keySpaces.tile:
      return length === tileKeyBytes ? "tile" : undefined;
    default:
      return undefined;
  }
}

/**
 * Counts what there is, to be compared with what the entries need. Each of theirs was looked up and found right, so equal
 * counts mean that there is nothing else; only otherwise is the stranger searched for.
 */
export class KeyCheck {
  readonly counted: KeyTally = { rows: 0, eventIds: 0, documents: 0 };
  /** Blocks that cannot be read: a record's id, and for an older block `00` and its index. */
  readonly unreadableBlocks = new Set<string>();
  readonly #store: CheckedStore;

  constructor(store: CheckedStore) {
    this.#store = store;
  }

  block([key, value]: StorageEntry): void {
    const block = readBlock(key, value);
    if (block === undefined) this.unreadableBlocks.add(recordOf(key, 0));
    else this.#count(block);
  }

  olderBlock([key, value]: StorageEntry): void {
    const block = readBlock(key, value);
    const recordId = recordOf(key, olderBlockSuffixBytes);
    const index = Buffer.from(key).readUInt32BE(key.length - 4);
    if (block === undefined) {
      this.unreadableBlocks.add(`${recordId}\0${index}`);
      return;
    }
    this.#count(block);
    let newest: VersionBlock | undefined;
    try {
      newest = this.#store.state.block(recordId);
    } catch {
      // It is reported with the entries that need it.
      return;
    }
    const belongs =
      block.index === index &&
      block.isFull &&
      newest !== undefined &&
      newest.index > index &&
      newest.createdPosition === block.createdPosition &&
      newest.createdAtUs === block.createdAtUs;
    if (belongs) return;
    this.#store.findings.add(
      "versions",
      block.firstPosition,
      "entry-unreadable",
      `Block ${index} of the versions of ${JSON.stringify(recordId)} does not fit the newest one.`,
    );
  }

  eventId([, value]: StorageEntry): void {
    if (value.length === 12 && this.#store.isLater(Buffer.from(value).readDoubleLE(4))) return;
    this.counted.eventIds += 1;
  }

  document([key]: StorageEntry): void {
    if (!this.#store.isLater(entryKeyPosition(key))) this.counted.documents += 1;
  }

  idempotency([key, value]: StorageEntry): void {
    const { findings, head } = this.#store;
    const name = JSON.stringify(Buffer.from(key).toString("utf8", 1));
    try {
      const body = unframe(key, value, () => `idempotency key ${name}`);
      const [digest, positions] = decodeMessagePack(body) as [unknown, unknown];
      const isBatch =
        // The digest of a batch of which something was erased is gone.
        (digest === null || (digest instanceof Uint8Array && digest.length === hashBytes)) &&
        Array.isArray(positions) &&
        positions.length > 0;
      if (isBatch && digest !== null && positions.some((at) => this.#store.erased.has(at))) {
        throw new StoreError(
          "entry-unreadable",
          `Idempotency key ${name} holds the digest of a batch of which something was erased.`,
        );
      }
      const stranger =
        isBatch && positions.find((at) => !Number.isSafeInteger(at) || at < 1 || at > head);
      if (stranger === undefined || this.#store.isLater(stranger)) return;
      throw new StoreError(
        "entry-unreadable",
        `Idempotency key ${name} does not name a batch of the log.`,
      );
    } catch (error) {
      findings.addError("idempotency-key", 0, error);
    }
  }

  tile([key]: StorageEntry): void {
    const { head, findings } = this.#store;
    const level = key[1] ?? 0;
    const index = Number(Buffer.from(key).readBigUInt64BE(2));
    const size = Math.max(head, this.#store.headNow());
    if (!Number.isFinite(size) || isTileOf(size, level, index)) return;
    findings.add(
      "tile",
      0,
      "entry-unreadable",
      `Merkle tile ${level}/${index} belongs to no tree of ${head} events.`,
    );
  }

  unknown([key]: StorageEntry): void {
    if (Buffer.from(key).equals(purgeKey)) return;
    const text = Buffer.from(key).toString("hex");
    this.#store.findings.add(
      "unknown-key",
      0,
      "entry-unreadable",
      `The database holds a key that no Sennit makes: ${text}.`,
    );
  }

  #count(block: VersionBlock): void {
    if (block.lastPosition <= this.#store.head) {
      this.counted.rows += block.count;
      return;
    }
    for (let version = block.firstVersion; version <= block.lastVersion; version += 1) {
      if (!this.#store.isLater(block.entry(version).position)) this.counted.rows += 1;
    }
  }
}

/** The id of the record a block belongs to, by its key. */
export function recordOf(key: Uint8Array, suffixBytes: number): RecordId {
  return Buffer.from(key).toString("utf8", 1, key.length - suffixBytes);
}

/** A version block; undefined for one that cannot be read, which is reported with the entries that need it. */
export function readBlock(key: Uint8Array, value: Uint8Array): VersionBlock | undefined {
  try {
    const block = new VersionBlock(unframe(key, value, () => "a version block"));
    return block.isWellFormed ? block : undefined;
  } catch {
    return undefined;
  }
}
