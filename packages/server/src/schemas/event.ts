/** The shapes of events as the log holds them. */
import { Type, type TProperties } from "typebox";

import {
  digest,
  json,
  nullable,
  position,
  time,
  version,
  versionRange,
  versionRef,
} from "./common.ts";
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

/** What was changed, as it was sent: null takes a member or a tag away. */
const patch = Type.Object({
  kind: Type.Optional(Type.String()),
  name: Type.Optional(Type.String()),
  tags: Type.Optional(
    nullable(
      Type.Record(
        Type.String(),
        Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()]),
      ),
    ),
  ),
  uris: Type.Optional(nullable(Type.Array(Type.String()))),
  attributes: Type.Optional(json),
  artifacts: Type.Optional(nullable(Type.Array(artifact))),
  derivedFrom: Type.Optional(nullable(Type.Array(derivation))),
  onInvalidate: Type.Optional(nullable(Type.Array(Type.String()))),
});

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

export const createdEvent = event("record.created", document);
export const updatedEvent = event("record.updated", updateData);
export const invalidatedEvent = event("record.invalidated", invalidationData);

export const recordedEvent = Type.Union([createdEvent, updatedEvent, invalidatedEvent]);

export const eventPage = Type.Object({
  asOf: position,
  events: Type.Array(recordedEvent),
  nextFrom: Type.Optional(position),
});
