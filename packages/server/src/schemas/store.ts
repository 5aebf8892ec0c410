/** The shapes of what is said about the whole store. */
import { eventTypes } from "@sennit/core";
import { timelineBuckets, timelineFields } from "@sennit/projections";
import { Type } from "typebox";

import { count, digest, json, nullable, position, time } from "./common.ts";

/** A failure as `StoreError` tells it. */
const failure = Type.Object({
  code: Type.String(),
  category: Type.String(),
  message: Type.String(),
  hint: Type.String(),
  details: Type.Record(Type.String(), json),
});

export const storeInfo = Type.Object({
  storeId: Type.String({ format: "uuid" }),
  head: position,
  damage: nullable(failure),
});

export const instant = Type.Object({ asOf: position });

export const label = Type.Object({ name: Type.String(), position });

export const labels = Type.Object({ asOf: position, labels: Type.Array(label) });

const tally = { valid: count, withdrawn: count, stale: Type.Optional(count) };

export const storeSummary = Type.Object({
  asOf: position,
  root: digest,
  firstRecordedAt: nullable(time),
  lastRecordedAt: nullable(time),
  events: Type.Object({ created: count, updated: count, invalidated: count }),
  records: count,
  ...tally,
  kinds: Type.Array(Type.Object({ kind: Type.String(), ...tally })),
  labels: Type.Array(label),
});

export const eventType = Type.Enum([...eventTypes]);
export const bucket = Type.Enum([...timelineBuckets]);
export const timelineField = Type.Enum([...timelineFields]);

export const timeline = Type.Object({
  asOf: position,
  bucket,
  by: Type.Array(timelineField),
  rows: Type.Array(
    Type.Object({
      start: time,
      kind: Type.Optional(Type.String()),
      type: Type.Optional(eventType),
      actor: Type.Optional(nullable(Type.String())),
      events: count,
    }),
  ),
});

export const projection = Type.Object({
  name: Type.String(),
  version: count,
  state: Type.Enum(["live", "catching-up", "rebuilding", "paused", "failed"]),
  position,
  head: position,
  lag: count,
  stateHash: Type.String(),
  eventsPerSecond: Type.Number(),
  etaSeconds: nullable(Type.Number()),
  rebuiltUpTo: nullable(position),
  failure: nullable(failure),
});

export const projections = Type.Object({ projections: Type.Array(projection) });

export const resolvedRef = Type.Object({ ref: Type.String() });

export const verifierKey = Type.Object({ verifierKey: Type.String() });

export const checkpoint = Type.Object({ size: position, root: digest, note: Type.String() });

export const inclusionProof = Type.Object({
  position,
  size: position,
  hashes: Type.Array(digest),
});

export const consistencyProof = Type.Object({
  from: position,
  to: position,
  hashes: Type.Array(digest),
});
