/** The shapes of a record, and of pages of them. */
import { relations } from "@sennit/core";
import { Type } from "typebox";

import { count, digest, json, nullable, position, time, version, versionRef } from "./common.ts";

export const relation = Type.Enum([...relations]);

export const tags = Type.Record(
  Type.String(),
  Type.Union([Type.String(), Type.Number(), Type.Boolean()]),
);

export const artifact = Type.Object({
  name: Type.String(),
  uri: Type.Optional(Type.String()),
  mediaType: Type.Optional(Type.String()),
  sizeBytes: Type.Optional(count),
  sha256: Type.Optional(digest),
});

export const derivation = Type.Object({
  recordId: Type.String(),
  version,
  role: nullable(Type.String()),
  relation,
});

export const invalidationRoot = Type.Object({ eventId: Type.String(), recordId: Type.String() });

const invalidation = Type.Object({
  cause: Type.String(),
  position,
  recordedAt: time,
  root: invalidationRoot,
  via: nullable(versionRef),
});

export const erasure = Type.Object({
  recordId: Type.String(),
  position,
  recordedAt: time,
  cause: Type.String(),
});

export const record = Type.Object({
  id: Type.String(),
  kind: Type.String(),
  name: Type.String(),
  version,
  status: Type.Enum(["valid", "invalid"]),
  stale: Type.Boolean(),
  tags,
  uris: Type.Array(Type.String()),
  attributes: json,
  artifacts: Type.Array(artifact),
  onInvalidate: Type.Array(Type.String()),
  derivedFrom: Type.Array(derivation),
  createdAt: time,
  recordedAt: time,
  occurredAt: nullable(Type.String()),
  actor: nullable(Type.String()),
  position,
  invalidation: nullable(invalidation),
  erased: Type.Optional(erasure),
});

export const recordPage = Type.Object({
  asOf: position,
  records: Type.Array(record),
  nextCursor: Type.Optional(Type.String()),
});

export const explanation = Type.Object({
  asOf: position,
  query: Type.String(),
  index: Type.String(),
  filter: Type.String(),
  examined: count,
  found: count,
});

export const state = Type.Object({ asOf: position, records: Type.Array(record) });
