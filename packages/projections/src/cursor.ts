/** Cursors: where a page ended, opaque to the caller and bound to its query and position. */
import { createHash } from "node:crypto";

import { canonicalJson, StoreError, type Position } from "@sennit/core";

import type { ListQuery } from "./list-query.ts";

export interface Cursor {
  /** The position every page of the listing speaks for. */
  readonly asOf: Position;
  /** Creation position of the last record delivered. */
  readonly after: Position;
}

/** Writes a cursor for the next page of a query. */
export function formatCursor({ asOf, after }: Cursor, query: ListQuery): string {
  return Buffer.from(JSON.stringify([asOf, after, queryDigest(query)])).toString("base64url");
}

/** @throws `cursor-invalid` for text that is no cursor, or one of another query */
export function parseCursor(text: string, query: ListQuery): Cursor {
  const parts = decode(text);
  if (!Array.isArray(parts) || parts.length !== 3) throw invalid("is not a cursor of this store");
  const [asOf, after, digest] = parts as unknown[];
  if (!isPosition(asOf) || !isPosition(after)) throw invalid("is not a cursor of this store");
  if (digest !== queryDigest(query)) throw invalid("belongs to another query");
  return { asOf, after };
}

function decode(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
}

function isPosition(value: unknown): value is Position {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function invalid(problem: string): StoreError {
  return new StoreError("cursor-invalid", `The cursor ${problem}.`);
}

/** Queries that ask the same have one digest, whether they leave a member out or leave it empty. */
function queryDigest({ kind, status, tags = {}, words = [] }: ListQuery): string {
  return createHash("sha256")
    .update(canonicalJson({ kind: kind ?? null, status: status ?? null, tags, words }))
    .digest("base64url")
    .slice(0, 16);
}
