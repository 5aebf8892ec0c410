/** The shapes of what became of a record: its versions, what differs between two, which event set what. */
import { Type } from "typebox";

import { isErased, json, nullable, position, time, version, versionRef } from "./common.ts";
import { recordedEvent } from "./event.ts";
import { erasure, record } from "./record.ts";

export const history = Type.Object({
  recordId: Type.String(),
  versions: Type.Array(record),
  events: Type.Array(recordedEvent),
  nextAfter: Type.Optional(version),
});

export const fieldChange = Type.Object({
  pointer: Type.String(),
  change: Type.Enum(["added", "removed", "changed"]),
  before: Type.Optional(json),
  after: Type.Optional(json),
});

export const recordDiff = Type.Object({
  from: versionRef,
  to: versionRef,
  changes: Type.Array(fieldChange),
});

export const blame = Type.Object({
  of: versionRef,
  asOf: position,
  fields: Type.Array(
    Type.Object({
      pointer: Type.String(),
      value: json,
      version,
      position,
      recordedAt: time,
      eventId: Type.String(),
      type: Type.Enum(["record.created", "record.updated"]),
      actor: nullable(Type.String()),
      reason: nullable(Type.String()),
      restores: nullable(version),
      isErased,
      isErasedBefore: isErased,
    }),
  ),
  erased: Type.Optional(erasure),
});

export const storeChange = Type.Object({
  recordId: Type.String(),
  kind: Type.String(),
  name: Type.String(),
  changes: Type.Array(Type.Enum(["created", "updated", "withdrawn", "restored", "touched"])),
  position,
  fromVersion: nullable(version),
  toVersion: version,
  fields: Type.Array(fieldChange),
  isErased,
});

export const storeDiff = Type.Object({
  from: position,
  to: position,
  records: Type.Array(storeChange),
});
