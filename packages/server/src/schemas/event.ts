/** The shapes of events as the log holds them. */
import { Type, type TProperties } from "typebox";

import { digest, json, position, time, version, versionRange, versionRef } from "./common.ts";
import { artifact, derivation, invalidationRoot, tags } from "./record.ts";

const eventId = Type.String({ format: "uuid" });

const document = Type.Object({
  kind: Type.String(),
  name: Type.String(),
  tags: Type.Optional(tags),
  uris: Type.Optional(Type.Array(Type.String())),
  attributes: Type.Optional(json),
  artifacts: Type.Optional(Type.Array(artifact)),
  derivedFrom: Type.Optional(Type.Array(derivation)),
  onInvalidate: Type.Optional(Type.Array(Type.String())),
});

/** What was changed, as it was sent: any of its members may be null, and a tag too. */
const patch = Type.Record(Type.String(), json);

const updateData = Type.Object({
  patch: Type.Optional(patch),
  document: Type.Optional(document),
  reason: Type.Optional(Type.String()),
  restores: Type.Optional(version),
});

const invalidationData = Type.Object({
  cause: Type.String(),
  versions: versionRange,
  root: Type.Optional(invalidationRoot),
  via: Type.Optional(versionRef),
});

function event<Name extends string, Data extends TProperties[string]>(type: Name, data: Data) {
  return Type.Object({
    position,
    type: Type.Literal(type),
    id: eventId,
    recordId: Type.String(),
    version,
    recordedAt: time,
    occurredAt: Type.Optional(Type.String()),
    actor: Type.Optional(Type.String()),
    causationId: Type.Optional(eventId),
    correlationId: Type.Optional(eventId),
    hash: digest,
    erasedBy: Type.Optional(position),
    data,
  });
}

export const recordedEvent = Type.Union([
  event("record.created", document),
  event("record.updated", updateData),
  event("record.invalidated", invalidationData),
]);

export const eventPage = Type.Object({
  asOf: position,
  events: Type.Array(recordedEvent),
  nextFrom: Type.Optional(position),
});
