/** An entry as a line for people: the event as `sennit log --json` prints it, and what is missing there to make its bytes again. */
import { must } from "../assert.ts";
import { decodeBase64, encodeBase64 } from "../checkpoint/base64.ts";
import type { EntryHeader, EntryStructure, EventOrigin } from "../codec/entry-header.ts";
import { encodeEntry, Entry, type EntryPayload } from "../codec/entry.ts";
import { isStoreError } from "../errors.ts";
import type { Derivation } from "../event/document.ts";
import type { InvalidationRoot, RecordedEvent } from "../event/event.ts";
import { isPlainObject, jsonEqual } from "../event/json.ts";
import type { Position, RecordVersionRef, Version } from "../ids.ts";
import { parseTimestamp } from "../timestamp.ts";
import { bytesOfHex, importError } from "./items.ts";

type Members = Readonly<Record<string, unknown>>;

/** The members that stand in the header, or say something of the whole entry. What is left is the envelope. */
const placeMembers = new Set([
  "position",
  "id",
  "type",
  "recordId",
  "version",
  "recordedAt",
  "data",
  "hash",
  "origin",
  "salt",
  "documentDigest",
  "bytes",
]);

/** The entry as the members of a line. */
export function entryMembers(entry: Entry): Members {
  const event = entry.event();
  const members = { ...event, ...restOf(entry) };
  // JSON cannot say everything that old or erased entries hold: those carry their bytes.
  return isSame(entry, members) ? members : { ...event, bytes: bytesOf(entry) };
}

function restOf(entry: Entry): Members {
  const { origin, structure } = entry.header;
  const { salt } = entry;
  const digest = structure.type === "record.updated" ? structure.documentDigest : null;
  return {
    origin,
    ...(salt !== undefined && { salt: encodeBase64(salt) }),
    ...(digest !== null && { documentDigest: Buffer.from(digest).toString("hex") }),
  };
}

function bytesOf(entry: Entry): Members {
  return {
    header: encodeBase64(entry.headerBytes),
    payload: encodeBase64(entry.payloadBytes),
  };
}

/** True when a reader of the line would make the same bytes. */
function isSame(entry: Entry, members: Members): boolean {
  if (entry.erasure !== undefined) return false;
  const made = entryFrom(JSON.parse(JSON.stringify(members)) as Members);
  return (
    Buffer.compare(made.headerBytes, entry.headerBytes) === 0 &&
    Buffer.compare(made.payloadBytes, entry.payloadBytes) === 0
  );
}

/**
 * The entry that a line stands for.
 *
 * @param line its number in the file
 * @throws `import-invalid` for a line that is no event; `import-tampered` for one whose hash is another
 */
export function entryOfMembers(members: Members, line: number): Entry {
  const entry = read(members, line);
  if (entry.leafHash().toString("hex") !== members["hash"]) {
    throw importError("import-tampered", line, "does not have the hash it says");
  }
  return entry;
}

function read(members: Members, line: number): Entry {
  try {
    if (members["bytes"] === undefined) return entryFrom(members);
    return ofBytes(members, line);
  } catch (error) {
    if (isStoreError(error)) throw error;
    throw importError("import-invalid", line, "is no event", error);
  }
}

/** What a line says beside its bytes must be what they say. */
function ofBytes({ bytes, ...said }: Members, line: number): Entry {
  const { header, payload } = bytes as { readonly header: string; readonly payload: string };
  const [headerBytes, payloadBytes] = [decodeBase64(header), decodeBase64(payload)];
  if (headerBytes === undefined || payloadBytes === undefined) {
    throw importError("import-invalid", line, "holds bytes that are no base64");
  }
  const position = said["position"] as Position;
  const entry = Entry.fromParts(position, Buffer.from(headerBytes), Buffer.from(payloadBytes));
  if (jsonEqual(JSON.parse(JSON.stringify(entry.event())), said)) return entry;
  throw importError("import-tampered", line, "does not say what its bytes say");
}

/** Makes an entry from what a line says, encoded anew. What is said wrongly fails by its type or by its hash. */
function entryFrom(members: Members): Entry {
  const { position, id, type, recordId, version, recordedAt, data, origin } = members;
  const [structure, rest] = splitData(
    type as RecordedEvent["type"],
    data as Members,
    members["documentDigest"] as string | undefined,
  );
  const header: EntryHeader = {
    position: position as Position,
    recordedAtUs: parseTimestamp(recordedAt as string) ?? Number.NaN,
    origin: origin as EventOrigin,
    id: id as string,
    recordId: recordId as string,
    version: version as Version,
    structure,
  };
  const envelope = Object.fromEntries(
    Object.entries(members).filter(([name]) => !placeMembers.has(name)),
  );
  const payload = { ...envelope, data: rest } satisfies EntryPayload;
  return encodeEntry(
    header,
    payload,
    must(decodeBase64(members["salt"] as string), "a salt is base64"),
  ).entry;
}

/** Takes what the header holds out of an event's data. */
function splitData(
  type: RecordedEvent["type"],
  data: Members,
  documentDigest: string | undefined,
): [EntryStructure, Members] {
  if (type === "record.created") {
    const { kind, derivedFrom = [], ...rest } = data;
    return [{ type, kind: kind as string, edges: derivedFrom as Derivation[] }, rest];
  }
  if (type === "record.updated") {
    const { restores = null, ...rest } = data;
    const [name, whole] = isPlainObject(data["patch"])
      ? (["patch", data["patch"]] as const)
      : (["document", data["document"] as Members] as const);
    const { derivedFrom = null, ...content } = whole;
    const structure: EntryStructure = {
      type,
      edges: derivedFrom as Derivation[] | null,
      restores: restores as Version | null,
      documentDigest: documentDigest === undefined ? null : bytesOfHex(documentDigest),
    };
    return [structure, { ...rest, [name]: content }];
  }
  if (type !== "record.invalidated") throw new Error(`${String(type)} is no type of events`);
  const { versions, root = null, via = null, ...rest } = data;
  const { from, to } = versions as { readonly from: Version; readonly to: Version };
  const structure: EntryStructure = {
    type,
    from,
    to,
    root: root as InvalidationRoot | null,
    via: via as RecordVersionRef | null,
  };
  return [structure, rest];
}
