/** The shapes of what a decision rested on, what an invalidation takes with it, and what has moved on. */
import { Type } from "typebox";

import {
  digest,
  isErased,
  nullable,
  position,
  time,
  version,
  versionRange,
  versionRef,
} from "./common.ts";
import { edge } from "./lineage.ts";
import { record } from "./record.ts";

export const impact = Type.Object({
  of: Type.Object({ recordId: Type.String(), version: nullable(version) }),
  asOf: position,
  at: Type.Optional(position),
  withdrawn: Type.Array(
    Type.Object({
      recordId: Type.String(),
      versions: versionRange,
      kind: Type.String(),
      name: Type.String(),
      via: nullable(versionRef),
      isErased,
    }),
  ),
  actions: Type.Array(
    Type.Object({
      recordId: Type.String(),
      actionId: Type.String(),
      verdict: Type.Enum(["known", "withdrawn", "unknown"]),
    }),
  ),
  since: Type.Optional(
    Type.Array(
      Type.Object({
        recordId: Type.String(),
        version,
        kind: Type.String(),
        name: Type.String(),
        position,
        recordedAt: time,
        via: versionRef,
        isErased,
      }),
    ),
  ),
});

export const replay = Type.Object({
  decision: record,
  decidedAt: position,
  closure: Type.Array(record),
  edges: Type.Array(edge),
  verdicts: Type.Array(
    Type.Object({
      recordId: Type.String(),
      version,
      verdict: Type.Enum(["same", "superseded", "withdrawn-since", "already-withdrawn"]),
      now: version,
    }),
  ),
  digest: nullable(digest),
});

const base64 = Type.String({ contentEncoding: "base64" });

export const receipt = Type.Object({
  format: Type.Literal("sennit-receipt"),
  version: Type.Literal(1),
  decision: versionRef,
  entries: Type.Array(
    Type.Object({
      position,
      header: base64,
      payload: nullable(base64),
      document: Type.Optional(base64),
      proof: Type.Array(base64),
    }),
  ),
  checkpoint: Type.String(),
  consistency: nullable(Type.Object({ size: position, root: base64, proof: Type.Array(base64) })),
});

export const outdatedSources = Type.Array(Type.Object({ source: versionRef, now: version }));

export const staleReport = Type.Object({
  asOf: position,
  records: Type.Array(record),
  outdated: Type.Array(Type.Object({ record: versionRef, source: versionRef, now: version })),
});
