/** Builds the public form of a record version as it stood at a position. */
import { assert, must } from "../assert.ts";
import type { VersionEntry } from "../codec/version-block.ts";
import type { RecordDocument } from "../event/document.ts";
import { readErasureNote } from "../event/erasure.ts";
import type { Position } from "../ids.ts";
import { mustHaveEntry, type State } from "../records/state.ts";
import { mustHaveVersions, type RecordVersions } from "../records/versions.ts";
import { formatTimestamp } from "../timestamp.ts";
import type { ErasureView, InvalidationView, RecordView } from "./reader.ts";

/** The version as a record view, its status and staleness as of a position. */
export function recordView(
  state: State,
  versions: RecordVersions,
  entry: VersionEntry,
  asOf: Position,
): RecordView {
  const event = mustHaveEntry(state, entry.position);
  const document = versions.document(entry, event);
  const { occurredAt, actor } = event.payload();
  const invalidation = invalidationView(state, versions, entry, asOf);
  const { kind, name, tags, uris, attributes, artifacts, onInvalidate, derivedFrom } = document;
  return {
    id: versions.recordId,
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
    createdAt: formatTimestamp(versions.createdAtUs),
    recordedAt: formatTimestamp(entry.recordedAtUs),
    occurredAt: occurredAt ?? null,
    actor: actor ?? null,
    position: entry.position,
    invalidation,
    ...(entry.erased && { erased: erasureView(state, entry) }),
  };
}

/** Which event erased the content of a version. */
export function erasureView(state: State, { contentPosition }: VersionEntry): ErasureView {
  const { erasure } = mustHaveEntry(state, contentPosition);
  const { erasedBy: position } = must(erasure, "erased content says by which event");
  const event = mustHaveEntry(state, position);
  const note = readErasureNote(event.payload().data["attributes"]);
  return {
    recordId: event.header.recordId,
    position,
    recordedAt: formatTimestamp(event.header.recordedAtUs),
    cause: note?.cause ?? "",
  };
}

function invalidationView(
  state: State,
  versions: RecordVersions,
  entry: VersionEntry,
  asOf: Position,
): InvalidationView | null {
  const withdrawal = versions.withdrawalOf(entry.contentVersion, asOf);
  if (withdrawal === undefined) return null;
  const event = mustHaveEntry(state, withdrawal.position);
  const { structure, id } = event.header;
  assert(structure.type === "record.invalidated", "a withdrawal is an invalidation");
  return {
    cause: String(event.payload().data["cause"]),
    position: withdrawal.position,
    recordedAt: formatTimestamp(withdrawal.recordedAtUs),
    root: structure.root ?? { eventId: id, recordId: versions.recordId },
    via: structure.via,
  };
}

/** S11: some source's current content differs from the pinned one. */
function isStale(state: State, document: RecordDocument, asOf: Position): boolean {
  return document.derivedFrom.some(
    ({ recordId, version }) => !mustHaveVersions(state, recordId).isCurrentContent(version, asOf),
  );
}
