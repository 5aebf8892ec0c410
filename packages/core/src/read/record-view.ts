/** Builds the public form of a record version as it stood at a position. */
import { assert, must } from "../assert.ts";
import type { Entry } from "../codec/entry.ts";
import type { VersionEntry } from "../codec/version-block.ts";
import { placeholderKind, type RecordDocument } from "../event/document.ts";
import type { Position, RecordId } from "../ids.ts";
import type { State } from "../records/state.ts";
import {
  documentOf,
  sameContent,
  versionAsOf,
  versionEntry,
  versionsUpTo,
  withdrawalOf,
} from "../records/versions.ts";
import { formatTimestamp } from "../timestamp.ts";
import type { InvalidationView, RecordView } from "./reader.ts";

/** The version as a record view, its status and staleness as of a position. */
export function recordView(
  state: State,
  recordId: RecordId,
  entry: VersionEntry,
  asOf: Position,
): RecordView {
  const document = documentOf(state, recordId, entry);
  const event = must(state.entry(entry.position), "a version has its event").payload();
  const invalidation = invalidationView(state, recordId, entry, asOf);
  const { kind, name, tags, uris, attributes, artifacts, onInvalidate, derivedFrom } = document;
  return {
    id: recordId,
    kind,
    name,
    version: entry.version,
    status: invalidation === null ? "valid" : "invalid",
    stale: invalidation === null && isStale(state, document, asOf),
    tags,
    uris,
    attributes,
    artifacts,
    onInvalidate,
    derivedFrom,
    createdAt: formatTimestamp(must(state.block(recordId), "a version has a block").createdAtUs),
    recordedAt: formatTimestamp(entry.recordedAtUs),
    occurredAt: event.occurredAt ?? null,
    actor: event.actor ?? null,
    position: entry.position,
    invalidation,
  };
}

function invalidationView(
  state: State,
  recordId: RecordId,
  entry: VersionEntry,
  asOf: Position,
): InvalidationView | null {
  const withdrawal = withdrawalOf(state, recordId, entry.contentVersion, asOf);
  if (withdrawal === undefined) return null;
  const event: Entry = must(state.entry(withdrawal.position), "a withdrawal has its event");
  const { structure, id } = event.header;
  assert(structure.type === "record.invalidated", "a withdrawal is an invalidation");
  return {
    cause: String(event.payload().data["cause"]),
    position: withdrawal.position,
    recordedAt: formatTimestamp(withdrawal.recordedAtUs),
    root: structure.root ?? { eventId: id, recordId },
    via: structure.via,
  };
}

/** S11: some source's current content differs from the pinned one. */
function isStale(state: State, document: RecordDocument, asOf: Position): boolean {
  return document.derivedFrom.some(
    ({ recordId, version }) => !isCurrentContent(state, recordId, version, asOf),
  );
}

/** True when a pinned version still holds what the record's current version holds. */
export function isCurrentContent(
  state: State,
  recordId: RecordId,
  version: number,
  asOf: Position,
): boolean {
  const current = must(versionAsOf(state, recordId, asOf), "a pinned source exists");
  if (current.version === version) return true;
  const pinned = must(versionEntry(state, recordId, version), "a pinned version exists");
  return sameContent(state, recordId, effective(state, recordId, pinned, asOf), current);
}

/** A placeholder stands for the creation that filled it, once there is one. */
function effective(
  state: State,
  recordId: RecordId,
  pinned: VersionEntry,
  asOf: Position,
): VersionEntry {
  if (documentOf(state, recordId, pinned).kind !== placeholderKind) return pinned;
  for (const entry of versionsUpTo(state, recordId, asOf)) {
    if (entry.version > pinned.version && entry.type === "record.created") return entry;
  }
  return pinned;
}
