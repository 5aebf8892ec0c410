/**
 * Versions of the entry format, and what makes a header of an older one into one of the newest.
 *
 * Stored bytes are never rewritten: leaf hashes cover them as they are. An upcaster is a pure function from the members
 * of one version to those of the next, so reading a header of any version ends in the same shape.
 */
import { StoreError } from "../errors.ts";
import type { Position } from "../ids.ts";

/** The version of the entry format that is written, first member of every header. */
export const entryFormat = 2;

/** The members of a stored header in the newest version; `structure` is read by the event's type. */
export type StoredHeader = [
  format: number,
  position: number,
  recordedAtUs: number,
  type: number,
  origin: number,
  id: Uint8Array,
  recordId: string,
  version: number,
  structure: unknown,
  payloadDigest: Uint8Array,
];

type Upcaster = (header: StoredHeader) => StoredHeader;

const updatedType = 2;

/** The upcaster at index n - 1 leads from version n to n + 1. */
const upcasters: readonly Upcaster[] = [addDocumentDigest];

/** Version 1 did not commit to the document that a patch makes. */
function addDocumentDigest(header: StoredHeader): StoredHeader {
  const [, position, recordedAtUs, type, origin, id, recordId, version, structure, digest] = header;
  const after = type === updatedType ? [...(structure as unknown[]), null] : structure;
  return [2, position, recordedAtUs, type, origin, id, recordId, version, after, digest];
}

/** The same header in the newest version. @throws `format-too-new`, `entry-unreadable` for no version at all */
export function upcastHeader(position: Position, header: StoredHeader): StoredHeader {
  const [format] = header;
  if (format > entryFormat) {
    throw new StoreError(
      "format-too-new",
      `Log entry ${position} has format ${format}; this Sennit reads up to ${entryFormat}.`,
      { details: { position, format } },
    );
  }
  if (!Number.isInteger(format) || format < 1) {
    throw new StoreError("entry-unreadable", `Log entry ${position} has no format.`, {
      details: { position },
    });
  }
  return upcasters.slice(format - 1).reduce((current, upcast) => upcast(current), header);
}
