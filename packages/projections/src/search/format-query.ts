/** Writes a query in the one form that reads back as the same tree. */
import { formatTimestamp } from "@sennit/core";

import { searchFields } from "./fields.ts";
import { acceptBare, numberIn, rangeEnds } from "./literal.ts";
import type { Accepts, Bound, FieldTest, SearchNode } from "./search-query.ts";

/** The text of a query; `parseQuery` makes the same tree of it. The tree of no condition at all is an empty text. */
export function formatQuery(node: SearchNode): string {
  switch (node.type) {
    case "and":
      return node.parts.map((part) => grouped(part, part.type === "or")).join(" ");
    case "or":
      return node.parts.map((part) => grouped(part, part.type === "or")).join(" or ");
    case "not":
      return `-${grouped(node.part, node.part.type === "or" || node.part.type === "and")}`;
    case "word":
      return formatWord(node.pieces);
    default:
      return formatTest(node);
  }
}

function grouped(node: SearchNode, isGroup: boolean): string {
  return isGroup ? `(${formatQuery(node)})` : formatQuery(node);
}

/** A word between two stars is written without them, which means the same. */
function formatWord(pieces: readonly string[]): string {
  const [first, word = "", last] = pieces;
  if (pieces.length === 3 && first === "" && last === "" && word !== "") return quoted(word, true);
  return pieces.map((piece) => (piece === "" ? "" : quoted(piece, true))).join("*");
}

function formatTest({ field, path, isOther, accepts }: FieldTest): string {
  const { hasPath } = searchFields[field];
  const name = hasPath === true ? `${field}.${path.map(formatStep).join(".")}` : field;
  if (accepts.type === "any") return name;
  const equals = isOther ? "!=" : hasPath === true || accepts.type === "interval" ? "=" : ":";
  if (accepts.type !== "interval") return `${name}${equals}${formatAccepted(field, accepts)}`;
  const { from, to } = accepts;
  const bound = ({ value }: Bound) => formatBound(field, value);
  if (from === undefined && to === undefined) return name;
  if (from === undefined || to === undefined) {
    if (isOther) return `${name}!=${from ? bound(from) : ""}..${to ? bound(to) : ""}`;
    return from === undefined
      ? `${name}${to?.isInclusive === true ? "<=" : "<"}${to ? bound(to) : ""}`
      : `${name}${from.isInclusive ? ">=" : ">"}${bound(from)}`;
  }
  const isOne = from.value === to.value && hasPath !== true;
  return `${name}${equals}${isOne ? bound(from) : `${bound(from)}..${bound(to)}`}`;
}

function formatAccepted(field: FieldTest["field"], accepts: Accepts): string {
  switch (accepts.type) {
    case "equal": {
      const { text, other } = accepts;
      if (other !== undefined) return text;
      const meansMore = searchFields[field].value === "value" && !isTextAlone(text);
      return quoted(text, false, meansMore);
    }
    case "like":
      return accepts.pieces.map((piece) => (piece === "" ? "" : quoted(piece, false))).join("*");
    case "source": {
      const { ref, version } = accepts;
      return quoted(version === undefined ? ref : `${ref}@${version}`, false);
    }
    default:
      return "";
  }
}

/** True for a text that without quotes is a text and nothing else. */
function isTextAlone(text: string): boolean {
  const ends = rangeEnds(text);
  const isRange = ends?.every((end) => end === "" || numberIn(end) !== undefined) === true;
  const bare = acceptBare(text);
  return text !== ".." && !isRange && bare.type === "equal" && bare.other === undefined;
}

function formatBound(field: FieldTest["field"], value: number | string): string {
  if (typeof value === "string") return quoted(value, false, true);
  return searchFields[field].value === "time" ? formatTimestamp(value) : String(value);
}

function formatStep(step: string): string {
  return /^[\w-]+$/.test(step) ? step : quoted(step, true, true);
}

/** The text as it stands in a query: in quotes where it must. */
function quoted(text: string, isWord: boolean, isAlways = false): string {
  const special = isWord ? /[\s()":=<>!*]|^-|^(?:and|or|not)$/iu : /[\s()"*]/u;
  if (text !== "" && !isAlways && !special.test(text)) return text;
  return `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}
