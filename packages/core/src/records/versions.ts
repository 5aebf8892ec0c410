/** One record's versions in one state: which stood when, which are withdrawn, what they hold. */
import { must } from "../assert.ts";
import type { Entry } from "../codec/entry.ts";
import { decodePatchedDocument } from "../codec/patched-document.ts";
import { blockVersionsMax, type VersionBlock, type VersionEntry } from "../codec/version-block.ts";
import { StoreError } from "../errors.ts";
import {
  completeDocument,
  contentDigest,
  placeholderKind,
  type Derivation,
  type PinnedDocument,
  type RecordDocument,
} from "../event/document.ts";
import { mergePatch } from "../event/json.ts";
import type { Position, RecordId, RecordVersionRef, Version } from "../ids.ts";
import { mustHaveEntry, type State } from "./state.ts";

/** The versions of a record as they stood when this was made. Older blocks are read when they are needed. */
export class RecordVersions {
  readonly recordId: RecordId;
  readonly #state: State;
  readonly #newest: VersionBlock;

  private constructor(state: State, recordId: RecordId, newest: VersionBlock) {
    this.#state = state;
    this.recordId = recordId;
    this.#newest = newest;
  }

  /** The versions of a record, or undefined when there is no such record. One read. */
  static of(state: State, recordId: RecordId): RecordVersions | undefined {
    const newest = state.block(recordId);
    return newest === undefined ? undefined : new RecordVersions(state, recordId, newest);
  }

  /** The newest block, for adding a version to. */
  get newestBlock(): VersionBlock {
    return this.#newest;
  }

  /** Time of the record's first event, microseconds since the epoch. */
  get createdAtUs(): number {
    return this.#newest.createdAtUs;
  }

  /** The newest version. */
  get current(): VersionEntry {
    return this.#newest.last();
  }

  /** Whether any of them is an invalidation. */
  get hasInvalidation(): boolean {
    return this.#newest.lastInvalidation > 0;
  }

  /** The last version at or before a position. O(log versions). */
  asOf(position: Position): VersionEntry | undefined {
    const newest = this.#newest;
    if (newest.createdPosition > position) return undefined;
    if (newest.firstPosition <= position) return newest.entry(newest.versionAt(position));
    let low = 0;
    let high = newest.index - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#block(middle).firstPosition <= position) low = middle;
      else high = middle - 1;
    }
    const block = this.#block(low);
    return block.entry(block.versionAt(position));
  }

  /** One version, if the record had it by that position. */
  version(version: Version, asOf: Position = Infinity): VersionEntry | undefined {
    if (version < 1 || version > this.#newest.lastVersion) return undefined;
    const entry = this.#block(Math.floor((version - 1) / blockVersionsMax)).entry(version);
    return entry.position <= asOf ? entry : undefined;
  }

  /** The versions up to a position, oldest first. @param first where to begin; default: the first of all */
  *upTo(asOf: Position, first: Version = 1): Generator<VersionEntry> {
    const begin = Math.floor((first - 1) / blockVersionsMax);
    for (let index = begin; index <= this.#newest.index; index += 1) {
      const block = this.#block(index);
      const from = Math.max(first, block.firstVersion);
      for (let version = from; version <= block.lastVersion; version += 1) {
        const entry = block.entry(version);
        if (entry.position > asOf) return;
        yield entry;
      }
    }
  }

  /** The first invalidation that withdraws a content version, at or before a position. */
  withdrawalOf(contentVersion: Version, asOf: Position = Infinity): VersionEntry | undefined {
    const last = this.#newest.lastInvalidation;
    if (last <= contentVersion) return undefined;
    const start = Math.floor((contentVersion - 1) / blockVersionsMax);
    const end = Math.floor((last - 1) / blockVersionsMax);
    for (let index = start; index <= end; index += 1) {
      const block = this.#block(index);
      if (block.firstPosition > asOf) return undefined;
      const withdrawal = block.withdrawalOf(contentVersion, asOf);
      if (withdrawal !== undefined) return withdrawal;
    }
    return undefined;
  }

  /**
   * The document a version holds.
   *
   * @param event the version's own event, when it has been read already
   * @throws `log-gap`
   */
  document(entry: VersionEntry, event?: Entry): RecordDocument {
    const position = entry.contentPosition;
    const patched = entry.patched ? this.#state.documentBytes(position) : undefined;
    if (patched !== undefined) return decodePatchedDocument(patched);
    const content = entry.position === position ? event : undefined;
    const source = content ?? this.#state.entry(position);
    if (source?.header.recordId === this.recordId) {
      if (source.erasure !== undefined) return this.#erasedDocument(entry.contentVersion);
      if (!entry.patched) return wholeDocument(source);
    }
    throw new StoreError(
      "log-gap",
      `The content of ${this.recordId}@${entry.contentVersion} is missing from the store.`,
      { details: { recordId: this.recordId, version: entry.contentVersion, position } },
    );
  }

  /**
   * S11: true when a pinned version still holds what the record holds at a position. Names and tags do not count, and
   * a placeholder stands for the creation that filled it.
   */
  isCurrentContent(version: Version, asOf: Position): boolean {
    const current = must(this.asOf(asOf), "a pinned source exists");
    if (current.version === version) return true;
    const pinned = must(this.version(version), "a pinned version exists");
    if (pinned.contentVersion === current.contentVersion) return true;
    return this.#digest(this.#filled(pinned, asOf)).equals(this.#digest(current));
  }

  /** What headers still say of erased content: the kind and the sources, which stand in the newest header to name them. */
  #erasedDocument(contentVersion: Version): RecordDocument {
    let derivedFrom: readonly Derivation[] | undefined;
    for (let version = contentVersion; ; version -= 1) {
      const { position } = must(this.version(version), "a record begins with a creation");
      const { structure } = mustHaveEntry(this.#state, position).header;
      if (structure.type === "record.invalidated") continue;
      derivedFrom ??= structure.edges ?? undefined;
      if (structure.type === "record.created") {
        return completeDocument({ kind: structure.kind, name: "", derivedFrom });
      }
    }
  }

  #filled(pinned: VersionEntry, asOf: Position): VersionEntry {
    if (this.document(pinned).kind !== placeholderKind) return pinned;
    for (const entry of this.upTo(asOf)) {
      if (entry.version > pinned.version && entry.type === "record.created") return entry;
    }
    return pinned;
  }

  #digest(entry: VersionEntry): Buffer {
    return entry.digest ?? contentDigest(this.document(entry));
  }

  #block(index: number): VersionBlock {
    if (index === this.#newest.index) return this.#newest;
    const block = this.#state.olderBlock(this.recordId, index);
    if (block !== undefined) return block;
    throw new StoreError(
      "log-gap",
      `Versions of record ${JSON.stringify(this.recordId)} are missing from the store.`,
      { details: { recordId: this.recordId, firstVersion: index * blockVersionsMax + 1 } },
    );
  }
}

/** The versions of a record that an invariant says is there. */
export function mustHaveVersions(state: State, recordId: RecordId): RecordVersions {
  return must(RecordVersions.of(state, recordId), "a record named by the log has versions");
}

/** One version of a record, or undefined when there is no such record or version. */
export function findVersion(
  state: State,
  { recordId, version }: RecordVersionRef,
): VersionEntry | undefined {
  return RecordVersions.of(state, recordId)?.version(version);
}

/** The document of an event that carries it whole: a creation, or an update with `document`. */
export function wholeDocument(entry: Entry): RecordDocument {
  const { structure } = entry.header;
  const { data } = entry.payload();
  // Every stored document was validated before it was written, and its bytes were checked when read.
  if (structure.type === "record.created") {
    return completeDocument({
      ...(data as unknown as PinnedDocument),
      kind: structure.kind,
      derivedFrom: structure.edges,
    });
  }
  const document = data["document"] as PinnedDocument;
  const edges = structure.type === "record.updated" ? (structure.edges ?? []) : [];
  return completeDocument({ ...document, derivedFrom: edges });
}

/** The document after a stored patch, given the one before it. */
export function patchedDocument(before: RecordDocument, entry: Entry): RecordDocument {
  const { structure } = entry.header;
  const edges = structure.type === "record.updated" ? structure.edges : null;
  const patch = entry.payload().data["patch"] as object;
  const change = { ...patch, ...(edges !== null && { derivedFrom: edges }) };
  return completeDocument(mergePatch(before, change) as PinnedDocument);
}
