/** The shape of a record. */
import { Type } from "typebox";

/** Any JSON. */
const json = Type.Unknown();

export const position = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
export const version = Type.Integer({ minimum: 1, maximum: 0xffff_ffff });

export const versionRef = Type.Object({ recordId: Type.String(), version });

const invalidation = Type.Object({
  cause: Type.String(),
  position,
  recordedAt: Type.String(),
  root: Type.Object({ eventId: Type.String(), recordId: Type.String() }),
  via: Type.Union([versionRef, Type.Null()]),
});

export const record = Type.Object({
  id: Type.String(),
  kind: Type.String(),
  name: Type.String(),
  version,
  status: Type.Union([Type.Literal("valid"), Type.Literal("invalid")]),
  stale: Type.Boolean(),
  tags: Type.Record(
    Type.String(),
    Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()]),
  ),
  uris: Type.Array(Type.String()),
  attributes: json,
  artifacts: Type.Array(json),
  onInvalidate: Type.Array(Type.String()),
  derivedFrom: Type.Array(json),
  createdAt: Type.String(),
  recordedAt: Type.String(),
  occurredAt: Type.Union([Type.String(), Type.Null()]),
  actor: Type.Union([Type.String(), Type.Null()]),
  position,
  invalidation: Type.Union([invalidation, Type.Null()]),
  erased: Type.Optional(json),
});

export const recordPage = Type.Object({
  asOf: position,
  records: Type.Array(record),
  nextCursor: Type.Optional(Type.String()),
});
