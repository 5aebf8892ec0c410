/** The shapes of what concerns the store as a whole. */
import { Type } from "typebox";

import { count, nullable, position, versionRange } from "./common.ts";

export const erasureRequest = Type.Object(
  {
    refs: Type.Array(
      Type.String({
        minLength: 1,
        description:
          "ID or KIND/NAME: all versions so far. With @VERSION: that one and those patched on top of it.",
      }),
      { minItems: 1, maxItems: 10_000 },
    ),
    cause: Type.String({ minLength: 1, description: "Why. It is kept." }),
    actor: Type.Optional(Type.String({ description: "Who wants it; that of the credential." })),
    dryRun: Type.Optional(
      Type.Boolean({ default: false, description: "Say what would be erased; change nothing." }),
    ),
  },
  { additionalProperties: false },
);

const erasedVersions = Type.Object({ recordId: Type.String(), versions: versionRange });

export const storeErasure = Type.Object({
  position: nullable(position),
  recordId: nullable(Type.String()),
  erased: Type.Array(erasedVersions),
  sameContent: Type.Array(erasedVersions),
  damagedLogs: Type.Array(Type.String()),
});

const verifyProblem = Type.Object({
  position,
  part: Type.String(),
  code: Type.String(),
  message: Type.String(),
});

export const verifyReport = Type.Object({
  ok: Type.Boolean(),
  head: position,
  events: count,
  records: count,
  intactUntil: position,
  unreadable: count,
  problemCount: count,
  problems: Type.Array(verifyProblem),
  bytes: count,
  seconds: Type.Number(),
  eventsPerSecond: count,
});
