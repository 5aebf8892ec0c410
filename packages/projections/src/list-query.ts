/** What `list` may ask for: text, or an object whose members must all hold. */
import { isPlainObject, StoreError, type TagValue } from "@sennit/core";

import { acceptBare } from "./search/literal.ts";
import { parseQuery } from "./search/parse-query.ts";
import { allOf, contradiction, wordTest, type SearchNode } from "./search/search-query.ts";
import { parseListStatus, type ListStatus } from "./search/status.ts";

/** Every condition given must hold. */
export interface ListQuery {
  /** The text form, `kind:model tag.loss<0.1`; the members beside it must hold as well. */
  readonly where?: string | undefined;
  readonly kind?: string | undefined;
  /**
   * Tag key to its value. A text means what it means in `where` without quotes: `0.10` finds the number 0.1 and the text
   * `0.10`. With `{ text }` it is a text and nothing else.
   */
  readonly tags?: Readonly<Record<string, TagValue | { readonly text: string }>> | undefined;
  readonly status?: ListStatus | undefined;
  /** Words that must stand in the name or the id, upper and lower case alike; `*` stands for any text. */
  readonly words?: readonly string[] | undefined;
}

const queryMembers = ["where", "kind", "tags", "status", "words"];

/**
 * The tree of a query in either form.
 *
 * @throws `query-invalid` for text, `argument-invalid` for an object, naming the member
 */
export function compileQuery(query: unknown): SearchNode {
  if (typeof query === "string") return parseQuery(query);
  assertListQuery(query);
  const { where = "", kind, tags = {}, status, words = [] } = query;
  const parts: SearchNode[] = [parseQuery(where)];
  const field = { type: "field", path: [], isOther: false } as const;
  if (kind !== undefined) {
    parts.push({ ...field, field: "kind", accepts: { type: "equal", text: kind } });
  }
  for (const [key, value] of Object.entries(tags)) {
    const accepts =
      typeof value === "object"
        ? ({ type: "equal", text: value.text } as const)
        : acceptBare(String(value));
    parts.push({ ...field, field: "tag", path: [key], accepts });
  }
  if (status !== undefined) {
    parts.push({ ...field, field: "status", accepts: { type: "equal", text: status } });
  }
  parts.push(...words.map((word) => wordTest(word.split("*"))));
  const node = allOf(parts);
  const [, second] = contradiction(node.type === "and" ? node.parts : []) ?? [];
  if (second === undefined) return node;
  throw new StoreError(
    "argument-invalid",
    `Two values are asked for ${[second.field, ...second.path].join(".")}, and a record has one.`,
    {
      hint: "Ask for one, or for either in the text form: (A or B).",
      details: { member: [second.field, ...second.path].join(".") },
    },
  );
}

/** Checks a query that came from outside the type system. @throws `argument-invalid`, naming the member */
function assertListQuery(query: unknown): asserts query is ListQuery {
  if (!isPlainObject(query)) throw memberError("query", "text or an object");
  const unknown = Object.keys(query).find((member) => !queryMembers.includes(member));
  if (unknown !== undefined) {
    throw new StoreError(
      "argument-invalid",
      `${JSON.stringify(unknown)} is nothing a query can ask for: use ${queryMembers.join(", ")}.`,
      { details: { member: unknown } },
    );
  }
  const { where, kind, tags, status, words } = query;
  if (where !== undefined && typeof where !== "string") throw memberError("where", "text");
  if (kind !== undefined && !isText(kind)) throw memberError("kind", "text");
  if (status !== undefined && !isText(status)) throw memberError("status", "text");
  if (status !== undefined) parseListStatus(status);
  if (tags !== undefined && !isTags(tags))
    throw memberError("tags", "an object of texts, numbers and booleans");
  if (words !== undefined && !(Array.isArray(words) && words.every(isText)))
    throw memberError("words", "a list of texts");
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.isWellFormed();
}

function isTags(value: unknown): boolean {
  return isPlainObject(value) && Object.entries(value).every(([k, tag]) => isText(k) && isTag(tag));
}

function isTag(value: unknown): boolean {
  if (isPlainObject(value)) return Object.keys(value).join() === "text" && isText(value["text"]);
  return isText(value) || typeof value === "boolean" || Number.isFinite(value);
}

function memberError(member: string, what: string): StoreError {
  return new StoreError("argument-invalid", `In a query, ${member} must be ${what}.`, {
    details: { member },
  });
}
