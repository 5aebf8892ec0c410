/** Walks over the lineage graph, breadth first, without recursion: a chain of any length is only a longer loop. */
import type { Position } from "../ids.ts";
import { NumberList } from "./columns.ts";
import type { LineageGraph } from "./graph.ts";

export type LineageDirection = "ancestors" | "descendants";

/** One step of a walk: a version reached for the first time. */
export interface WalkStep {
  readonly position: Position;
  /** Steps from the start: 1 for direct sources or dependants. */
  readonly depth: number;
  /** The version it was reached from. */
  readonly via: Position;
  /** The version the edge pins: what `via` carries the content of, on the way down. */
  readonly pinned: Position;
}

/** One edge met on a walk, by its two ends and its number. */
export interface WalkEdge {
  readonly derived: Position;
  readonly source: Position;
  readonly edge: number;
}

export interface WalkOptions {
  readonly asOf: Position;
  /** Steps at most. Default: no limit. */
  readonly depth?: number | undefined;
  /** Called for every edge of every version expanded, once each. */
  readonly onEdge?: ((edge: WalkEdge) => void) | undefined;
}

/** The versions a start rests on, directly and transitively, each once, nearest first. */
export function* ancestors(
  graph: LineageGraph,
  start: Position,
  { depth = Infinity, onEdge }: WalkOptions,
): Generator<WalkStep> {
  const seen = new Set<Position>([start]);
  const queue = new NumberList();
  const depths = new NumberList();
  queue.push(start);
  depths.push(0);
  for (let index = 0; index < queue.length; index += 1) {
    const via = queue.at(index);
    const level = depths.at(index);
    if (level >= depth) return;
    const { start: first, end } = graph.edgesOf(via);
    for (let edge = first; edge < end; edge += 1) {
      const position = graph.edgeSource(edge);
      onEdge?.({ derived: via, source: position, edge });
      if (seen.has(position)) continue;
      seen.add(position);
      queue.push(position);
      depths.push(level + 1);
      yield { position, depth: level + 1, via, pinned: position };
    }
  }
}

/**
 * The versions that rest on any of the starts, directly and transitively, each once, nearest first.
 *
 * An invalidation makes a version with the content of the one before it, so what pins either rests on the same
 * content: the walk follows both. A version made by an invalidation is a step of its own only where something pins it.
 */
export function* descendants(
  graph: LineageGraph,
  starts: readonly Position[],
  { asOf, depth = Infinity, onEdge }: WalkOptions,
): Generator<WalkStep> {
  const seen = new Set<Position>(starts);
  const expanded = new Set<Position>();
  const queue = new NumberList();
  const depths = new NumberList();
  for (const start of starts) {
    queue.push(start);
    depths.push(0);
  }
  for (let index = 0; index < queue.length; index += 1) {
    const via = queue.at(index);
    const level = depths.at(index);
    if (level >= depth) return;
    const content = graph.contentOf(via);
    if (expanded.has(content)) continue;
    expanded.add(content);
    for (const { derived: position, source: pinned, edge } of restingOn(graph, content, asOf)) {
      onEdge?.({ derived: position, source: pinned, edge });
      if (seen.has(position)) continue;
      seen.add(position);
      queue.push(position);
      depths.push(level + 1);
      yield { position, depth: level + 1, via, pinned };
    }
  }
}

/** The edges by which versions rest on a content, in the order of the versions. */
function restingOn(graph: LineageGraph, content: Position, asOf: Position): WalkEdge[] {
  const edges: WalkEdge[] = [];
  for (const source of carriers(graph, content, asOf)) {
    for (const { position, edge } of graph.dependantsOf(source, asOf)) {
      if (graph.isInvalidation(position) && !graph.isPinned(position, asOf)) continue;
      edges.push({ derived: position, source, edge });
    }
  }
  return edges.toSorted((a, b) => a.derived - b.derived || a.edge - b.edge);
}

/** The versions that carry one content: the content version, then the invalidations before the next one. */
export function* carriers(
  graph: LineageGraph,
  content: Position,
  asOf: Position,
): Generator<Position> {
  let position = content;
  while (position !== 0 && position <= asOf) {
    yield position;
    position = graph.nextVersion(position);
    if (position !== 0 && !graph.isInvalidation(position)) return;
  }
}
