/** Answers `lineage`: the versions above or below one, and the edges between them. */
import { throwIfAborted } from "../abort.ts";
import { StoreError } from "../errors.ts";
import type { LineageGraph } from "../lineage/graph.ts";
import { ancestors, carriers, descendants, type WalkEdge, type WalkStep } from "../lineage/walk.ts";
import type { Lineage, LineageEdge, LineageNode, LineageOptions } from "./reader.ts";
import { foundVersion, mustFindRef, type ReadScope } from "./scope.ts";

export async function answerLineage(
  scope: ReadScope,
  ref: string,
  { direction = "ancestors", depth, signal }: LineageOptions,
): Promise<Lineage> {
  if (depth !== undefined && (!Number.isInteger(depth) || depth < 1)) {
    throw new StoreError("argument-invalid", "depth must be a whole number from 1.", {
      details: { depth },
    });
  }
  if (direction !== "ancestors" && direction !== "descendants") {
    throw new StoreError("argument-invalid", 'direction must be "ancestors" or "descendants".', {
      details: { direction },
    });
  }
  const { asOf } = scope;
  const start = mustFindRef(scope, ref).entry.position;
  const graph = await scope.log.graph();
  throwIfAborted(signal);
  const edges: LineageEdge[] = [];
  const onEdge = (edge: WalkEdge) => edges.push(lineageEdge(graph, edge));
  const walk = { asOf, depth, onEdge };
  const steps =
    direction === "ancestors"
      ? ancestors(graph, start, walk)
      : descendants(graph, [...carriers(graph, graph.contentOf(start), asOf)], walk);
  const nodes = [...steps].map((step) => lineageNode(scope, graph, step));
  return { of: graph.refAt(start), direction, asOf, nodes, edges };
}

function lineageNode(
  scope: ReadScope,
  graph: LineageGraph,
  { position, depth }: WalkStep,
): LineageNode {
  const ref = graph.refAt(position);
  const { versions, entry } = foundVersion(scope, ref);
  const { kind, name } = versions.document(entry);
  const isWithdrawn = graph.isWithdrawn(graph.contentOf(position), scope.asOf);
  const status = isWithdrawn ? "invalid" : "valid";
  return { ...ref, kind, name, status, depth, ...(entry.erased && { isErased: true }) };
}

/** An edge of a walk in its public form. */
export function lineageEdge(graph: LineageGraph, { derived, source, edge }: WalkEdge): LineageEdge {
  return {
    derived: graph.refAt(derived),
    source: graph.refAt(source),
    role: graph.edgeRole(edge),
    relation: graph.edgeRelation(edge),
  };
}
