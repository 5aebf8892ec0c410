/** Graphs of random histories, and everything that can be asked of a graph, for comparing two. */
import type { EntryHeader } from "../codec/entry-header.ts";
import { LineageGraph } from "../lineage/graph.ts";
import { openMemoryStore } from "../open-store.ts";
import { EventPlanner, type HistoryStep } from "./arbitraries.ts";
import { Oracle } from "./oracle.ts";

/** The headers of a random history's events. */
export async function headersOf(steps: readonly HistoryStep[]): Promise<EntryHeader[]> {
  const store = await openMemoryStore();
  const oracle = new Oracle();
  const planner = new EventPlanner();
  for (const step of steps) {
    if (step.type !== "batch") continue;
    const batch = planner.plan(step.drafts, oracle);
    if (oracle.append(batch).code === null) await store.append(batch);
  }
  const headers: EntryHeader[] = [];
  for await (const entries of store.log.readEntries())
    headers.push(...entries.map(({ header }) => header));
  await store.close();
  return headers;
}

/** The graph of some headers. */
export function graphOf(headers: readonly EntryHeader[]): LineageGraph {
  const graph = new LineageGraph();
  for (const header of headers) graph.apply(header);
  return graph;
}

/** Everything that can be asked of a graph. */
export function dumpGraph(graph: LineageGraph, headers: readonly EntryHeader[]): unknown {
  const rows = headers.map(({ position, recordId, version }) => {
    const start = graph.edgesStart(position);
    const edges = Array.from({ length: graph.edgesEnd(position) - start }, (_, index) => [
      graph.edgeSource(start + index),
      graph.edgeRole(start + index),
      graph.edgeRelation(start + index),
    ]);
    const dependants: number[] = [];
    for (let edge = graph.newestDependant(position); edge !== 0;) {
      dependants.push(graph.edgeOwner(edge - 1));
      edge = graph.olderDependant(edge - 1);
    }
    return {
      position: graph.find({ recordId, version }),
      ref: graph.refAt(position),
      content: graph.contentOf(position),
      isInvalidation: graph.isInvalidation(position),
      next: graph.nextVersion(position),
      edges,
      dependants,
      facts: graph.factsAt(position),
      kind: graph.kinds.at(graph.kindAt(position)),
      isPinned: graph.isPinned(position, graph.head),
      isWithdrawn: graph.isWithdrawn(graph.contentOf(position)),
    };
  });
  return { head: graph.head, rows };
}
