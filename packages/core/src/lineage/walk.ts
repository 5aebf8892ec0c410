/** Walks over the lineage graph, breadth first, without recursion: a chain of any length is only a longer loop. */
import type { Position } from "../ids.ts";
import { NumberList } from "./columns.ts";
import type { EdgeFilter } from "./edge-filter.ts";
import type { LineageGraph } from "./graph.ts";
import type { Marks } from "./marks.ts";

export type LineageDirection = "ancestors" | "descendants";

export interface WalkOptions {
  readonly asOf: Position;
  /** Steps at most. Default: no limit. */
  readonly depth?: number | undefined;
  /** Edges that are followed. Default: all. */
  readonly filter?: EdgeFilter | undefined;
  /** No version before this position is reached. Default: all are. */
  readonly notBefore?: Position | undefined;
}

/** The edges of a walk, each once: of every version expanded, as far as they are followed. */
export class WalkEdges {
  readonly derived: NumberList = new NumberList();
  /** What each pins. */
  readonly source: NumberList = new NumberList();
  readonly edge: NumberList = new NumberList();

  get length(): number {
    return this.edge.length;
  }

  push(derived: Position, source: Position, edge: number): void {
    this.derived.push(derived);
    this.source.push(source);
    this.edge.push(edge);
  }
}

/**
 * The versions that the starts rest on, or those that rest on them, directly and transitively, each once, nearest first.
 *
 * On the way down: an invalidation makes a version with the content of the one before it, so what pins either rests on
 * the same content, and the walk follows both. A version made by an invalidation is a step of its own only where
 * something pins it.
 *
 * A walk goes on where it was left. Events appended meanwhile are not in it.
 */
export class Walk {
  /** The starts, and the positions reached, in the order in which they were. */
  readonly reached: NumberList = new NumberList();
  readonly startCount: number;
  /** The position each was reached through: what an edge to it, or from it, pins. 0 for a start. */
  readonly pinned: NumberList = new NumberList();
  /** How many had been reached at depth 0, 1, 2 and so on. */
  readonly levelEnds: NumberList = new NumberList(16);
  /** Undefined when they are not kept. */
  readonly edges: WalkEdges | undefined;
  readonly #graph: LineageGraph;
  readonly #expand: (via: Position) => void;
  readonly #asOf: Position;
  readonly #depth: number;
  readonly #notBefore: Position;
  readonly #filter: EdgeFilter | undefined;
  readonly #seen: Marks;
  /** Contents whose dependants have been looked at; undefined on the way up. */
  readonly #expanded: Marks | undefined;
  readonly #resting = new Resting();
  #next = 0;

  /** @param keepsEdges whether `edges` is wanted */
  constructor(
    graph: LineageGraph,
    direction: LineageDirection,
    starts: readonly Position[],
    options: WalkOptions,
    keepsEdges = false,
  ) {
    this.#graph = graph;
    this.#asOf = options.asOf;
    this.#depth = options.depth ?? Infinity;
    this.#notBefore = options.notBefore ?? 0;
    this.#filter = options.filter;
    this.edges = keepsEdges ? new WalkEdges() : undefined;
    this.#seen = graph.marks.take(graph.head + 1);
    const isUp = direction === "ancestors";
    this.#expanded = isUp ? undefined : graph.marks.take(graph.head + 1);
    this.#expand = isUp ? (via) => this.#expandUp(via) : (via) => this.#expandDown(via);
    for (const start of starts) this.#reach(start, 0);
    this.startCount = this.reached.length;
    this.levelEnds.push(this.startCount);
  }

  /** Goes on for so many versions. @returns whether the walk is at its end */
  run(expansions = Infinity): boolean {
    const until = this.#next + expansions;
    while (this.#next < this.reached.length) {
      if (this.#next === this.levelEnds.at(this.levelEnds.length - 1)) {
        this.levelEnds.push(this.reached.length);
      }
      if (this.levelEnds.length > this.#depth) return true;
      if (this.#next >= until) return false;
      this.#expand(this.reached.at(this.#next));
      this.#next += 1;
    }
    return true;
  }

  /** The positions reached, without the starts. */
  positions(): Position[] {
    const { startCount, reached } = this;
    const count = reached.length - startCount;
    return Array.from({ length: count }, (_, index) => reached.at(startCount + index));
  }

  /** Whether a position was reached, or is a start. */
  has(position: Position): boolean {
    return this.#seen.has(position);
  }

  /** Gives the walk's marks back to the graph; it cannot go on, nor tell what it has, afterwards. Call it once. */
  end(): void {
    this.#graph.marks.giveBack(this.#seen);
    if (this.#expanded !== undefined) this.#graph.marks.giveBack(this.#expanded);
  }

  #reach(position: Position, pinned: Position): void {
    if (!this.#seen.add(position)) return;
    this.reached.push(position);
    this.pinned.push(pinned);
  }

  #expandUp(via: Position): void {
    const graph = this.#graph;
    const end = graph.edgesEnd(via);
    for (let edge = graph.edgesStart(via); edge < end; edge += 1) {
      const source = graph.edgeSource(edge);
      if (source < this.#notBefore) continue;
      if (this.#filter?.follows(graph, edge, source) === false) continue;
      this.edges?.push(via, source, edge);
      this.#reach(source, source);
    }
  }

  #expandDown(via: Position): void {
    const graph = this.#graph;
    const content = graph.contentOf(via);
    if (this.#expanded?.add(content) !== true) return;
    const found = this.#resting;
    let source = content;
    do {
      this.#collect(source, found);
      source = graph.nextVersion(source);
    } while (source !== 0 && source <= this.#asOf && graph.isInvalidation(source));
    found.inOrder((derived, pinned, edge) => {
      this.edges?.push(derived, pinned, edge);
      this.#reach(derived, pinned);
    });
  }

  /** The versions that derive from exactly this version. */
  #collect(source: Position, found: Resting): void {
    const graph = this.#graph;
    const asOf = this.#asOf;
    let next = graph.newestDependant(source);
    for (; next !== 0; next = graph.olderDependant(next - 1)) {
      const edge = next - 1;
      let derived = graph.edgeOwner(edge);
      if (derived > asOf || this.#filter?.follows(graph, edge, derived) === false) continue;
      // The sources named by one version hold until a later version names its own.
      do {
        if (!graph.isInvalidation(derived) || graph.isPinned(derived, asOf)) {
          found.push(derived, source, edge);
        }
        derived = graph.nextVersion(derived);
      } while (derived !== 0 && derived <= asOf && !graph.setsEdges(derived));
    }
  }
}

/** Edges by which versions rest on one content, handed on in the order of the versions. */
class Resting {
  #found: { readonly derived: Position; readonly source: Position; readonly edge: number }[] = [];

  push(derived: Position, source: Position, edge: number): void {
    this.#found.push({ derived, source, edge });
  }

  inOrder(take: (derived: Position, source: Position, edge: number) => void): void {
    const found = this.#found;
    if (found.length === 0) return;
    this.#found = [];
    if (found.length > 1) found.sort((a, b) => a.derived - b.derived || a.edge - b.edge);
    for (const { derived, source, edge } of found) take(derived, source, edge);
  }
}

/** The versions that carry one content: the content version, then the invalidations before the next one. */
export function carriers(graph: LineageGraph, content: Position, asOf: Position): Position[] {
  const found: Position[] = [];
  let position = content;
  while (position !== 0 && position <= asOf) {
    found.push(position);
    position = graph.nextVersion(position);
    if (position !== 0 && !graph.isInvalidation(position)) break;
  }
  return found;
}
