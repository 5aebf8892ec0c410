/** Questions about one record's versions in one state: which stood when, which are withdrawn, what they hold. */
import { must } from "../assert.ts";
import type { Entry } from "../codec/entry.ts";
import { blockVersionsMax, type VersionBlock, type VersionEntry } from "../codec/version-block.ts";
import { StoreError } from "../errors.ts";
import {
  completeDocument,
  contentDigest,
  type PinnedDocument,
  type RecordDocument,
} from "../event/document.ts";
import type { Position, RecordId, Version } from "../ids.ts";
import type { State } from "./state.ts";

/** The block with a given index, given the newest one. */
function blockAt(
  state: State,
  recordId: RecordId,
  newest: VersionBlock,
  index: number,
): VersionBlock {
  if (index === newest.index) return newest;
  const block = state.olderBlock(recordId, index);
  if (block !== undefined) return block;
  throw new StoreError(
    "log-gap",
    `Versions of record ${JSON.stringify(recordId)} are missing from the store.`,
    {
      details: { recordId, firstVersion: index * blockVersionsMax + 1 },
    },
  );
}

/** The last version of a record at or before a position. O(log versions). */
export function versionAsOf(
  state: State,
  recordId: RecordId,
  asOf: Position,
): VersionEntry | undefined {
  const newest = state.block(recordId);
  if (newest === undefined || newest.createdPosition > asOf) return undefined;
  if (newest.firstPosition <= asOf) return newest.entry(newest.versionAt(asOf));
  let low = 0;
  let high = newest.index - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (blockAt(state, recordId, newest, middle).firstPosition <= asOf) low = middle;
    else high = middle - 1;
  }
  const block = blockAt(state, recordId, newest, low);
  return block.entry(block.versionAt(asOf));
}

/** One version of a record, if the record had it by that position. */
export function versionEntry(
  state: State,
  recordId: RecordId,
  version: Version,
  asOf: Position = Infinity,
): VersionEntry | undefined {
  const newest = state.block(recordId);
  if (newest === undefined || version < 1 || version > newest.lastVersion) return undefined;
  const index = Math.floor((version - 1) / blockVersionsMax);
  const entry = blockAt(state, recordId, newest, index).entry(version);
  return entry.position <= asOf ? entry : undefined;
}

/** A record's versions up to a position, oldest first. */
export function* versionsUpTo(
  state: State,
  recordId: RecordId,
  asOf: Position,
): Generator<VersionEntry> {
  const newest = state.block(recordId);
  if (newest === undefined) return;
  for (let index = 0; index <= newest.index; index += 1) {
    const block = blockAt(state, recordId, newest, index);
    for (let version = block.firstVersion; version <= block.lastVersion; version += 1) {
      const entry = block.entry(version);
      if (entry.position > asOf) return;
      yield entry;
    }
  }
}

/** The first invalidation that withdraws a content version, at or before a position. */
export function withdrawalOf(
  state: State,
  recordId: RecordId,
  contentVersion: Version,
  asOf: Position = Infinity,
): VersionEntry | undefined {
  const newest = must(state.block(recordId), "a version's record has a block");
  const start = Math.floor((contentVersion - 1) / blockVersionsMax);
  for (let index = start; index <= newest.index; index += 1) {
    const block = blockAt(state, recordId, newest, index);
    if (block.firstPosition > asOf) return undefined;
    const withdrawal = block.withdrawalOf(contentVersion, asOf);
    if (withdrawal !== undefined) return withdrawal;
  }
  return undefined;
}

/** The document a version holds. */
export function documentOf(state: State, recordId: RecordId, entry: VersionEntry): RecordDocument {
  const position = entry.contentPosition;
  if (entry.patched) {
    const document = state.patchedDocument(position);
    if (document !== undefined) return document;
  } else {
    const event = state.entry(position);
    if (event !== undefined && event.header.recordId === recordId) return wholeDocument(event);
  }
  throw new StoreError(
    "log-gap",
    `The content of ${recordId}@${entry.contentVersion} is missing from the store.`,
    {
      details: { recordId, version: entry.contentVersion, position },
    },
  );
}

/** The document of an event that carries it whole: a creation, or an update with `document`. */
function wholeDocument(entry: Entry): RecordDocument {
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

/** True when two versions of a record hold the same content (uris, artifacts, attributes, derivedFrom). */
export function sameContent(
  state: State,
  recordId: RecordId,
  a: VersionEntry,
  b: VersionEntry,
): boolean {
  if (a.contentVersion === b.contentVersion) return true;
  const digest = (entry: VersionEntry) =>
    entry.digest ?? contentDigest(documentOf(state, recordId, entry));
  return digest(a).equals(digest(b));
}
