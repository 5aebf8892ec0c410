/** All paths up from one version to another, shortest first, without recursion. */
import { must } from "../assert.ts";
import type { Position } from "../ids.ts";
import type { EdgeFilter } from "./edge-filter.ts";
import type { LineageGraph } from "./graph.ts";
import type { Pacer } from "./pacer.ts";
import { Walk } from "./walk.ts";

const stepsAtOnce = 1024;

/** One edge of a path: the version that derives, and the number of the edge. */
export interface PathEdge {
  readonly derived: Position;
  readonly edge: number;
}

/** The beginning of a path that certainly leads to the end. */
interface Beginning {
  readonly at: Position;
  /** Undefined for the beginning without an edge. */
  readonly edge: number;
  readonly before: Beginning | undefined;
  readonly length: number;
}

export interface PathBounds {
  /** Paths at most. */
  readonly limit: number;
  /** Edges of all paths together at most. */
  readonly edgesMax: number;
}

/**
 * Finds the paths. Versions from which the end cannot be reached are never entered, and of the others it is known how far
 * they are from it: so every beginning that is looked at becomes a path, and the work is the answer's size.
 */
export class PathSearch {
  /** Shortest first, and in an order that does not depend on the bounds: fewer are the first of more. */
  readonly paths: (readonly PathEdge[])[] = [];
  hasMore = false;
  readonly #graph: LineageGraph;
  readonly #filter: EdgeFilter | undefined;
  readonly #bounds: PathBounds;
  /** Steps from a version to the end, for those that lead there. */
  readonly #distance = new Map<Position, number>();
  /** Beginnings by the length of the shortest path they become. */
  readonly #waiting: Beginning[][] = [];
  #waitingCount = 0;
  #edgesLeft: number;

  constructor(graph: LineageGraph, filter: EdgeFilter | undefined, bounds: PathBounds) {
    this.#graph = graph;
    this.#filter = filter;
    this.#bounds = bounds;
    this.#edgesLeft = bounds.edgesMax;
  }

  /** @param ends the versions with the content to arrive at; `start` is none of them @throws `aborted` */
  async run(start: Position, ends: readonly Position[], pacer: Pacer): Promise<void> {
    await this.#measure(start, ends, pacer);
    if (!this.#distance.has(start)) return;
    this.#add({ at: start, edge: 0, before: undefined, length: 0 });
    let steps = 0;
    for (let length = 0; this.#waitingCount > 0; length += 1) {
      const waiting = this.#waiting[length] ?? [];
      // The last one first: it is followed to its end before another is begun.
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        this.#waitingCount -= 1;
        if (!this.#hasRoomFor(length)) {
          this.hasMore = true;
          return;
        }
        this.#goOn(next);
        steps += 1;
        if (steps % stepsAtOnce === 0 && pacer.isDue) await pacer.turn();
      }
    }
  }

  /** Works out how far from the end every version between the two is. */
  async #measure(start: Position, ends: readonly Position[], pacer: Pacer): Promise<void> {
    const graph = this.#graph;
    const first = must(ends[0], "a content is carried by a version");
    const options = { asOf: start, filter: this.#filter, notBefore: first };
    const walk = new Walk(graph, "ancestors", [start], options);
    try {
      while (!walk.run(stepsAtOnce)) if (pacer.isDue) await pacer.turn();
      for (const end of ends) if (walk.has(end)) this.#distance.set(end, 0);
    } finally {
      walk.end();
    }
    // Sources stand before what derives from them, so each is measured before it is asked for.
    const between = Uint32Array.from([start, ...walk.positions()]).toSorted();
    let steps = 0;
    for (const position of between) {
      this.#measureOne(position);
      steps += 1;
      if (steps % stepsAtOnce === 0 && pacer.isDue) await pacer.turn();
    }
  }

  #measureOne(position: Position): void {
    if (this.#distance.has(position)) return;
    let nearest = Infinity;
    for (const [source] of this.#followed(position)) {
      nearest = Math.min(nearest, this.#distance.get(source) ?? Infinity);
    }
    if (nearest !== Infinity) this.#distance.set(position, nearest + 1);
  }

  *#followed(position: Position): Generator<readonly [source: Position, edge: number]> {
    const graph = this.#graph;
    const end = graph.edgesEnd(position);
    for (let edge = graph.edgesStart(position); edge < end; edge += 1) {
      const source = graph.edgeSource(edge);
      if (this.#filter?.follows(graph, edge, source) !== false) yield [source, edge];
    }
  }

  #hasRoomFor(length: number): boolean {
    return this.paths.length < this.#bounds.limit && length <= this.#edgesLeft;
  }

  #goOn(beginning: Beginning): void {
    if (this.#distance.get(beginning.at) === 0) {
      this.#edgesLeft -= beginning.length;
      this.paths.push(edgesOf(beginning));
      return;
    }
    for (const [source, edge] of this.#followed(beginning.at)) {
      if (!this.#distance.has(source)) continue;
      this.#add({ at: source, edge, before: beginning, length: beginning.length + 1 });
    }
  }

  #add(beginning: Beginning): void {
    const rest = must(this.#distance.get(beginning.at), "a beginning leads to the end");
    const waiting = (this.#waiting[beginning.length + rest] ??= []);
    waiting.push(beginning);
    this.#waitingCount += 1;
    const { limit } = this.#bounds;
    if (waiting.length <= 2 * limit) return;
    // Each becomes at least one path of this length, so the turn of those under as many as paths wanted never comes. Only
    // they may go: which paths are found first must not depend on how many are wanted.
    this.#waitingCount -= waiting.splice(0, waiting.length - limit).length;
    this.hasMore = true;
  }
}

function edgesOf(whole: Beginning): PathEdge[] {
  const edges: PathEdge[] = [];
  let { before, edge } = whole;
  while (before !== undefined) {
    edges.push({ derived: before.at, edge });
    ({ before, edge } = before);
  }
  return edges.toReversed();
}
