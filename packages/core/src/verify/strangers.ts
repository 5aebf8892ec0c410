/** Searches for what is stored beside the entries and belongs to none of them, once counting has shown that there is something. */
import type { VersionBlock } from "../codec/version-block.ts";
import { unframe } from "../codec/frame.ts";
import type { Entry } from "../codec/entry.ts";
import { decodeUuid, positionOfStoreId, type Position } from "../ids.ts";
import { entryKeyPosition, keySpaces } from "../storage/keyspace.ts";
import type { StorageEntry } from "../storage/storage.ts";
import { isPatch, type KeyTally } from "./entry-check.ts";
import { olderBlockSuffixBytes, readBlock, recordOf, spaceOf } from "./key-check.ts";
import type { CheckedStore } from "./parts.ts";
import type { StorePart } from "./report.ts";

/**
 * Reports keys that no entry calls for. What an unreadable entry called for is left out: the entry is reported.
 *
 * @param needed what the entries call for and was found
 * @param counted what there is
 */
export async function findStrangers(
  store: CheckedStore,
  needed: KeyTally,
  counted: KeyTally,
): Promise<void> {
  const strangers = new Strangers(store);
  if (counted.rows !== needed.rows) {
    await search(store, "block", (entry) => strangers.block(entry));
    await search(store, "olderBlock", (entry) => strangers.olderBlock(entry));
  }
  if (counted.eventIds !== needed.eventIds) {
    await search(store, "eventId", (entry) => strangers.eventId(entry));
  }
  if (counted.documents !== needed.documents) {
    await search(store, "document", (entry) => strangers.document(entry));
  }
}

async function search(
  { storage }: CheckedStore,
  space: keyof typeof keySpaces,
  check: (entry: StorageEntry) => void,
): Promise<void> {
  const first = keySpaces[space];
  const range = { from: Buffer.from([first]), until: Buffer.from([first + 1]) };
  for await (const chunk of storage.scan(range)) {
    for (const entry of chunk) if (spaceOf(entry[0]) === space) check(entry);
  }
}

class Strangers {
  readonly #store: CheckedStore;

  constructor(store: CheckedStore) {
    this.#store = store;
  }

  block([key, value]: StorageEntry): void {
    this.#rows(recordOf(key, 0), readBlock(key, value));
  }

  olderBlock([key, value]: StorageEntry): void {
    this.#rows(recordOf(key, olderBlockSuffixBytes), readBlock(key, value));
  }

  eventId([key, value]: StorageEntry): void {
    const id = decodeUuid(key.subarray(1));
    let position: Position = 0;
    try {
      position = unframe(key, value, () => `the index of event ${id}`).readDoubleLE(0);
    } catch {
      // An index that cannot be read is reported here unless its entry was found to need it.
    }
    const isNeeded = ({ header }: Entry) =>
      header.id === id && positionOfStoreId(id) !== header.position;
    if (position > 0 && this.#isCalledFor(position, isNeeded)) return;
    this.#report("event-id", position, `The index of event ${id} names no such event.`);
  }

  document([key]: StorageEntry): void {
    const position = entryKeyPosition(key);
    if (this.#isCalledFor(position, hasDocument)) return;
    this.#report(
      "document",
      position,
      `A document is stored at position ${position}, where no patch made one.`,
    );
  }

  #rows(recordId: string, block: VersionBlock | undefined): void {
    if (block === undefined) return;
    for (let version = block.firstVersion; version <= block.lastVersion; version += 1) {
      const { position } = block.entry(version);
      const isOf = ({ header }: Entry) =>
        header.recordId === recordId && header.version === version;
      if (this.#isCalledFor(position, isOf)) continue;
      this.#report(
        "versions",
        position,
        `The versions of ${JSON.stringify(recordId)} hold a version ${version} that the log does not make.`,
      );
      return;
    }
  }

  /** True when the entry there says so, or cannot be asked any more. */
  #isCalledFor(position: Position, test: (entry: Entry) => boolean): boolean {
    const { state, head } = this.#store;
    if (this.#store.isLater(position)) return true;
    if (!Number.isSafeInteger(position) || position < 1 || position > head) return false;
    try {
      const entry = state.entry(position);
      return entry === undefined || test(entry);
    } catch {
      return true;
    }
  }

  #report(part: StorePart, position: Position, message: string): void {
    const place = Number.isSafeInteger(position) ? position : 0;
    this.#store.findings.add(part, place, "entry-unreadable", message);
  }
}

/** An erased event has no document any more. */
function hasDocument(entry: Entry): boolean {
  return entry.payloadMatchesDigest() && isPatch(entry);
}
