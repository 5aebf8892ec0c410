/** Cursors: where a page ended, opaque to the caller and bound to its query, position and store. */
import { createHash } from "node:crypto";

import { canonicalJson, StoreError, type Position } from "@sennit/core";

import { compileQuery, type ListQuery } from "./list-query.ts";
import type { SearchNode } from "./search/search-query.ts";

export interface Cursor {
  /** The position every page of the listing speaks for. */
  readonly asOf: Position;
  /** Creation position of the last record delivered. */
  readonly after: Position;
}

/** What a cursor belongs to. */
export interface CursorScope {
  readonly query: SearchNode;
  readonly storeId: string;
}

/** Writes a cursor for the next page of a query. */
export function formatCursor({ asOf, after }: Cursor, scope: CursorScope): string {
  return Buffer.from(JSON.stringify([asOf, after, digestOf(scope)])).toString("base64url");
}

/** @throws `cursor-invalid` for text that is no cursor, or one of another query or store */
export function readCursor(text: string, scope: CursorScope): Cursor {
  const parts = decode(text);
  if (!Array.isArray(parts) || parts.length !== 3) throw invalid("is not a cursor");
  const [asOf, after, digest] = parts as unknown[];
  if (!isPosition(asOf) || !isPosition(after)) throw invalid("is not a cursor");
  if (digest !== digestOf(scope)) throw invalid("belongs to another query or store");
  return { asOf, after };
}

/**
 * Where the page before ended, so that the next one can be asked for as of the same position.
 *
 * @param storeId that of the store the page came from
 * @throws `cursor-invalid`, and the codes of `ViewReader.list` for the query
 */
export function parseCursor(text: string, query: string | ListQuery, storeId: string): Cursor {
  return readCursor(text, { query: compileQuery(query), storeId });
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

/** Queries that ask the same in the same order have one digest, however they are written. */
function digestOf({ query, storeId }: CursorScope): string {
  return createHash("sha256")
    .update(canonicalJson([storeId, query]))
    .digest("base64url")
    .slice(0, 16);
}
