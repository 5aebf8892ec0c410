/** Events for what people ask for in one word: bring a version back, withdraw versions, give a new record an id. */
import { createHash, randomBytes } from "node:crypto";

import { StoreError } from "../errors.ts";
import type { RecordId, Ref, Version } from "../ids.ts";
import { documentMembers, type NewDocument, type RecordDocument } from "./document.ts";
import { invalidated, type NewEvent } from "./event.ts";

type Envelope = Omit<NewEvent, "type" | "recordId" | "data">;

/** A version of a record as it was read. */
interface OldVersion extends RecordDocument {
  readonly id: RecordId;
  /** There when its content was erased. */
  readonly erased?: unknown;
}

/**
 * The event that makes a new version with the content of an old one.
 *
 * @param version the one that was read
 * @throws `content-erased`
 */
export function restored(
  old: OldVersion,
  version: Version,
  reason: string | undefined,
  envelope: Envelope = {},
): NewEvent {
  if (old.erased !== undefined) {
    throw new StoreError(
      "content-erased",
      `The content of version ${version} of record ${JSON.stringify(old.id)} has been erased.`,
      {
        hint: `What was erased cannot come back; who erased it and why: sennit show ${old.id}@${version}`,
        details: { recordId: old.id, version },
      },
    );
  }
  const document = Object.fromEntries(
    documentMembers.map((member) => [member, old[member]]),
  ) as unknown as NewDocument;
  const data = { document, restores: version, reason };
  return { ...envelope, type: "record.updated", recordId: old.id, data };
}

/**
 * The event that withdraws the version of a ref alone, or it and all later ones; all so far when the ref names none.
 *
 * @param since with a version: it and all later ones
 */
export function withdrawn(
  { target, version }: Ref,
  { cause, since }: { readonly cause: string; readonly since: boolean },
  envelope: Envelope = {},
): NewEvent {
  const versions =
    version === undefined
      ? undefined
      : since
        ? { from: version, to: undefined }
        : { from: version, to: version };
  return invalidated(target, { cause, versions }, envelope);
}

const letters = "abcdefghjkmnpqrstuvwxyz23456789";

/**
 * An id for a new record: the kind, and ten letters.
 *
 * @param key makes the letters the same at every call with it; default: random ones
 */
export function newRecordId(kind: string, key?: string): RecordId {
  // An id that started with a dash would read as a flag.
  const word =
    kind
      .replaceAll(/[^\p{L}\p{N}]+/gu, "-")
      .replace(/^-/, "")
      .slice(0, 40) || "record";
  const bytes =
    key === undefined
      ? randomBytes(40)
      : createHash("sha512")
          .update(JSON.stringify([kind, key]))
          .digest();
  const tail = Array.from(
    { length: 10 },
    (_, index) => letters[bytes.readUInt32BE(index * 4) % letters.length],
  ).join("");
  return `${word.toWellFormed()}-${tail}`;
}
