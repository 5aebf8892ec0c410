/** Builds the lineage graph of a log that goes on growing meanwhile. */
import { must } from "../assert.ts";
import type { Entry } from "../codec/entry.ts";
import type { Position } from "../ids.ts";
import { LineageGraph } from "../lineage/graph.ts";
import type { ReadOptions } from "./event-log.ts";

/** What a graph is built from. */
interface GraphSource {
  /** The last durable position. */
  readonly head: () => Position;
  readEntries(options: ReadOptions): AsyncIterable<readonly Entry[]>;
  /** The last position decided, and an entry up to it, durable or not. */
  readonly decidedHead: () => Position;
  readonly decided: (position: Position) => Entry | undefined;
}

/** @param take gets the graph in the turn in which it has everything decided so far */
export async function loadGraph(
  source: GraphSource,
  take: (graph: LineageGraph) => void,
): Promise<LineageGraph> {
  const graph = new LineageGraph();
  while (graph.head < source.head()) {
    for await (const entries of source.readEntries({ from: graph.head + 1 })) {
      for (const { header } of entries) graph.apply(header);
    }
  }
  // From here to `take` nothing else runs, so no event can slip in between.
  while (graph.head < source.decidedHead()) {
    const entry = source.decided(graph.head + 1);
    graph.apply(must(entry, "a decided event is pending or stored").header);
  }
  take(graph);
  return graph;
}
