/** What the value of a term means: a text, a number, a pattern, an instant. */
import { parseTimestamp } from "@sennit/core";

import type { Accepts, Bound } from "./search-query.ts";
import type { TextPart } from "./tokens.ts";

/** A number as JSON has it: `007` is none, because its zeros mean something. */
const numberPattern = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** The number that a text without quotes is; undefined for one that no number can hold. */
export function numberIn(text: string): number | undefined {
  const value = numberPattern.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}

/** The characters of a value, and whether any of them stood in quotes. */
export function joined(parts: readonly TextPart[]): {
  readonly text: string;
  readonly isQuoted: boolean;
} {
  return {
    text: parts.map(({ text }) => text).join(""),
    isQuoted: parts.some(({ isQuoted }) => isQuoted),
  };
}

/** The pieces between the stars outside quotes. */
export function piecesOf(parts: readonly TextPart[]): string[] {
  const pieces: string[] = [""];
  for (const { text, isQuoted } of parts) {
    const [first = "", ...others] = isQuoted ? [text] : text.split("*");
    pieces.push((pieces.pop() ?? "") + first, ...others);
  }
  return pieces;
}

/** What a text asks for where every value is text. */
export function acceptText(parts: readonly TextPart[]): Accepts {
  const pieces = piecesOf(parts);
  return pieces.length === 1
    ? { type: "equal", text: joined(parts).text }
    : { type: "like", pieces };
}

/** What a text asks for where values may be numbers, booleans and null. */
export function acceptValue(parts: readonly TextPart[]): Accepts {
  const { text, isQuoted } = joined(parts);
  const range = isQuoted ? undefined : numberRange(text);
  if (range !== undefined) return range;
  const accepts = acceptText(parts);
  return isQuoted || accepts.type !== "equal" ? accepts : acceptBare(text);
}

/** A text without quotes: also the number, boolean or null it reads as. */
export function acceptBare(text: string): Accepts {
  if (text === "true" || text === "false") return { type: "equal", text, other: text === "true" };
  if (text === "null") return { type: "equal", text, other: null };
  const number = numberIn(text);
  return number === undefined ? { type: "equal", text } : { type: "equal", text, other: number };
}

/** The two ends of `a..b`; undefined for a text that is no range. */
export function rangeEnds(text: string): readonly [from: string, to: string] | undefined {
  const at = text.indexOf("..");
  if (at === -1 || text === "..") return undefined;
  return [text.slice(0, at), text.slice(at + 2)];
}

function numberRange(text: string): Accepts | undefined {
  const [from = "", to = ""] = rangeEnds(text) ?? [];
  if (from === "" && to === "") return undefined;
  const ends = [from, to].map((end) => (end === "" ? null : numberIn(end)));
  const [low, high] = ends;
  if (low === undefined || high === undefined) return undefined;
  return interval(low ?? undefined, high ?? undefined);
}

/** From one value to another, both included; an end left out is open. */
export function interval(
  from: number | string | undefined,
  to: number | string | undefined,
): Accepts {
  return {
    type: "interval",
    ...(from !== undefined && { from: { value: from, isInclusive: true } }),
    ...(to !== undefined && { to: { value: to, isInclusive: true } }),
  };
}

function bound(value: number | string, isInclusive: boolean): Bound {
  return { value, isInclusive };
}

/** The values on one side of a value that may itself be an interval, such as a day. */
export function beside(
  operator: "<" | "<=" | ">" | ">=",
  low: number | string,
  high: number | string,
): Accepts {
  switch (operator) {
    case "<":
      return { type: "interval", to: bound(low, false) };
    case "<=":
      return { type: "interval", to: bound(high, true) };
    case ">":
      return { type: "interval", from: bound(high, false) };
    default:
      return { type: "interval", from: bound(low, true) };
  }
}

const dayUs = 24 * 60 * 60 * 1_000_000;

/** First and last microsecond of a date or a time; undefined for a text that is neither. */
export function instantsIn(text: string): readonly [first: number, last: number] | undefined {
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) {
    const first = parseTimestamp(`${text}T00:00:00Z`);
    return first === undefined ? undefined : [first, first + dayUs - 1];
  }
  const instant = parseTimestamp(text);
  return instant === undefined ? undefined : [instant, instant];
}
