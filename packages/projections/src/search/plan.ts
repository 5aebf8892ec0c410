/**
 * Chooses the index that a query is answered from.
 *
 * Of the conditions that must all hold, the one whose index names the fewest records is looked up, and each record it names is
 * checked against the whole query. How many it names is counted up to a bound, then up to a greater one; where that does not
 * tell, the order of the ranks does: an id, one value, lineage, a range, positions, a key, whole indexes, all records. An `or` is
 * looked up when each of its parts can be.
 */
import type { SpanReading } from "../read-models/record-spans.ts";
import { countSource } from "./candidates.ts";
import { allOf, type SearchNode } from "./search-query.ts";
import { allRecords, conjuncts, sourceOf, type Source, type SourceFinder } from "./sources.ts";

/** How a query is answered. */
export interface Plan {
  readonly source: Source;
  /** What the source does not say by itself. */
  readonly filter: SearchNode;
}

interface Option {
  readonly source: Source;
  /** The condition it stands for. */
  readonly part: SearchNode;
}

/** Rows counted before the choice is left to the ranks. */
const countBounds = [256, 4096] as const;
/** Parts of an `or` that are looked up whatever they name, and conditions that are counted up to the greater bound. */
const widePartsMax = 8;

/** What planning needs to know of the store. */
export interface PlanSettings {
  readonly reading: SpanReading;
  readonly finder: SourceFinder;
}

/** The plan for a query as of a position. */
export async function planQuery(node: SearchNode, settings: PlanSettings): Promise<Plan> {
  const option = await bestOption(node, settings);
  if (option === undefined) return { source: allRecords, filter: node };
  const others = conjuncts(node).filter((part) => part !== option.part);
  return { source: option.source, filter: allOf(others) };
}

async function bestOption(node: SearchNode, settings: PlanSettings): Promise<Option | undefined> {
  const options: Option[] = [];
  for (const part of conjuncts(node)) {
    const source = await sourceOfPart(part, settings);
    if (source !== undefined) options.push({ source, part });
  }
  return narrowest(options, settings.reading);
}

async function sourceOfPart(node: SearchNode, settings: PlanSettings): Promise<Source | undefined> {
  switch (node.type) {
    case "field":
    case "word":
      return sourceOf(node, settings.finder);
    case "or": {
      const parts: Source[] = [];
      for (const part of node.parts) {
        const option = await bestOption(part, settings);
        if (option === undefined) return undefined;
        parts.push(option.source);
      }
      const union: Source = { type: "union", parts };
      return (await isTooWide(union, settings.reading)) ? undefined : union;
    }
    default:
      return undefined;
  }
}

/** Many wide parts, each read by itself, are dearer than one look at every record. */
async function isTooWide(union: Source, reading: SpanReading): Promise<boolean> {
  if (union.type !== "union" || union.parts.length <= widePartsMax) return false;
  const [, bound] = countBounds;
  return (await countSource(reading, union, bound)) >= bound;
}

async function narrowest(
  options: readonly Option[],
  reading: SpanReading,
): Promise<Option | undefined> {
  const ranked = options.toSorted((a, b) => rankOf(a.source) - rankOf(b.source));
  if (ranked.length < 2) return ranked[0];
  for (const bound of countBounds) {
    let best: { readonly option: Option; readonly count: number } | undefined;
    const [small] = countBounds;
    for (const option of bound === small ? ranked : ranked.slice(0, widePartsMax)) {
      const count = await countSource(reading, option.source, best?.count ?? bound);
      if (count < (best?.count ?? bound)) best = { option, count };
      if (best?.count === 0) break;
    }
    if (best !== undefined) return best.option;
  }
  return ranked[0];
}

/** A union is as wide as its widest part. */
function rankOf(source: Source): number {
  return source.type === "union" ? Math.max(...source.parts.map(rankOf)) : source.rank;
}

/** What an index is called in an explanation. */
export function labelOf(source: Source): string {
  if (source.type !== "union") return source.label;
  return [...new Set(source.parts.map(labelOf))].join(" or ");
}
