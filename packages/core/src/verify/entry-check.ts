/** Checks one entry after the other: its bytes, its place, and what is stored elsewhere because of it. */
import { Entry } from "../codec/entry.ts";
import { must } from "../assert.ts";
import { StoreError } from "../errors.ts";
import { contentDigest, type RecordDocument } from "../event/document.ts";
import { positionOfStoreId, type Position } from "../ids.ts";
import type { NewVersion } from "../codec/version-block.ts";
import { unframe } from "../codec/frame.ts";
import { carriedRow, madeRow } from "../log/stored-parts.ts";
import { hasErasureForm } from "../records/erasures.ts";
import { wholeDocument } from "../records/versions.ts";
import { documentKey, eventIdKey } from "../storage/keyspace.ts";
import { BlockRows, type PlacedRow } from "./block-rows.ts";
import { Documents } from "./documents.ts";
import { Erasures } from "./erasures.ts";
import type { CheckedStore } from "./parts.ts";
import type { StorePart } from "./report.ts";
import type { TreeCheck } from "./tree-check.ts";

/** How many keys stand beside the entries. */
export interface KeyTally {
  rows: number;
  eventIds: number;
  documents: number;
}

export class EntryCheck {
  /** Entries found whole. */
  events = 0;
  records = 0;
  unreadable = 0;
  recordedAtUs = 0;
  /** Keys that entries call for and that are there, right or wrong. */
  readonly tally: KeyTally = { rows: 0, eventIds: 0, documents: 0 };
  readonly rows: BlockRows;
  readonly #store: CheckedStore;
  readonly #tree: TreeCheck;
  readonly #documents: Documents;
  readonly #erasures: Erasures;
  /** A damaged block is met by each of its versions, and told of once. */
  readonly #told = new WeakSet<Error>();
  /** A row repeats much of the one before, so where that is wrong this one is not told of. */
  readonly #wrongRows = new Set<string>();
  #position: Position = 0;
  /** True when the content of the entry being checked was erased. */
  #isErased = false;

  constructor(store: CheckedStore, tree: TreeCheck) {
    this.#store = store;
    this.#tree = tree;
    this.rows = new BlockRows(store);
    this.#documents = new Documents(store);
    this.#erasures = new Erasures(store);
  }

  /** The position reached. */
  get position(): Position {
    return this.#position;
  }

  /** Takes the next stored entry. Positions must come in order; the ones left out are reported as missing. */
  next(position: Position, value: Uint8Array): void {
    this.missingUntil(position - 1);
    this.#position = position;
    const entry = this.#read(position, value);
    this.#tree.append(position, entry?.leafHash());
    if (entry === undefined) return;
    this.#checkTime(entry);
    this.#try("versions", position, () => this.#checkRow(entry));
    this.#try("event-id", position, () => this.#checkId(entry));
    this.#try("document", position, () => this.#erasures.checkDone(entry));
  }

  /** Reports that nothing stands from here up to a position. */
  missingUntil(last: Position): void {
    const first = this.#position + 1;
    if (last < first) return;
    const what = first === last ? `Position ${first} is` : `Positions ${first} to ${last} are`;
    this.#store.findings.add("entry", first, "log-gap", `${what} missing from the log.`);
    this.unreadable += last - first + 1;
    for (let position = first; position <= last && this.#tree.append(position);) position += 1;
    this.#position = last;
  }

  #read(position: Position, value: Uint8Array): Entry | undefined {
    try {
      const entry = Entry.decode(position, value);
      this.#isErased = !entry.payloadMatchesDigest();
      if (this.#isErased) {
        this.#checkErased(entry);
        this.#store.erased.add(position);
      }
      this.events += 1;
      if (entry.header.version === 1) this.records += 1;
      return entry;
    } catch (error) {
      this.#store.findings.addError("entry", position, error);
      this.unreadable += 1;
      return undefined;
    }
  }

  #checkErased(entry: Entry): void {
    const { position } = entry.header;
    const { erasure } = entry;
    if (erasure === undefined) {
      throw new StoreError(
        "checksum-mismatch",
        `The content of log entry ${position} is not the one its header commits to.`,
      );
    }
    if (!this.#erasures.isRecorded(entry)) {
      throw new StoreError(
        "entry-unreadable",
        `The content of log entry ${position} was erased, and the log does not record that at position ${erasure.erasedBy}.`,
      );
    }
    if (!hasErasureForm(entry)) {
      throw new StoreError(
        "entry-unreadable",
        `What stands in the place of the erased content of log entry ${position} is nothing that an erasure writes.`,
      );
    }
  }

  #checkTime({ header: { position, recordedAtUs } }: Entry): void {
    if (recordedAtUs < this.recordedAtUs) {
      this.#store.findings.add(
        "entry",
        position,
        "entry-unreadable",
        `Log entry ${position} is recorded before the entry before it.`,
      );
    }
    this.recordedAtUs = recordedAtUs;
  }

  #checkRow(entry: Entry): void {
    const { position, recordId, version, recordedAtUs } = entry.header;
    const placed = this.rows.find(recordId, version);
    this.tally.rows += 1;
    const { block, row, previous } = placed;
    const expected = this.#expectedRow(entry, placed);
    const isCreation = version > 1 || isCreationOf(block, position, recordedAtUs);
    const follows = previous === undefined || previous.position < position;
    if (
      !isCreation ||
      !follows ||
      row.position !== position ||
      !block.holdsRow(version, expected, placed.lastInvalidation)
    ) {
      if (this.#erasures.isErasedSince(entry)) return;
      const isCarried = version > 1 && this.#wrongRows.has(`${recordId}@${version - 1}`);
      this.#wrongRows.add(`${recordId}@${version}`);
      if (isCarried) return;
      throw new StoreError(
        "entry-unreadable",
        `The versions of ${JSON.stringify(recordId)} do not say of version ${version} what log entry ${position} says.`,
      );
    }
  }

  #expectedRow(entry: Entry, { row, previous }: PlacedRow): NewVersion {
    const { header } = entry;
    if (header.structure.type === "record.invalidated") return carriedRow(header, previous);
    if (this.#isErased) {
      const { contentTag } = must(entry.erasure, "what does not match was erased");
      const digest = contentTag === null ? undefined : Buffer.from(contentTag);
      return madeRow(header, { isPatched: false, isErased: true, digest });
    }
    const isPatched = isPatch(entry);
    const document = this.#documentOf(entry, isPatched, previous);
    if (header.version === 1) return madeRow(header, { isPatched, digest: undefined });
    // A digest that is not stored is worked out when it is asked for.
    const isKnown = document !== undefined && row.digest !== undefined;
    return madeRow(header, { isPatched, digest: isKnown ? contentDigest(document) : row.digest });
  }

  /** The document an event makes; undefined for a first version, whose digest is never stored, and for a damaged one. */
  #documentOf(
    entry: Entry,
    isPatched: boolean,
    previous: PlacedRow["previous"],
  ): RecordDocument | undefined {
    if (!isPatched) return previous === undefined ? undefined : wholeDocument(entry);
    let document: RecordDocument | undefined;
    this.#try("document", entry.header.position, () => {
      if (this.#store.storage.get(documentKey(entry.header.position)) !== undefined) {
        this.tally.documents += 1;
      }
      try {
        document = this.#documents.patched(entry, must(previous, "a patch follows a version"));
      } catch (error) {
        if (!this.#erasures.isErasedSince(entry)) throw error;
      }
    });
    return document;
  }

  #checkId({ header: { id, position } }: Entry): void {
    const carried = positionOfStoreId(id);
    if (carried === position) return;
    const key = eventIdKey(id);
    const value = this.#store.storage.get(key);
    if (value !== undefined) this.tally.eventIds += 1;
    const found = value && unframe(key, value, () => `the index of event ${id}`);
    if (found?.length !== 8 || found.readDoubleLE(0) !== position || this.#isTaken(id, carried)) {
      throw new StoreError(
        "entry-unreadable",
        `Event ${id} at position ${position} is not found by its id.`,
      );
    }
  }

  /** True when the entry whose position an id happens to carry has the same id, and so hides this one. */
  #isTaken(id: string, carried: Position | undefined): boolean {
    if (carried === undefined || carried > this.#store.head) return false;
    try {
      return this.#store.state.entry(carried)?.header.id === id;
    } catch {
      return false;
    }
  }

  #try(part: StorePart, position: Position, check: () => void): void {
    try {
      check();
    } catch (error) {
      if (error instanceof Error && this.#told.has(error)) return;
      this.#store.findings.addError(part, position, error);
      if (error instanceof Error) this.#told.add(error);
    }
  }
}

function isCreationOf(
  block: PlacedRow["block"],
  position: Position,
  recordedAtUs: number,
): boolean {
  return block.createdPosition === position && block.createdAtUs === recordedAtUs;
}

/** True for an event whose document stands under a key of its own. */
export function isPatch(entry: Entry): boolean {
  const { structure } = entry.header;
  if (structure.type !== "record.updated") return false;
  return structure.documentDigest !== null || entry.payload().data["patch"] !== undefined;
}
