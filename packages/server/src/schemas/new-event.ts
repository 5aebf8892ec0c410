/** The shapes of what is sent to be stored. Lengths that the store bounds in bytes are bounded in characters here. */
import { erasureKind, limits, relations } from "@sennit/core";
import { Type, type TProperties, type TSchema } from "typebox";

import { count, json, nullable, position, time, version } from "./common.ts";
import { recordedEvent } from "./event.ts";
import { record } from "./record.ts";

const strict = { additionalProperties: false };

function closed<Properties extends TProperties>(properties: Properties) {
  return Type.Object(properties, strict);
}

const eventId = Type.String({
  pattern: "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
});
const shortText = (maxLength: number) =>
  Type.String({ minLength: 1, maxLength, pattern: String.raw`^[^\u0000-\u001f\u007f-\u009f]*$` });
const longText = (maxLength: number, minLength = 1) =>
  Type.String({
    minLength,
    maxLength,
    pattern: String.raw`^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*$`,
  });
const recordId = Type.String({
  minLength: 1,
  maxLength: limits.recordIdBytesMax,
  pattern: String.raw`^(?![\s\S]*@\d+$)[^\u0000-\u001f\u007f-\u009f]*$`,
});
const instant = Type.String({
  pattern: String.raw`^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)$`,
  examples: ["2026-03-02T09:58:00Z"],
});

const newDerivation = closed({
  recordId,
  version: Type.Optional({ ...version, description: "Default: the source's current version." }),
  role: Type.Optional(nullable(shortText(limits.roleBytesMax))),
  relation: Type.Optional(Type.Enum([...relations])),
});

const newArtifact = closed({
  name: shortText(limits.nameBytesMax),
  uri: Type.Optional(shortText(limits.uriBytesMax)),
  mediaType: Type.Optional(shortText(limits.nameBytesMax)),
  sizeBytes: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
  sha256: Type.Optional(Type.String({ pattern: "^[0-9a-f]{64}$" })),
});

const tagKey = { type: "string", minLength: 1, maxLength: limits.tagKeyBytesMax };
const newTags = Type.Record(
  Type.String(),
  Type.Union([longText(limits.tagValueBytesMax, 0), Type.Number(), Type.Boolean()]),
  { maxProperties: limits.tagsMax, propertyNames: tagKey },
);

const list = (items: TSchema, maxItems: number) => Type.Array(items, { maxItems });
const derivedFrom = list(newDerivation, limits.derivationsMax);
const artifacts = list(newArtifact, limits.artifactsMax);
const uris = list(shortText(limits.uriBytesMax), limits.urisMax);
const onInvalidate = list(recordId, limits.actionsMax);

const documentMembers = {
  // Records of this kind are made by erasing alone.
  kind: { ...shortText(limits.kindBytesMax), not: { const: erasureKind } },
  name: shortText(limits.nameBytesMax),
  tags: Type.Optional(newTags),
  uris: Type.Optional(uris),
  attributes: Type.Optional(json),
  artifacts: Type.Optional(artifacts),
  derivedFrom: Type.Optional(derivedFrom),
  onInvalidate: Type.Optional(onInvalidate),
};

export const newDocument = closed(documentMembers);

/** A merge patch: what it makes of the record is checked when it has been applied. */
export const documentPatch = closed({
  kind: Type.Optional(json),
  name: Type.Optional(json),
  tags: Type.Optional(json),
  uris: Type.Optional(json),
  attributes: Type.Optional(json),
  artifacts: Type.Optional(nullable(artifacts)),
  derivedFrom: Type.Optional(nullable(derivedFrom)),
  onInvalidate: Type.Optional(json),
});

const updateMembers = {
  reason: Type.Optional(longText(limits.causeBytesMax)),
  restores: Type.Optional(version),
};

const newUpdate = Type.Union([
  closed({ patch: documentPatch, ...updateMembers }),
  closed({ document: newDocument, ...updateMembers }),
]);

const newInvalidation = closed({
  cause: longText(limits.causeBytesMax),
  versions: Type.Optional(closed({ from: version, to: Type.Optional(version) })),
});

/** Members of an event beside what it is about. */
const envelope = {
  occurredAt: Type.Optional(instant),
  actor: Type.Optional(shortText(limits.actorBytesMax)),
  causationId: Type.Optional(eventId),
  correlationId: Type.Optional(eventId),
};

const options = {
  expectedVersion: Type.Optional(
    Type.Union([
      Type.Integer({ minimum: 0, maximum: limits.versionMax }),
      Type.Enum(["none", "exists", "any"]),
    ]),
  ),
  cascade: Type.Optional(Type.Boolean()),
  allowInvalidSources: Type.Optional(Type.Boolean()),
  unknownSources: Type.Optional(Type.Enum(["refuse", "placeholder"])),
};

function newEventOf<Name extends string>(type: Name, data: TSchema) {
  return closed({
    type: Type.Literal(type),
    id: Type.Optional(eventId),
    recordId,
    ...envelope,
    ...options,
    data,
  });
}

export const newEvent = Type.Union([
  newEventOf("record.created", newDocument),
  newEventOf("record.updated", newUpdate),
  newEventOf("record.invalidated", newInvalidation),
]);

const newEvents = Type.Array(newEvent, { minItems: 1, maxItems: limits.batchEventsMax });

export const appendRequest = Type.Union([
  newEvent,
  newEvents,
  closed({
    events: newEvents,
    expectedHead: Type.Optional(position),
    unchangedSince: Type.Optional(
      closed({
        position,
        records: list(
          closed({ recordId, version: Type.Optional(version) }),
          limits.conditionRecordsMax,
        ),
      }),
    ),
  }),
]);

const appendedMembers = {
  status: Type.Enum(["stored", "duplicate"]),
  eventId,
  recordId: Type.String(),
  position,
  version,
  recordedAt: time,
  placeholders: Type.Array(recordedEvent),
  consequences: Type.Array(recordedEvent),
};

export const appendResult = Type.Object({
  head: position,
  events: Type.Array(Type.Object(appendedMembers)),
});

/** What a command made, and the record as it is now. */
export const commandResult = Type.Object({ ...appendedMembers, record });

/** One line of the answer to lines. */
export const lineResult = Type.Union([
  Type.Object({
    line: count,
    status: Type.Enum(["stored", "duplicate"]),
    eventId,
    recordId: Type.String(),
    version,
    position,
    consequences: count,
  }),
  Type.Object({
    line: count,
    status: Type.Literal("refused"),
    code: Type.String(),
    message: Type.String(),
    pointer: Type.String(),
    hint: Type.String(),
  }),
  Type.Object({
    summary: Type.Object({ stored: count, duplicates: count, refused: count, head: position }),
  }),
  Type.Object({ error: Type.Unknown() }),
]);

export const createRequest = closed({
  id: Type.Optional({ ...recordId, description: "Default: the kind and ten letters." }),
  ...documentMembers,
  eventId: Type.Optional(eventId),
  ...envelope,
  allowInvalidSources: options.allowInvalidSources,
  unknownSources: options.unknownSources,
});

export const invalidateRequest = closed({
  cause: Type.Optional({
    ...longText(limits.causeBytesMax),
    description: "Why; required but for a dry run.",
  }),
  version: Type.Optional({ ...version, description: "That one alone. Default: all so far." }),
  since: Type.Optional(Type.Boolean({ description: "With a version: it and all later ones." })),
  cascade: Type.Optional(Type.Boolean({ description: "And all that rests on it. Default: true." })),
  dryRun: Type.Optional(
    Type.Boolean({ description: "Say what would be withdrawn; store nothing." }),
  ),
  ...envelope,
});

export const restoreRequest = closed({
  version: Type.Optional({
    ...version,
    description: "The one to bring back; the ref may name it, too.",
  }),
  reason: updateMembers.reason,
  ...envelope,
});

export const labelRequest = closed({
  position: Type.Optional({ ...position, description: "What it names. Default: the head." }),
  actor: envelope.actor,
});

export const labelResult = Type.Object({
  label: Type.String(),
  position,
  recordId: Type.String(),
  version,
  storedAt: position,
  event: Type.Object(appendedMembers),
});
