/** Answers `blame`: which event set each field of a version's document. */
import { setImmediate } from "node:timers/promises";

import { throwIfAborted } from "../abort.ts";
import { must } from "../assert.ts";
import type { VersionEntry } from "../codec/version-block.ts";
import { pointerSegment } from "../event/checker.ts";
import { documentMembers, type RecordDocument } from "../event/document.ts";
import { isPlainObject, jsonEqual, type JsonValue } from "../event/json.ts";
import { mustHaveEntry, type State } from "../records/state.ts";
import type { RecordVersions } from "../records/versions.ts";
import { formatTimestamp } from "../timestamp.ts";
import type { Blame, BlameField, BlameOptions, BlameSetter } from "./reader.ts";
import { erasureView } from "./record-view.ts";
import { mustFindRef, type ReadScope } from "./scope.ts";

/** Members that headers keep when content is erased. */
const keptMembers: readonly (keyof RecordDocument)[] = ["kind", "derivedFrom"];

/** Versions looked at between two turns of the event loop. */
const versionsPerTurn = 256;

/** A part of the document; open until it is known which version set it. */
interface Part {
  readonly pointer: string;
  readonly value: unknown;
  /** The version that made it what it is. */
  setBy: VersionEntry | undefined;
  /** The version before the setter was erased, so it may have been the same there. */
  isErasedBefore: boolean;
  /** The members of an object that were set by several versions, or may have been. */
  members: readonly Part[] | undefined;
}

/** Walks back from the version until every part is known to have been otherwise, or not there. */
export async function answerBlame(
  scope: ReadScope,
  ref: string,
  { signal }: BlameOptions,
): Promise<Blame> {
  const { state, asOf } = scope;
  const { versions, entry } = mustFindRef(scope, ref);
  let at = contentEntry(versions, entry);
  const document = versions.document(at);
  const named = at.erased ? keptMembers : documentMembers;
  const parts = named.map((member) => openPart(`/${member}`, document[member]));
  for (let turn = 1; parts.some(isOpen); turn += 1) {
    const before = at.version === 1 ? undefined : versionBefore(versions, at);
    const earlier = before === undefined ? undefined : versions.document(before);
    for (const [index, member] of named.entries()) {
      const part = must(parts[index], "a part for each member");
      const isErasedBefore = before?.erased === true && !keptMembers.includes(member);
      if (isErasedBefore) settle(part, at, true);
      else if (earlier === undefined) settle(part, at, false);
      else compare(part, earlier[member], at);
    }
    if (before === undefined) break;
    at = before;
    if (turn % versionsPerTurn === 0) await setImmediate();
    throwIfAborted(signal);
  }
  const { recordId } = versions;
  const setters = new Setters(state);
  const fields = parts.flatMap((part) => fieldsOf(part, setters));
  return {
    of: { recordId, version: entry.version },
    asOf,
    fields,
    ...(entry.erased && { erased: erasureView(state, entry) }),
  };
}

function contentEntry(versions: RecordVersions, entry: VersionEntry): VersionEntry {
  if (entry.version === entry.contentVersion) return entry;
  return must(versions.version(entry.contentVersion), "a content version is stored");
}

/** The content version before another one. */
function versionBefore(versions: RecordVersions, { version }: VersionEntry): VersionEntry {
  return contentEntry(versions, must(versions.version(version - 1), "versions have no gaps"));
}

function openPart(pointer: string, value: unknown): Part {
  return { pointer, value, setBy: undefined, isErasedBefore: false, members: undefined };
}

function isOpen({ setBy, members }: Part): boolean {
  if (setBy !== undefined) return false;
  return members === undefined || members.some(isOpen);
}

/** Every open part under this one was set by the version. */
function settle(part: Part, by: VersionEntry, isErasedBefore: boolean): void {
  if (part.setBy !== undefined) return;
  if (part.members === undefined) {
    part.setBy = by;
    part.isErasedBefore = isErasedBefore;
    return;
  }
  for (const member of part.members) settle(member, by, isErasedBefore);
}

/**
 * Settles what the version before did not hold. An object of which some members were there before is taken apart: one
 * of which every member came with the same version stays whole.
 */
function compare(part: Part, before: unknown, by: VersionEntry): void {
  if (part.setBy !== undefined) return;
  const { value, members } = part;
  if (members !== undefined) {
    const earlier = isPlainObject(before) ? before : {};
    for (const member of members) compareMember(member, earlier, by);
    return;
  }
  if (jsonEqual(value, before)) return;
  if (!isPlainObject(value) || !isPlainObject(before)) {
    part.setBy = by;
    return;
  }
  const taken = Object.entries(value).map(([key, member]) =>
    openPart(`${part.pointer}/${pointerSegment(key)}`, member),
  );
  for (const member of taken) compareMember(member, before, by);
  if (taken.every((member) => member.setBy === by)) part.setBy = by;
  else part.members = taken;
}

function compareMember(member: Part, before: Readonly<Record<string, unknown>>, by: VersionEntry) {
  const key = keyOf(member.pointer);
  if (Object.hasOwn(before, key)) compare(member, before[key], by);
  else settle(member, by, false);
}

function keyOf(pointer: string): string {
  const segment = pointer.slice(pointer.lastIndexOf("/") + 1);
  return segment.replaceAll("~1", "/").replaceAll("~0", "~");
}

function fieldsOf(part: Part, setters: Setters): BlameField[] {
  if (part.members !== undefined)
    return part.members.flatMap((member) => fieldsOf(member, setters));
  const { pointer, value, isErasedBefore } = part;
  const by = must(part.setBy, "a part that is there was set by some version");
  return [
    {
      pointer,
      value: value as JsonValue,
      ...setters.of(by),
      ...(isErasedBefore && { isErasedBefore }),
    },
  ];
}

/** What each event says of itself, read once. */
class Setters {
  readonly #state: State;
  readonly #known = new Map<number, BlameSetter>();

  constructor(state: State) {
    this.#state = state;
  }

  of({ version, position, recordedAtUs, type, erased }: VersionEntry): BlameSetter {
    const known = this.#known.get(position);
    if (known !== undefined) return known;
    const entry = mustHaveEntry(this.#state, position);
    const { structure, id } = entry.header;
    const { actor, data } = entry.payload();
    const reason = data["reason"];
    const setter: BlameSetter = {
      version,
      position,
      recordedAt: formatTimestamp(recordedAtUs),
      eventId: id,
      type: type === "record.created" ? type : "record.updated",
      actor: actor ?? null,
      reason: typeof reason === "string" ? reason : null,
      restores: structure.type === "record.updated" ? structure.restores : null,
      ...(erased && { isErased: true as const }),
    };
    this.#known.set(position, setter);
    return setter;
  }
}
