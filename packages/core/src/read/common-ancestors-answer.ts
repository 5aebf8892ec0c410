/** Answers `commonAncestors`: what two versions both rest on. */
import type { Position } from "../ids.ts";
import type { EdgeFilter } from "../lineage/edge-filter.ts";
import type { LineageGraph } from "../lineage/graph.ts";
import { Pacer } from "../lineage/pacer.ts";
import { Walk } from "../lineage/walk.ts";
import { finishWalk, lineageNode, stepsOf } from "./lineage-answer.ts";
import { checkedFilter } from "./lineage-options.ts";
import type { CommonAncestor, CommonAncestors, CommonAncestorsOptions } from "./reader.ts";
import { mustFindRef, type ReadScope } from "./scope.ts";

const stepsAtOnce = 256;

export async function answerCommonAncestors(
  scope: ReadScope,
  first: string,
  second: string,
  options: CommonAncestorsOptions,
): Promise<CommonAncestors> {
  const { asOf } = scope;
  const starts = [first, second].map((ref) => mustFindRef(scope, ref).entry.position);
  const [one, other] = starts as [Position, Position];
  const graph = await scope.log.graph();
  const filter = checkedFilter(graph, options);
  const pacer = new Pacer(options.signal);
  const depthsOfOne = await contentDepths(graph, one, { asOf, filter }, pacer);
  const depthsOfOther = await contentDepths(graph, other, { asOf, filter }, pacer);
  const common = [...depthsOfOne.keys()].filter((content) => depthsOfOther.has(content));
  const covered = new Set(common.flatMap((content) => sourcesOf(graph, content, filter)));
  const nodes: CommonAncestor[] = [];
  for (const content of common) {
    const { depth: _, ...node } = lineageNode(scope, graph, content, 0);
    const depths = [depthsOfOne.get(content) ?? 0, depthsOfOther.get(content) ?? 0] as const;
    nodes.push({ ...node, depths, isNearest: !covered.has(content) });
    if (nodes.length % stepsAtOnce === 0 && pacer.isDue) await pacer.turn();
  }
  return {
    of: [graph.refAt(one), graph.refAt(other)],
    asOf,
    nodes: nodes.toSorted((a, b) => stepsTo(a) - stepsTo(b)),
  };
}

function stepsTo({ depths }: CommonAncestor): number {
  return depths[0] + depths[1];
}

/** The contents a version rests on, and its own, with the steps to each. */
async function contentDepths(
  graph: LineageGraph,
  start: Position,
  options: { readonly asOf: Position; readonly filter: EdgeFilter | undefined },
  pacer: Pacer,
): Promise<Map<Position, number>> {
  const walk = new Walk(graph, "ancestors", [start], options);
  await finishWalk(walk, pacer);
  const depths = new Map([[graph.contentOf(start), 0]]);
  for (const [position, depth] of stepsOf(walk)) {
    const content = graph.contentOf(position);
    if (!depths.has(content)) depths.set(content, depth);
  }
  return depths;
}

/** What of the contents both rest on is a source of another: all that any common one rests on is common, too. */
function sourcesOf(
  graph: LineageGraph,
  content: Position,
  filter: EdgeFilter | undefined,
): Position[] {
  const sources: Position[] = [];
  const end = graph.edgesEnd(content);
  for (let edge = graph.edgesStart(content); edge < end; edge += 1) {
    const source = graph.edgeSource(edge);
    if (filter?.follows(graph, edge, source) !== false) sources.push(graph.contentOf(source));
  }
  return sources;
}
