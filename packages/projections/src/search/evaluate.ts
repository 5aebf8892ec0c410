/** Whether a record fits a query. */
import { isPlainObject, parseTimestamp, type JsonValue, type RecordView } from "@sennit/core";

import type { Accepts, Bound, FieldTest, SearchNode } from "./search-query.ts";

/** True when the record, as the reader's instant knows it, fits. The tree is as deep as the parser lets it be. */
export function fitsQuery(node: SearchNode, record: RecordView): boolean {
  switch (node.type) {
    case "and":
      return node.parts.every((part) => fitsQuery(part, record));
    case "or":
      return node.parts.some((part) => fitsQuery(part, record));
    case "not":
      return !fitsQuery(node.part, record);
    case "word":
      return [record.name, record.id].some((text) => hasPieces(text.toLowerCase(), node.pieces));
    default:
      return fitsTest(node, record);
  }
}

function fitsTest({ field, path, isOther, accepts }: FieldTest, record: RecordView): boolean {
  if (accepts.type === "source") {
    const { ref, version } = accepts;
    return record.derivedFrom.some(
      (source) => source.recordId === ref && (version === undefined || source.version === version),
    );
  }
  return valuesOf(field, path, record).some((value) => accepted(accepts, value) !== isOther);
}

/** The values a record has in a field; none where it has no such tag, attribute, actor or time. */
function valuesOf(
  field: FieldTest["field"],
  path: readonly string[],
  record: RecordView,
): readonly JsonValue[] {
  switch (field) {
    case "tag":
      return ownValue(record.tags, path[0] ?? "");
    case "attr":
      return path.reduce<readonly JsonValue[]>(
        (found, step) => found.flatMap((value) => ownValue(value, step)),
        [record.attributes],
      );
    case "uri":
      return record.uris;
    case "from":
      return [];
    case "status":
      return record.stale ? [record.status, "stale"] : [record.status];
    case "recorded":
      return timeOf(record.recordedAt);
    case "created":
      return timeOf(record.createdAt);
    case "occurred":
      return timeOf(record.occurredAt);
    case "actor":
      return record.actor === null ? [] : [record.actor];
    default:
      return [record[field]];
  }
}

/** A member of an object, or an item of a list by its number. */
function ownValue(value: JsonValue, step: string): readonly JsonValue[] {
  if (Array.isArray(value)) {
    const item: JsonValue | undefined = /^(?:0|[1-9]\d*)$/.test(step)
      ? (value as readonly JsonValue[])[Number(step)]
      : undefined;
    return item === undefined ? [] : [item];
  }
  if (!isPlainObject(value) || !Object.hasOwn(value, step)) return [];
  return [value[step] as JsonValue];
}

function timeOf(text: string | null): readonly number[] {
  const us = text === null ? undefined : parseTimestamp(text);
  return us === undefined ? [] : [us];
}

/** True when a value is one of those asked for. */
export function accepted(accepts: Accepts, value: JsonValue): boolean {
  switch (accepts.type) {
    case "any":
      return true;
    case "equal":
      return typeof value === "string" ? value === accepts.text : value === accepts.other;
    case "like":
      return typeof value === "string" && hasPieces(value, accepts.pieces);
    case "interval":
      return isAfter(value, accepts.from) && isBefore(value, accepts.to);
    default:
      return false;
  }
}

function isAfter(value: JsonValue, bound: Bound | undefined): boolean {
  if (bound === undefined) return true;
  const order = compareSame(value, bound.value);
  return order !== undefined && (order > 0 || (order === 0 && bound.isInclusive));
}

function isBefore(value: JsonValue, bound: Bound | undefined): boolean {
  if (bound === undefined) return true;
  const order = compareSame(value, bound.value);
  return order !== undefined && (order < 0 || (order === 0 && bound.isInclusive));
}

/** How two values of one type are ordered; undefined for two of different types. */
function compareSame(value: JsonValue, other: number | string): number | undefined {
  if (typeof value === "number" && typeof other === "number") return value - other;
  if (typeof value === "string" && typeof other === "string") return compareText(value, other);
  return undefined;
}

/** By code points, as the keys of rows are. */
function compareText(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** True when the first piece begins the text, the last one ends it, and the others stand between them in order. */
export function hasPieces(text: string, pieces: readonly string[]): boolean {
  const first = pieces[0] ?? "";
  if (pieces.length === 1) return text === first;
  const last = pieces.at(-1) ?? "";
  if (text.length < first.length + last.length) return false;
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  const until = text.length - last.length;
  let at = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, at);
    if (found === -1 || found + piece.length > until) return false;
    at = found + piece.length;
  }
  return true;
}
