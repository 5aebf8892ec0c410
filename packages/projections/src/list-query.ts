/** What `list` may ask for, and the text form of it. */
import { StoreError } from "@sennit/core";

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

/**
 * Reads a query as a person writes it: `kind:model tag.stage=prod status:valid bragg`. A value with spaces stands in
 * double quotes.
 *
 * @throws `argument-invalid`, naming the term and where it stands
 */
export function parseListQuery(text: string): ListQuery {
  const tags: Record<string, string> = {};
  const words: string[] = [];
  let kind: string | undefined;
  let status: ListStatus | undefined;
  for (const { term, at } of terms(text)) {
    const [, field, value = ""] = /^(kind|status|name|tag\.[^=]+)[:=](.*)$/s.exec(term) ?? [];
    if (field === undefined) {
      if (/^[a-z]+[:=]/.test(term)) throw termError(term, at, "is no field that can be searched");
      words.push(term);
    } else if (value === "") {
      throw termError(term, at, "has no value");
    } else if (field === "kind") {
      kind = value;
    } else if (field === "status") {
      status = parseListStatus(value);
    } else if (field === "name") {
      words.push(value);
    } else {
      tags[field.slice("tag.".length)] = value;
    }
  }
  return { kind, status, tags, words };
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
