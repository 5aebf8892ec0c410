/** A query as a tree: what the text form, the object form and the planner have in common. */
import type { Version } from "@sennit/core";

/** Fields a term can name. `tag` and `attr` have a path. */
export type SearchField =
  | "kind"
  | "name"
  | "id"
  | "actor"
  | "uri"
  | "status"
  | "from"
  | "tag"
  | "attr"
  | "recorded"
  | "created"
  | "occurred"
  | "position"
  | "version";

/** One end of an interval. */
export interface Bound {
  readonly value: number | string;
  readonly isInclusive: boolean;
}

/** Which values of a field are asked for. Times are microseconds since the epoch. */
export type Accepts =
  | { readonly type: "any" }
  /** A text, and whatever else the same characters mean without quotes. */
  | {
      readonly type: "equal";
      readonly text: string;
      readonly other?: number | boolean | null | undefined;
    }
  /** A text that holds these pieces in order, the first at its beginning and the last at its end. */
  | { readonly type: "like"; readonly pieces: readonly string[] }
  /** Values between two of one type; either end may be open. Values of another type have no place in it. */
  | {
      readonly type: "interval";
      readonly from?: Bound | undefined;
      readonly to?: Bound | undefined;
    }
  | { readonly type: "source"; readonly ref: string; readonly version?: Version | undefined };

/** A condition on one field. */
export interface FieldTest {
  readonly type: "field";
  readonly field: SearchField;
  /** A tag's key, or the steps to an attribute; empty for all other fields. */
  readonly path: readonly string[];
  /** True for `!=`: the field is there, and its value is not one of those. */
  readonly isOther: boolean;
  readonly accepts: Accepts;
}

/** A word that must stand in the name or the id; its pieces are in lower case. */
export interface WordTest {
  readonly type: "word";
  readonly pieces: readonly string[];
}

export type SearchNode =
  | { readonly type: "and" | "or"; readonly parts: readonly SearchNode[] }
  | { readonly type: "not"; readonly part: SearchNode }
  | FieldTest
  | WordTest;

/** All parts must hold. */
export function allOf(parts: readonly SearchNode[]): SearchNode {
  const flat = parts.flatMap((part) => (part.type === "and" ? part.parts : [part]));
  return flat.length === 1 && flat[0] !== undefined ? flat[0] : { type: "and", parts: flat };
}

/** One part must hold. */
export function anyOf(parts: readonly SearchNode[]): SearchNode {
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : { type: "or", parts };
}

/** What does not fit the node. */
export function negated(node: SearchNode): SearchNode {
  return node.type === "not" ? node.part : { type: "not", part: node };
}

/** The pieces of a word: without a star at either end it may stand anywhere. */
export function wordTest(pieces: readonly string[]): WordTest {
  const lower = pieces.map((piece) => piece.toLowerCase());
  return { type: "word", pieces: lower.length === 1 ? ["", ...lower, ""] : lower };
}

/**
 * Two conditions of which a record can fit one at most, because they ask for different values of a field that has one.
 * Patterns, ranges and negations are let pass: they only find nothing.
 */
export function contradiction(
  parts: readonly SearchNode[],
): readonly [first: FieldTest, second: FieldTest] | undefined {
  const seen = new Map<string, FieldTest>();
  for (const part of parts) {
    if (part.type !== "field" || part.isOther || part.accepts.type !== "equal") continue;
    if (!singleFields.has(part.field)) continue;
    const place = JSON.stringify([part.field, part.path]);
    const before = seen.get(place) ?? part;
    if (!canBeSame(before.accepts, part.accepts)) return [before, part];
    seen.set(place, before);
  }
  return undefined;
}

/** Not `status`: a stale record is valid. */
const singleFields: ReadonlySet<SearchField> = new Set([
  "kind",
  "name",
  "id",
  "actor",
  "tag",
  "attr",
]);

function canBeSame(a: Accepts, b: Accepts): boolean {
  if (a.type !== "equal" || b.type !== "equal") return true;
  return a.text === b.text || (a.other !== undefined && a.other === b.other);
}

/** The tree with every source named by what a function makes of it. */
export async function mapSources(
  node: SearchNode,
  rename: (ref: string) => Promise<string>,
): Promise<SearchNode> {
  switch (node.type) {
    case "and":
    case "or": {
      const parts: SearchNode[] = [];
      for (const part of node.parts) parts.push(await mapSources(part, rename));
      return { ...node, parts };
    }
    case "not":
      return { ...node, part: await mapSources(node.part, rename) };
    case "field": {
      const { accepts } = node;
      if (accepts.type !== "source") return node;
      return { ...node, accepts: { ...accepts, ref: await rename(accepts.ref) } };
    }
    default:
      return node;
  }
}
