/** Erasures: records of kind `erasure` that say whose content was destroyed, and why. The store alone makes them. */
import type { RecordId, Version } from "../ids.ts";
import type { NewDocument } from "./document.ts";
import type { RecordedEvent } from "./event.ts";
import { isPlainObject } from "./json.ts";

/** The kind of the records that say what was erased. */
export const erasureKind = "erasure";

/** A range of versions whose events were erased. */
export interface ErasedVersions {
  readonly recordId: RecordId;
  readonly versions: { readonly from: Version; readonly to: Version };
}

/** What was erased, and why. */
export interface ErasureNote {
  readonly cause: string;
  readonly erased: readonly ErasedVersions[];
}

/** The document of an erasure's record. */
export function erasureDocument({ cause, erased }: ErasureNote): NewDocument {
  const [first, ...others] = new Set(erased.map(({ recordId }) => recordId));
  const more = others.length === 0 ? "" : ` and ${others.length} more`;
  return {
    kind: erasureKind,
    name: `erasure of ${first ?? "nothing"}${more}`,
    attributes: { cause, erased: erased.map((range) => ({ ...range })) },
  };
}

/** What the attributes of an erasure's record say; undefined for attributes that no store has written. */
export function readErasureNote(attributes: unknown): ErasureNote | undefined {
  if (!isPlainObject(attributes)) return undefined;
  const { cause, erased } = attributes;
  if (typeof cause !== "string" || !Array.isArray(erased)) return undefined;
  return erased.every(isErasedVersions) ? { cause, erased } : undefined;
}

/** The records whose content an event erased: none for all events but those that record an erasure. */
export function erasedRecords(event: RecordedEvent): RecordId[] {
  if (event.type !== "record.created" || event.data.kind !== erasureKind) return [];
  const note = readErasureNote(event.data.attributes);
  return note === undefined ? [] : note.erased.map(({ recordId }) => recordId);
}

function isErasedVersions(value: unknown): value is ErasedVersions {
  if (!isPlainObject(value) || !isPlainObject(value["versions"])) return false;
  const { from, to } = value["versions"];
  return (
    typeof value["recordId"] === "string" && typeof from === "number" && typeof to === "number"
  );
}
