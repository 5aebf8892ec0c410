/** Where the records that a condition may find are looked up: which index, and which part of it. */
import type { Position, RecordId, TagValue, Version } from "@sennit/core";

import type { KeyPart } from "../keys.ts";
import type { Span } from "../read-models/record-spans.ts";
import type { IndexTable } from "../read-models/records.ts";
import { accepted, hasPieces } from "./evaluate.ts";
import type { Accepts, Bound, FieldTest, SearchNode, WordTest } from "./search-query.ts";

/** A way to get at least the records that a condition finds. */
export type Source = SingleSource | { readonly type: "union"; readonly parts: readonly Source[] };

type SingleSource =
  | { readonly type: "span"; readonly rank: number; readonly label: string; readonly span: Span }
  | { readonly type: "id"; readonly rank: number; readonly label: string; readonly id: RecordId }
  | {
      readonly type: "ids";
      readonly rank: number;
      readonly label: string;
      readonly beginning: string;
      readonly fits: (recordId: RecordId) => boolean;
    }
  /** Records named one by one. */
  | {
      readonly type: "set";
      readonly rank: number;
      readonly label: string;
      readonly ids: ReadonlySet<RecordId>;
    }
  /** Records of which some version was withdrawn. */
  | { readonly type: "withdrawn"; readonly rank: number; readonly label: string }
  /** Records with an event, or created, between two positions, both included. */
  | {
      readonly type: "events";
      readonly rank: number;
      readonly label: string;
      readonly from: Position;
      readonly to: Position;
    }
  | {
      readonly type: "created";
      readonly rank: number;
      readonly label: string;
      readonly from: Position;
      readonly to: Position;
    };

/** What every source is measured against: all records there are. */
export const allRecords: Source = {
  type: "created",
  rank: 9,
  label: "all records",
  from: 1,
  to: Infinity,
};

/** What is asked beside the rows to find a source. */
export interface SourceFinder {
  /** The last position recorded at or before a time in microseconds. */
  readonly positionAt: (timeUs: number) => Promise<Position>;
  /** Records that may derive from a record; undefined when that is too dear to tell. */
  readonly dependantsOf: (
    recordId: RecordId,
    version: Version | undefined,
  ) => Promise<ReadonlySet<RecordId> | undefined>;
  /** Records that may be stale; undefined when that is too dear to tell. */
  readonly mayBeStale: () => Promise<ReadonlySet<RecordId> | undefined>;
}

/** The source of a condition on one field or a word; undefined where no index knows it. */
export async function sourceOf(
  test: FieldTest | WordTest,
  finder: SourceFinder,
): Promise<Source | undefined> {
  if (test.type === "word") return wordSource(test);
  const { field, accepts, isOther } = test;
  switch (field) {
    case "kind":
    case "name":
      return textSource(field, [], accepts, isOther);
    case "tag":
      return tagSource(test);
    case "id":
      return isOther ? undefined : idSource(accepts);
    case "created":
    case "recorded":
    case "position":
      return isOther ? undefined : positionSource(field, accepts, finder.positionAt);
    case "from":
      if (accepts.type !== "source") return undefined;
      return setOf("lineage", await finder.dependantsOf(accepts.ref, accepts.version));
    case "status": {
      if (accepts.type !== "equal" || isOther) return undefined;
      if (accepts.text === "invalid") {
        return { type: "withdrawn", rank: ranks.present, label: "what was withdrawn" };
      }
      const isStale = accepts.text === "stale";
      return isStale ? setOf("lineage of what has changed", await finder.mayBeStale()) : undefined;
    }
    default:
      return undefined;
  }
}

function holdsValue(accepts: Accepts, isOther: boolean): Span["holds"] {
  return (value: TagValue, _behind: KeyPart | undefined) => accepted(accepts, value) !== isOther;
}

function setOf(label: string, ids: ReadonlySet<RecordId> | undefined): Source | undefined {
  return ids === undefined ? undefined : { type: "set", rank: ranks.set, label, ids };
}

const ranks = {
  id: 0,
  point: 1,
  set: 2,
  range: 3,
  events: 4,
  created: 5,
  present: 6,
  scan: 7,
} as const;

function textSource(
  field: "kind" | "name" | "tag",
  place: readonly string[],
  accepts: Accepts,
  isOther: boolean,
): Source {
  const holds = holdsValue(accepts, isOther);
  const table: IndexTable = `by-${field}`;
  const label = [field, ...place].join(".");
  if (!isOther && accepts.type === "equal") {
    const values: TagValue[] = [accepts.text];
    const { other } = accepts;
    if (field === "tag" && other !== undefined && other !== null) values.push(other);
    const ranges = values.map((value) => ({ prefix: [...place, value] }));
    // The kind stands between a name and the creation.
    const isOrdered = ranges.length === 1 && field !== "name";
    const span = { table, place, ranges, isOrdered, holds };
    return { type: "span", rank: ranks.point, label: `${label}, one value`, span };
  }
  const range = isOther ? undefined : rangeOf(place, accepts);
  const ranges = [range ?? { prefix: place }];
  const span = { table, place, ranges, isOrdered: false, holds };
  if (range !== undefined) {
    return { type: "span", rank: ranks.range, label: `${label}, a range of values`, span };
  }
  const rank = place.length > 0 ? ranks.present : ranks.scan;
  return { type: "span", rank, label: `${label}, all values`, span };
}

/** The part of an index in which all values asked for stand. */
function rangeOf(place: readonly string[], accepts: Accepts): Span["ranges"][number] | undefined {
  if (accepts.type === "like") {
    const [beginning = ""] = accepts.pieces;
    return beginning === "" ? undefined : { prefix: place, begins: beginning };
  }
  if (accepts.type !== "interval") return undefined;
  const { from, to } = accepts;
  const isText = typeof (from ?? to)?.value === "string";
  const low = from?.value ?? (isText ? "" : -Infinity);
  // Texts come last in an index, so that those from one on go up to its end.
  const high = to?.value ?? (isText ? undefined : Infinity);
  return {
    prefix: place,
    from: [...place, low],
    ...(high !== undefined && { to: [...place, high] }),
  };
}

function tagSource({ path, accepts, isOther }: FieldTest): Source {
  return textSource("tag", path, accepts, isOther);
}

function idSource(accepts: Accepts): Source | undefined {
  if (accepts.type === "equal") {
    return { type: "id", rank: ranks.id, label: "id", id: accepts.text };
  }
  if (accepts.type !== "like") return undefined;
  const { pieces } = accepts;
  const [beginning = ""] = pieces;
  const rank = beginning === "" ? ranks.scan : ranks.range;
  const label = beginning === "" ? "id, all values" : "id, a range of values";
  return { type: "ids", rank, label, beginning, fits: (id) => hasPieces(id, pieces) };
}

function wordSource({ pieces }: WordTest): Source {
  const fits = (text: string) => hasPieces(text.toLowerCase(), pieces);
  const holds = (value: TagValue) => typeof value === "string" && fits(value);
  const span = {
    table: "by-name",
    place: [],
    ranges: [{ prefix: [] }],
    isOrdered: false,
    holds,
  } as const;
  return {
    type: "union",
    parts: [
      { type: "span", rank: ranks.scan, label: "name, all values", span },
      { type: "ids", rank: ranks.scan, label: "id, all values", beginning: "", fits },
    ],
  };
}

async function positionSource(
  field: "created" | "recorded" | "position",
  accepts: Accepts,
  positionAt: SourceFinder["positionAt"],
): Promise<Source | undefined> {
  if (accepts.type !== "interval") return undefined;
  const isTime = field !== "position";
  // The last position at or before a value; a bound that is not part of the interval lies just beside it.
  const until = async ({ value }: Bound, isBefore: boolean): Promise<Position> => {
    const number = Number(value) - (isBefore ? 1 : 0);
    return isTime ? positionAt(number) : number;
  };
  const { from, to } = accepts;
  const first = from === undefined ? 1 : (await until(from, from.isInclusive)) + 1;
  const last = to === undefined ? Infinity : await until(to, !to.isInclusive);
  // A version recorded before a position is of a record created before it; one after it has an event there.
  const type = field === "created" || from === undefined ? "created" : "events";
  return { type, rank: ranks[type], label: `${field}, by position`, from: first, to: last };
}

/** The parts of a query that must all hold. */
export function conjuncts(node: SearchNode): readonly SearchNode[] {
  return node.type === "and" ? node.parts : [node];
}
