/** The record that a request is about: named in its path, or in its query when a path cannot carry the name. */
import { formatRef, parseRef, StoreError } from "@sennit/core";
import { Type } from "typebox";

import { instantOf, type Instant } from "./instant.ts";
import type { Exchange } from "./route.ts";
import { version } from "./schemas/common.ts";

/** The path parameter of every route of a record. */
export const refParams = Type.Object(
  {
    ref: Type.String({
      description:
        "ID, ID@VERSION or KIND/NAME, percent-encoded; a minus when `ref` is in the query.",
      minLength: 1,
      examples: ["cfg-1", "cfg-1@2", "model%2Fbraggnn"],
    }),
  },
  { additionalProperties: false },
);

/** The query parameter that takes the place of the one in the path. */
export const refQuery = {
  ref: Type.Optional(
    Type.String({
      description:
        "The record, when the path holds a minus instead: for ids a path cannot carry, `.` and `..`.",
      minLength: 1,
    }),
  ),
};

/** Beside `refQuery`, for routes of a version. */
export const versionQuery = {
  version: Type.Optional(
    Type.Integer({
      ...version,
      description: "The version. Default: that of the ref, or the current.",
    }),
  ),
};

/** Stands in the path for a ref in the query. */
const elsewhere = "-";

interface Path {
  readonly ref: string;
}

interface Query {
  readonly ref?: string | undefined;
  readonly version?: number | undefined;
  readonly "as-of"?: string | undefined;
}

/** An instant, and a ref whose `KIND/NAME` has been replaced by an id. */
export interface AskedRecord {
  readonly instant: Instant;
  readonly ref: string;
}

/** The record version that a request is about. @throws the codes of `refOf`, `instantOf` and `Instant.resolve` */
export async function recordAsked(
  exchange: Exchange,
  path: Path,
  query: Query,
): Promise<AskedRecord> {
  const named = refOf(path, query);
  const instant = await instantOf(exchange, query);
  return { instant, ref: await instant.resolve(named) };
}

/** The ref of the request. @throws `request-invalid` when path and query name one each, or name two versions */
export function refOf({ ref: inPath }: Path, { ref: inQuery, version: asked }: Query): string {
  if (inQuery !== undefined && inPath !== elsewhere) {
    throw conflict("ref", "names a record, and so does the path: put a minus in its place there");
  }
  const ref = inQuery ?? inPath;
  if (asked === undefined) return ref;
  const { target, version: named = asked } = parseRef(ref);
  if (named !== asked) throw conflict("version", `is ${asked}, and the ref names version ${named}`);
  return formatRef({ recordId: target, version: asked });
}

/** The ref of a request about a whole record. @throws `request-invalid` for a ref to one version */
export function wholeRefOf(path: Path, query: Query): string {
  const ref = refOf(path, query);
  if (parseRef(ref).version === undefined) return ref;
  throw conflict("ref", "names one version, and the question is about all of them");
}

function conflict(parameter: string, message: string): StoreError {
  return new StoreError("request-invalid", `${parameter} ${message}.`, {
    details: { part: "query", issues: [{ pointer: `/${parameter}`, message }] },
  });
}
