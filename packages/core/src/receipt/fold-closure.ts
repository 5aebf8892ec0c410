/** Folds proven events into the closure of a decision, and sees to it that nothing is missing and nothing is too many. */
import { must } from "../assert.ts";
import type { Entry } from "../codec/entry.ts";
import { StoreError } from "../errors.ts";
import type { ClosureMember } from "../event/closure-digest.ts";
import type { RecordDocument } from "../event/document.ts";
import {
  formatRef,
  type Position,
  type RecordId,
  type RecordVersionRef,
  type Version,
} from "../ids.ts";
import { erasureNoteOf, isNamed, namedVersions, type NamedVersions } from "../records/erasures.ts";
import { patchedDocument, wholeDocument } from "../records/versions.ts";
import { formatTimestamp } from "../timestamp.ts";

/** A record version as a receipt proves it. */
export interface ProvenVersion extends ClosureMember {
  readonly position: Position;
  /** RFC 3339 with microseconds, UTC. */
  readonly recordedAt: string;
}

/** An event that is proven to be in the log. */
export interface ProvenEntry {
  readonly entry: Entry;
  /** The document its patch made, proven by the digest in its header; undefined for events that commit to none. */
  readonly document: RecordDocument | undefined;
}

/** What a patch commits to; null for every other event and for patches of entry format 1. */
export function documentDigest({ header }: Entry): Uint8Array | null {
  return header.structure.type === "record.updated" ? header.structure.documentDigest : null;
}

/**
 * The decision and all it rests on, in the order of positions.
 *
 * @param entries in the order of positions
 * @throws `receipt-incomplete`, `receipt-content-invalid`, `receipt-malformed`
 */
export function foldClosure(
  entries: readonly ProvenEntry[],
  decision: RecordVersionRef,
): readonly ProvenVersion[] {
  const fold = new ClosureFold(entries);
  const decided = fold.find(decision);
  if (decided.header.structure.type === "record.invalidated") {
    throw contentInvalid(decided.header.position, "is a withdrawal, and no decision");
  }
  const closure = new Set([decided]);
  for (const entry of closure) {
    for (const source of fold.document(entry).derivedFrom) {
      const found = fold.find(source);
      if (found.header.position >= entry.header.position) {
        throw contentInvalid(entry.header.position, "rests on what came after it");
      }
      closure.add(found);
    }
  }
  for (const { entry } of entries) fold.useErasureOf(entry);
  if (fold.usedCount < entries.length) {
    throw new StoreError(
      "receipt-malformed",
      `${entries.length - fold.usedCount} of the receipt's events have no part in the decision.`,
    );
  }
  return [...closure]
    .toSorted((a, b) => a.header.position - b.header.position)
    .map((entry) => proven(entry, fold.document(entry)));
}

function proven({ header, erasure }: Entry, document: RecordDocument): ProvenVersion {
  const { recordId, version, position, recordedAtUs } = header;
  const recordedAt = formatTimestamp(recordedAtUs);
  return { recordId, version, position, recordedAt, document, isErased: erasure !== undefined };
}

/** The content of record versions, folded from the events of a receipt as far as it is asked for. */
class ClosureFold {
  readonly #records = new Map<RecordId, Map<Version, Entry>>();
  /** The records of erasures, with what they name. */
  readonly #erasures: { readonly entry: Entry; readonly named: NamedVersions }[] = [];
  /** Documents that stand in the receipt. */
  readonly #given = new Map<Entry, RecordDocument>();
  /** Documents asked for, and those on the way to them. */
  readonly #documents = new Map<Entry, RecordDocument>();

  /** @throws `receipt-content-invalid` when a record's versions do not rise with the positions */
  constructor(entries: readonly ProvenEntry[]) {
    const lastVersions = new Map<RecordId, Version>();
    for (const { entry, document } of entries) {
      if (document !== undefined) this.#given.set(entry, document);
      const { recordId, version, position } = entry.header;
      if (version <= (lastVersions.get(recordId) ?? 0)) {
        throw contentInvalid(position, "has a version that its record had before");
      }
      lastVersions.set(recordId, version);
      const note = erasureNoteOf(entry);
      if (note !== undefined) this.#erasures.push({ entry, named: namedVersions(note) });
      const versions = this.#records.get(recordId) ?? new Map<Version, Entry>();
      this.#records.set(recordId, versions.set(version, entry));
    }
  }

  /** Events that some content asked for was folded from. */
  get usedCount(): number {
    return this.#documents.size;
  }

  /** @throws `receipt-incomplete` */
  find({ recordId, version }: RecordVersionRef): Entry {
    const entry = this.#records.get(recordId)?.get(version);
    if (entry !== undefined) return entry;
    throw new StoreError(
      "receipt-incomplete",
      `The receipt lacks the event of ${formatRef({ recordId, version })}, which the decision rests on.`,
      { details: { recordId, version } },
    );
  }

  /** Content may only be missing when the receipt proves that it was erased. @throws `receipt-incomplete` */
  useErasureOf({ header, erasure }: Entry): void {
    if (erasure === undefined) return;
    const { recordId, version, position } = header;
    const proof = this.#erasures.find(
      ({ entry, named }) => entry.header.position > position && isNamed(named, header),
    );
    if (proof === undefined) {
      throw new StoreError(
        "receipt-incomplete",
        `The receipt holds neither the content of ${formatRef({ recordId, version })} nor the record of its erasure.`,
        { details: { recordId, version } },
      );
    }
    this.document(proof.entry);
  }

  /** The document a version holds. @throws `receipt-incomplete` when an event is missing that had a part in it */
  document(entry: Entry): RecordDocument {
    const changes: Entry[] = [];
    let base = entry;
    while (!this.#documents.has(base)) {
      changes.push(base);
      if (this.#given.has(base) || carriesDocument(base)) break;
      const { recordId, version } = base.header;
      base = this.find({ recordId, version: version - 1 });
    }
    let document = this.#documents.get(base);
    for (const change of changes.toReversed()) {
      document = this.#given.get(change) ?? next(document, change);
      this.#documents.set(change, document);
    }
    return must(document, "a fold starts from a document");
  }
}

/** True for an event that says the whole content by itself. */
function carriesDocument(entry: Entry): boolean {
  const { type } = entry.header.structure;
  if (type === "record.created") return true;
  return type === "record.updated" && entry.payload().data["document"] !== undefined;
}

function next(before: RecordDocument | undefined, entry: Entry): RecordDocument {
  const { structure } = entry.header;
  if (carriesDocument(entry)) return wholeDocument(entry);
  const document = must(before, "a change follows a document");
  if (structure.type !== "record.updated") return document;
  return patchedDocument(document, entry);
}

function contentInvalid(position: Position, problem: string): StoreError {
  return new StoreError(
    "receipt-content-invalid",
    `The event at position ${position} ${problem}.`,
    {
      details: { position },
    },
  );
}
