/** The shapes of lineage: what a version rests on, and what rests on it. */
import { Type } from "typebox";

import { count, isErased, nullable, pair, position, version, versionRef } from "./common.ts";
import { relation } from "./record.ts";

const direction = Type.Enum(["ancestors", "descendants"]);
const status = Type.Enum(["valid", "invalid"]);

const named = {
  recordId: Type.String(),
  version,
  kind: Type.String(),
  name: Type.String(),
  status,
  isErased,
};

const node = Type.Object({ ...named, depth: count });

export const edge = Type.Object({
  derived: versionRef,
  source: versionRef,
  role: nullable(Type.String()),
  relation,
});

const about = { of: versionRef, direction, asOf: position };

export const lineage = Type.Object({
  ...about,
  nodes: Type.Array(node),
  edges: Type.Array(edge),
});

export const lineageRefs = Type.Object({
  ...about,
  nodes: Type.Array(Type.Object({ recordId: Type.String(), version, depth: count })),
});

export const lineageDiff = Type.Object({
  of: versionRef,
  direction,
  from: position,
  to: position,
  nodes: Type.Array(
    Type.Object({ ...named, depth: count, change: Type.Enum(["joined", "withdrawn"]) }),
  ),
});

export const lineagePaths = Type.Object({
  derived: versionRef,
  source: versionRef,
  asOf: position,
  paths: Type.Array(Type.Array(edge)),
  hasMore: Type.Boolean(),
});

export const commonAncestors = Type.Object({
  of: pair(versionRef),
  asOf: position,
  nodes: Type.Array(Type.Object({ ...named, depths: pair(count), isNearest: Type.Boolean() })),
});
