/** The steps of an import: what a run, its streams and their rows become in the store. */
import {
  isPlainObject,
  limits,
  type DocumentPatch,
  type EventId,
  type JsonValue,
  type NewDocument,
  type RecordDocument,
  type RecordId,
  type TagValue,
} from "@sennit/core";

import type { BlueskyDocument } from "./documents.ts";
import type { JsonObject } from "./members.ts";
import { uuidFrom } from "./uuid.ts";

interface StepBase {
  readonly recordId: RecordId;
  /** Follows from the uids of the documents alone. */
  readonly eventId: EventId;
  readonly occurredAt: string | undefined;
  /** The document it comes from: its place in the file, and the pointer to it. */
  readonly index: number;
  readonly pointer: string;
}

/** Makes a record. */
export interface CreateStep extends StepBase {
  readonly type: "create";
  readonly document: NewDocument;
  /** The run that a stream is derived from. */
  readonly runId?: RecordId | undefined;
}

/** Makes the next version of a record from the one before it. */
export interface UpdateStep extends StepBase {
  readonly type: "update";
  /** Undefined when the version before says as much already. */
  readonly change: (before: RecordDocument) => Change | undefined;
}

export type Step = CreateStep | UpdateStep;

/** The document after an update, and the merge patch that says the same where there is one. */
interface Change {
  readonly after: RecordDocument;
  readonly patch?: DocumentPatch | undefined;
}

/**
 * Members of a start document that become tags of its run when they are text (up to the store's bound), numbers or
 * booleans. The tag `exit_status` joins them when the run stops.
 */
const runTagMembers = [
  "plan_name",
  "scan_id",
  "sample",
  "sample_name",
  "beamline_id",
  "proposal_id",
] as const;

/** A start document makes a run: its attributes are the document, its name is `PLAN-SCAN` where both are there. */
export function startStep(document: BlueskyDocument, runId: RecordId, time: string): CreateStep {
  const { body, index, pointer } = document;
  const tags: Record<string, TagValue> = {};
  for (const member of runTagMembers) {
    const value = tagValue(body[member]);
    if (value !== undefined) tags[member] = value;
  }
  return {
    type: "create",
    recordId: runId,
    eventId: blueskyId("start", runId),
    occurredAt: time,
    index,
    pointer,
    document: { kind: "run", name: runName(body, runId), tags, attributes: toJson(body) },
  };
}

function runName(start: JsonObject, runId: RecordId): string {
  const parts = [tagValue(start["plan_name"]), tagValue(start["scan_id"])];
  const name = parts.filter((part) => part !== undefined && part !== "").join("-");
  const isFit = name !== "" && !/\n|\r|\t/.test(name);
  return isFit && Buffer.byteLength(name) <= limits.nameBytesMax ? name : runId;
}

// eslint-disable-next-line no-control-regex -- control characters are what this pattern is about
const controls = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/u;

/** The value as a tag, or undefined when no tag can hold it; the attributes hold it all the same. */
function tagValue(value: unknown): TagValue | undefined {
  if (typeof value === "number" || typeof value === "boolean") return value;
  if (typeof value !== "string" || controls.test(value)) return undefined;
  return Buffer.byteLength(value) <= limits.tagValueBytesMax ? value : undefined;
}

/** The first descriptor of a stream makes the stream: its attributes are the document. */
export function streamStep(
  { body, index, pointer }: BlueskyDocument,
  stream: { readonly runId: RecordId; readonly recordId: RecordId; readonly name: string },
  time: string,
): CreateStep {
  return {
    type: "create",
    recordId: stream.recordId,
    eventId: blueskyId("descriptor", String(body["uid"])),
    occurredAt: time,
    index,
    pointer,
    document: { kind: "stream", name: stream.name, attributes: toJson(body) },
    runId: stream.runId,
  };
}

/**
 * A later descriptor takes the place of the one before it; what else the attributes hold, such as the row count,
 * stays. It is written as a whole document, since a merge patch would mix the two.
 */
export function descriptorStep(
  { body, index, pointer }: BlueskyDocument,
  recordId: RecordId,
  previous: JsonObject,
  time: string,
): UpdateStep {
  return {
    type: "update",
    recordId,
    eventId: blueskyId("descriptor", String(body["uid"])),
    occurredAt: time,
    index,
    pointer,
    change: (before) => {
      const others = Object.entries(objectOf(before.attributes)).filter(
        ([member]) => !Object.hasOwn(previous, member),
      );
      return {
        after: { ...before, attributes: { ...Object.fromEntries(others), ...toJson(body) } },
      };
    },
  };
}

/**
 * A stop document becomes the member `stop` of the run's attributes, and its `exit_status` a tag. A start document's
 * own member `stop` stays in the version before.
 */
export function stopStep(
  { body, index, pointer }: BlueskyDocument,
  runId: RecordId,
  time: string,
): UpdateStep {
  const exitStatus = tagValue(body["exit_status"]);
  const tags = exitStatus === undefined ? {} : { exit_status: exitStatus };
  const stop = toJson(body);
  return {
    type: "update",
    recordId: runId,
    eventId: blueskyId("stop", String(body["uid"])),
    occurredAt: time,
    index,
    pointer,
    change: (before) => {
      const attributes = objectOf(before.attributes);
      // A merge patch takes null for "remove" and mixes with what is there, so it cannot say everything.
      const patchSays = !holdsNull(body) && !Object.hasOwn(attributes, "stop");
      return {
        after: {
          ...before,
          tags: { ...before.tags, ...tags },
          attributes: { ...attributes, stop },
        },
        patch: patchSays ? { tags, attributes: { stop } } : undefined,
      };
    },
  };
}

function holdsNull(value: unknown): boolean {
  // Arrays are replaced whole by a merge patch, so what they hold is safe.
  return value === null || (isPlainObject(value) && Object.values(value).some(holdsNull));
}

/** A count that grows with the file: rows of a stream, or documents about files outside. */
export interface Tally {
  readonly recordId: RecordId;
  /** The attribute it stands in. */
  readonly member: string;
  readonly count: number;
  readonly summary: JsonValue;
  /** Digest of the uids counted. */
  readonly uidsDigest: string;
  readonly occurredAt: string | undefined;
  readonly index: number;
  readonly pointer: string;
}

/**
 * A tally becomes one member of the record's attributes. A shorter file of a run that the store knows longer adds
 * nothing, so that files may be imported in any order.
 */
export function tallyStep(tally: Tally): UpdateStep {
  const { recordId, member, count, summary, occurredAt, index, pointer } = tally;
  return {
    type: "update",
    recordId,
    eventId: blueskyId(member, `${recordId} ${tally.uidsDigest}`),
    occurredAt,
    index,
    pointer,
    change: (before) => {
      const attributes = objectOf(before.attributes);
      const known = attributes[member];
      const knownCount = isPlainObject(known) ? known["count"] : undefined;
      if (typeof knownCount === "number" && knownCount > count) return undefined;
      return {
        after: { ...before, attributes: { ...attributes, [member]: summary } },
        patch: { attributes: { [member]: summary } },
      };
    },
  };
}

function objectOf(attributes: JsonValue): Readonly<Record<string, JsonValue>> {
  return isPlainObject(attributes) ? attributes : {};
}

/** A document was parsed from JSON and checked, so it is JSON. */
function toJson(body: JsonObject): Readonly<Record<string, JsonValue>> {
  return body as Readonly<Record<string, JsonValue>>;
}

function blueskyId(what: string, text: string): EventId {
  return uuidFrom(`sennit bluesky ${what} ${text}`);
}
