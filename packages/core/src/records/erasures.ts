/** What the records of erasures say of the versions they name, and whether those are as they say. */
import type { Entry } from "../codec/entry.ts";
import { StoreError } from "../errors.ts";
import { contentDigestBytes } from "../event/document.ts";
import {
  erasureKind,
  readErasureNote,
  type ErasedVersions,
  type ErasureNote,
} from "../event/erasure.ts";
import type { RecordId, RecordVersionRef, Version } from "../ids.ts";
import { mustHaveEntry, type State } from "./state.ts";
import { RecordVersions } from "./versions.ts";

/** What an event says of what was erased; undefined for an event that records no erasure. */
export function erasureNoteOf(entry: Entry): ErasureNote | undefined {
  const { structure } = entry.header;
  if (structure.type !== "record.created" || structure.kind !== erasureKind) return undefined;
  if (entry.erasure !== undefined) return undefined;
  return readErasureNote(entry.payload().data["attributes"]);
}

/** The versions that a note names, by record. */
export type NamedVersions = ReadonlyMap<RecordId, readonly ErasedVersions["versions"][]>;

/** A note as it is asked whether it names a version; that of no erasure names none. */
export function namedVersions(note: ErasureNote | undefined): NamedVersions {
  const named = new Map<RecordId, ErasedVersions["versions"][]>();
  for (const { recordId, versions } of note?.erased ?? []) {
    const ranges = named.get(recordId);
    if (ranges === undefined) named.set(recordId, [versions]);
    else ranges.push(versions);
  }
  return named;
}

/** True when a version is named. */
export function isNamed(named: NamedVersions, { recordId, version }: RecordVersionRef): boolean {
  return (named.get(recordId) ?? []).some(({ from, to }) => from <= version && version <= to);
}

/** True when what stands in the place of the content is what an erasure writes there: a later position, and a tag. */
export function hasErasureForm({ header: { position, structure }, erasure }: Entry): boolean {
  if (erasure === undefined) return false;
  const { erasedBy, contentTag } = erasure;
  if (!Number.isSafeInteger(erasedBy) || erasedBy <= position) return false;
  if (structure.type === "record.invalidated") return contentTag === null;
  return (
    contentTag instanceof Uint8Array &&
    contentTag.length === contentDigestBytes &&
    // A row of zeros stands for content whose digest is not stored.
    contentTag.some((byte) => byte !== 0)
  );
}

/**
 * The entries that an event names as erased and that are not, or only by an earlier erasure. None for an event that
 * records no erasure.
 *
 * @throws `entry-unreadable` for a record of an erasure that names versions which did not stand before it
 */
export function* notYetErased(state: State, erasure: Entry): Generator<Entry> {
  const note = erasureNoteOf(erasure);
  if (note === undefined) return;
  const { position } = erasure.header;
  const lastOf = new Map<RecordId, Version>();
  for (const { recordId, versions: range } of note.erased) {
    const versions = RecordVersions.of(state, recordId);
    const after = lastOf.get(recordId) ?? 0;
    const isRange =
      Number.isSafeInteger(range.from) && after < range.from && range.from <= range.to;
    const last = isRange ? versions?.version(range.to, position - 1) : undefined;
    if (versions === undefined || last === undefined) {
      throw new StoreError(
        "entry-unreadable",
        `The erasure at position ${position} names versions of ${JSON.stringify(recordId)} that are not there.`,
        { details: { position } },
      );
    }
    lastOf.set(recordId, range.to);
    for (let version = range.from; version <= range.to; version += 1) {
      const at = versions.version(version)?.position ?? 0;
      const entry = mustHaveEntry(state, at);
      if ((entry.erasure?.erasedBy ?? 0) < position) yield entry;
    }
  }
}
