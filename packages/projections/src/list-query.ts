/** What `list` may ask for, and the text form of it. */
import { isPlainObject, StoreError } from "@sennit/core";

export type ListStatus = "valid" | "invalid" | "stale";

/** Every condition given must hold. */
export interface ListQuery {
  readonly kind?: string | undefined;
  /** Tag key to the text of its value: `loss` to `0.1` finds the number and the text. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly status?: ListStatus | undefined;
  /** Words that must stand in the name or the id, upper and lower case alike; `*` at the end or beginning is allowed. */
  readonly words?: readonly string[] | undefined;
}

export const listStatuses: readonly ListStatus[] = ["valid", "invalid", "stale"];

const tagPrefix = "tag.";

/**
 * Reads a query as a person writes it: `kind:model tag.stage=prod status:valid bragg`. A value with spaces stands in
 * double quotes.
 *
 * @throws `argument-invalid`, naming the term and where it stands; also for two values of one field, which no record has
 */
export function parseListQuery(text: string): ListQuery {
  const fields = new Map<string, string>();
  const words: string[] = [];
  for (const { term, at } of terms(text)) {
    const [, field, value = ""] = /^(kind|status|name|tag\.[^=]+)[:=](.*)$/s.exec(term) ?? [];
    if (field === undefined) {
      if (/^[a-z]+[:=]/.test(term)) throw termError(term, at, "is no field that can be searched");
      words.push(term);
    } else if (value === "") {
      throw termError(term, at, "has no value");
    } else if (field === "name") {
      words.push(value);
    } else if ((fields.get(field) ?? value) !== value) {
      throw termError(term, at, `asks for another ${field} than a term before it`);
    } else {
      fields.set(field, value);
    }
  }
  const status = fields.get("status");
  const tags = [...fields].filter(([field]) => field.startsWith(tagPrefix));
  return {
    kind: fields.get("kind"),
    status: status === undefined ? undefined : parseListStatus(status),
    tags: Object.fromEntries(tags.map(([field, value]) => [field.slice(tagPrefix.length), value])),
    words,
  };
}

/** @throws `argument-invalid` */
export function parseListStatus(text: string): ListStatus {
  const status = listStatuses.find((candidate) => candidate === text);
  if (status !== undefined) return status;
  throw new StoreError(
    "argument-invalid",
    `${JSON.stringify(text)} is no status: use ${listStatuses.join(", ")}.`,
  );
}

const queryMembers = ["kind", "tags", "status", "words"];

/**
 * Checks a query that came from outside the type system.
 *
 * @throws `argument-invalid`, naming the member
 */
export function assertListQuery(query: unknown): asserts query is ListQuery {
  if (!isPlainObject(query)) throw memberError("query", "an object");
  const unknown = Object.keys(query).find((member) => !queryMembers.includes(member));
  if (unknown !== undefined) {
    throw new StoreError(
      "argument-invalid",
      `${JSON.stringify(unknown)} is nothing a query can ask for: use ${queryMembers.join(", ")}.`,
      { details: { member: unknown } },
    );
  }
  const { kind, tags, status, words } = query;
  if (kind !== undefined && !isText(kind)) throw memberError("kind", "text");
  if (status !== undefined && !isText(status)) throw memberError("status", "text");
  if (status !== undefined) parseListStatus(status);
  if (tags !== undefined && !(isPlainObject(tags) && Object.entries(tags).flat().every(isText)))
    throw memberError("tags", "an object of texts");
  if (words !== undefined && !(Array.isArray(words) && words.every(isText)))
    throw memberError("words", "a list of texts");
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.isWellFormed();
}

function memberError(member: string, what: string): StoreError {
  return new StoreError("argument-invalid", `In a query, ${member} must be ${what}.`, {
    details: { member },
  });
}

function* terms(text: string): Generator<{ term: string; at: number }> {
  for (const match of text.matchAll(/(?:[^\s"]|"[^"]*"?)+/g)) {
    const term = match[0];
    if ((term.split('"').length - 1) % 2 !== 0)
      throw termError(term, match.index, "has a quote that is not closed");
    yield { term: term.replaceAll('"', ""), at: match.index };
  }
}

function termError(term: string, at: number, problem: string): StoreError {
  return new StoreError(
    "argument-invalid",
    `In the query, ${JSON.stringify(term)} at character ${at + 1} ${problem}.`,
    {
      hint: "Write kind:K, status:S, name:N, tag.KEY=VALUE or plain words.",
      details: { term, at },
    },
  );
}

/** True when every word stands in the name or the id. */
export function matchesWords(words: readonly string[], name: string, id: string): boolean {
  const texts = [name.toLowerCase(), id.toLowerCase()];
  return words.every((word) => texts.some((text) => matchesWord(word.toLowerCase(), text)));
}

function matchesWord(word: string, text: string): boolean {
  const open = word.startsWith("*");
  const ends = word.endsWith("*");
  const bare = word.slice(open ? 1 : 0, ends ? word.length - 1 : word.length);
  if (open === ends) return text.includes(bare);
  return open ? text.endsWith(bare) : text.startsWith(bare);
}
