/** Which edges a walk follows: by role, by relation, and by the kind of the version they reach. */
import type { Relation } from "../event/document.ts";
import type { Position } from "../ids.ts";
import type { LineageGraph } from "./graph.ts";

/** What is asked for; an edge must fit all that is given. */
export interface EdgeChoice {
  readonly roles?: readonly string[] | undefined;
  readonly relations?: readonly Relation[] | undefined;
  readonly kinds?: readonly string[] | undefined;
}

/** A choice in the numbers of a graph, so that each edge costs one or two look-ups. */
export class EdgeFilter {
  /** By number of a label, and of a kind: 1 for what is followed. Undefined: all are. */
  readonly #labels: Uint8Array | undefined;
  readonly #kinds: Uint8Array | undefined;

  private constructor(labels: Uint8Array | undefined, kinds: Uint8Array | undefined) {
    this.#labels = labels;
    this.#kinds = kinds;
  }

  /** Undefined when every edge is followed. */
  static of(graph: LineageGraph, { roles, relations, kinds }: EdgeChoice): EdgeFilter | undefined {
    if (roles === undefined && relations === undefined && kinds === undefined) return undefined;
    const isLabel = ({ role, relation }: { role: string | null; relation: Relation }) =>
      (roles === undefined || (role !== null && roles.includes(role))) &&
      (relations === undefined || relations.includes(relation));
    const hasLabels = roles !== undefined || relations !== undefined;
    return new EdgeFilter(
      hasLabels
        ? Uint8Array.from(graph.labels.labels, (label) => Number(isLabel(label)))
        : undefined,
      kinds === undefined
        ? undefined
        : Uint8Array.from(graph.kinds.texts, (kind) => Number(kinds.includes(kind))),
    );
  }

  /** @param reached the end of the edge that the walk comes to */
  follows(graph: LineageGraph, edge: number, reached: Position): boolean {
    if (this.#labels !== undefined && this.#labels[graph.edgeLabel(edge)] !== 1) return false;
    return this.#kinds === undefined || this.#kinds[graph.kindAt(reached)] === 1;
  }
}
