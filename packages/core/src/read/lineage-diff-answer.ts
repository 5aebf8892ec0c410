/** Answers `lineageDiff`: what joined a closure, or was withdrawn in it, between two positions. */
import { StoreError } from "../errors.ts";
import type { Position } from "../ids.ts";
import type { LineageGraph } from "../lineage/graph.ts";
import { Pacer } from "../lineage/pacer.ts";
import { Walk, type LineageDirection, type WalkOptions } from "../lineage/walk.ts";
import { finishWalk, lineageNode, stepsOf } from "./lineage-answer.ts";
import { checkedDirection, checkedFilter, startsOf } from "./lineage-options.ts";
import type { LineageChange, LineageDiff, LineageOptions } from "./reader.ts";
import { mustFindRef, type ReadScope } from "./scope.ts";

const stepsAtOnce = 256;

export async function answerLineageDiff(
  scope: ReadScope,
  ref: string,
  from: Position,
  options: LineageOptions,
): Promise<LineageDiff> {
  const { asOf } = scope;
  const direction = checkedDirection(options);
  if (!Number.isInteger(from) || from < 0 || from > asOf) {
    throw new StoreError("argument-invalid", `from must be a position from 0 to ${asOf}.`, {
      details: { from, asOf },
    });
  }
  const of = mustFindRef(scope, ref).entry.position;
  const graph = await scope.log.graph();
  const { depth } = options;
  const filter = checkedFilter(graph, options);
  const pacer = new Pacer(options.signal);
  const before = await closureAt(graph, of, direction, { asOf: from, depth, filter }, pacer);
  const starts = startsOf(graph, of, direction, asOf);
  const walk = new Walk(graph, direction, starts, { asOf, depth, filter });
  await finishWalk(walk, pacer);
  const nodes: LineageChange[] = [];
  let steps = 0;
  for (const [position, level] of stepsOf(walk)) {
    const content = graph.contentOf(position);
    const isNew = !before.has(position);
    if (isNew || (graph.isWithdrawn(content, asOf) && !graph.isWithdrawn(content, from))) {
      const change = isNew ? "joined" : "withdrawn";
      nodes.push({ ...lineageNode(scope, graph, position, level), change });
    }
    steps += 1;
    if (steps % stepsAtOnce === 0 && pacer.isDue) await pacer.turn();
  }
  return { of: graph.refAt(of), direction, from, to: asOf, nodes };
}

/** What a version's closure held at an earlier position, the version made later included: its content may be older. */
async function closureAt(
  graph: LineageGraph,
  of: Position,
  direction: LineageDirection,
  options: WalkOptions,
  pacer: Pacer,
): Promise<ReadonlySet<Position>> {
  const content = graph.contentOf(of);
  if (content > options.asOf) return new Set();
  const walk = new Walk(
    graph,
    direction,
    startsOf(graph, content, direction, options.asOf),
    options,
  );
  await finishWalk(walk, pacer);
  return new Set(walk.positions());
}
