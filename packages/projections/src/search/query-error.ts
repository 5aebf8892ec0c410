/** Errors that point at a place in a query. */
import { StoreError } from "@sennit/core";

/** A part of a query's text. */
export interface Place {
  /** Index of its first UTF-16 unit. */
  readonly at: number;
  readonly length: number;
}

export interface QueryProblem {
  /** What is wrong, as the rest of a sentence that begins with the text of the place. */
  readonly problem: string;
  readonly expected: string;
  readonly hint?: string | undefined;
}

/** UTF-16 units of the query shown on either side of the place. */
const shownAround = 40;

const doubleWidth =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303f\uff01-\uff60\uffe0-\uffe6]/gu;

/** The `query-invalid` error for a place in a query: its message shows the text with carets under the place. */
export function queryError(query: string, place: Place, about: QueryProblem): StoreError {
  const { at, length } = place;
  const { problem, expected } = about;
  return new StoreError(
    "query-invalid",
    `In the query, ${problem}.\n${excerpt(query, place).join("\n")}`,
    {
      hint: about.hint ?? `Expected ${expected}.`,
      details: { query, at, length, expected },
    },
  );
}

/** The line of the query around a place, and the line that marks it, as wide on a terminal. */
function excerpt(query: string, { at, length }: Place): [shown: string, marks: string] {
  const start = Math.max(0, at - shownAround);
  const end = Math.min(query.length, at + length + shownAround);
  const before = `${start > 0 ? "…" : ""}${plain(query.slice(start, at))}`;
  const place = plain(query.slice(at, at + Math.min(length, shownAround * 2)));
  const after = plain(query.slice(at + place.length, end));
  const cut = end < query.length ? "…" : "";
  return [
    `  ${before}${place}${after}${cut}`,
    `  ${inCells(before, " ")}${inCells(place, "^") || "^"}`,
  ];
}

/** A mark for each cell of the terminal that a text takes. */
function inCells(text: string, mark: string): string {
  return text
    .replaceAll(/\p{M}/gu, "")
    .replaceAll(doubleWidth, mark.repeat(2))
    .replaceAll(/./gu, mark);
}

/** Text on one line: what moves the cursor of a terminal is shown as a dot. */
function plain(text: string): string {
  return text.replaceAll(/\s/gu, " ").replaceAll(/[\p{Cc}\p{Cf}\p{Cs}]/gu, "·");
}
