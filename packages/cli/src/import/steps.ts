/** The steps of an import: what the start and stop of a run and the descriptors of its streams become in the store. */
import {
  isPlainObject,
  limits,
  type Derivation,
  type DocumentPatch,
  type EventId,
  type JsonValue,
  type RecordDocument,
  type RecordId,
  type TagValue,
  type Version,
} from "@sennit/core";

import type { BlueskyDocument } from "./documents.ts";
import type { JsonObject } from "./members.ts";
import { uuidFrom } from "./uuid.ts";

interface StepBase {
  readonly recordId: RecordId;
  /** Follows from the uids of the documents alone. */
  readonly eventId: EventId;
  /** The run whose version the step depends on. */
  readonly runId?: RecordId | undefined;
  readonly occurredAt: string | undefined;
  /** The document it comes from: its place in the file, and the pointer to it. */
  readonly index: number;
  readonly pointer: string;
}

/** Makes a record. */
export interface CreateStep extends StepBase {
  readonly type: "create";
  readonly document: (runVersion: Version) => CreatedDocument;
}

/** A document without the members that no Bluesky document fills. */
type CreatedDocument = Omit<RecordDocument, "uris" | "artifacts" | "onInvalidate">;

/** Makes the next version of a record from the one before it. */
export interface UpdateStep extends StepBase {
  readonly type: "update";
  /** Undefined when the version before says as much already. */
  readonly change: (before: RecordDocument, runVersion: Version) => Change | undefined;
}

export type Step = CreateStep | UpdateStep;

/** The document after an update, and the merge patch that says the same where there is one. */
export interface Change {
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
    document: () => ({
      kind: "run",
      name: runName(body, runId),
      tags,
      attributes: toJson(body),
      derivedFrom: [],
    }),
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
    runId: stream.runId,
    document: (runVersion) => ({
      kind: "stream",
      name: stream.name,
      tags: {},
      attributes: toJson(body),
      derivedFrom: [runSource(stream.runId, runVersion)],
    }),
  };
}

/** What makes a stream the stream of a run. */
export function runSource(runId: RecordId, version: Version): Derivation {
  return { recordId: runId, version, role: "run", relation: "wasDerivedFrom" };
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
      const others = Object.entries(attributesOf(before)).filter(
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
      const attributes = attributesOf(before);
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

/** The attributes as members, none where they are no object. */
export function attributesOf({ attributes }: RecordDocument): Readonly<Record<string, JsonValue>> {
  return isPlainObject(attributes) ? attributes : {};
}

/** A document was parsed from JSON and checked, so it is JSON. */
function toJson(body: JsonObject): Readonly<Record<string, JsonValue>> {
  return body as Readonly<Record<string, JsonValue>>;
}

/** The event id of one thing of one file format: equal texts give equal ids. */
export function blueskyId(what: string, text: string): EventId {
  return uuidFrom(`sennit bluesky ${what} ${text}`);
}
