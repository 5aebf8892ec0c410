/** Answers `lineage` and `lineageRefs`: the versions above or below one, and the edges between them. */
import { must } from "../assert.ts";
import type { Position } from "../ids.ts";
import type { LineageGraph } from "../lineage/graph.ts";
import { Pacer } from "../lineage/pacer.ts";
import { Walk, type LineageDirection } from "../lineage/walk.ts";
import { checkedDirection, checkedFilter, startsOf } from "./lineage-options.ts";
import { LongList } from "./long-list.ts";
import type {
  Lineage,
  LineageEdge,
  LineageNode,
  LineageOptions,
  LineageParts,
  LineageRef,
  LineageRefs,
} from "./reader.ts";
import { foundVersion, mustFindRef, type ReadScope } from "./scope.ts";
import { whenReadable } from "./when-readable.ts";

/** Versions that a walk goes over, or that are named, between two looks at the clock. */
const stepsAtOnce = 2048;
/** The same for versions that are read from the log. */
const readsAtOnce = 64;
/** Items of a lineage in a piece of it. */
const itemsPerPiece = 512;

export async function answerLineage(
  scope: ReadScope,
  ref: string,
  options: LineageOptions,
): Promise<Lineage> {
  const { nodes, edges, ...about } = await answerLineageParts(scope, ref, options);
  return { ...about, nodes: await nodes.all(), edges: await edges.all() };
}

/** The walk is done when this resolves; the lists are read from it, and from the log, as they are taken. */
export async function answerLineageParts(
  scope: ReadScope,
  ref: string,
  options: LineageOptions,
): Promise<LineageParts> {
  const { graph, of, direction, walk, pacer } = await walked(scope, ref, options, true);
  return {
    of: graph.refAt(of),
    direction,
    asOf: scope.asOf,
    nodes: new LongList(walk.reached.length - walk.startCount, nodesOf(scope, graph, walk, pacer)),
    edges: new LongList(walk.edges?.length ?? 0, edgesOf(graph, walk, pacer)),
  };
}

async function* nodesOf(
  scope: ReadScope,
  graph: LineageGraph,
  walk: Walk,
  pacer: Pacer,
): AsyncGenerator<readonly LineageNode[]> {
  let steps: Step[] = [];
  const read = async () => {
    const nodes: LineageNode[] = [];
    for (const [position, depth] of steps) {
      nodes.push(lineageNode(scope, graph, position, depth));
      if (nodes.length % readsAtOnce === 0 && pacer.isDue) await pacer.turn();
    }
    return nodes;
  };
  for (const step of stepsOf(walk)) {
    steps.push(step);
    if (steps.length < itemsPerPiece) continue;
    yield await whenReadable(scope.log, read);
    steps = [];
  }
  if (steps.length > 0) yield await whenReadable(scope.log, read);
}

async function* edgesOf(
  graph: LineageGraph,
  walk: Walk,
  pacer: Pacer,
): AsyncGenerator<readonly LineageEdge[]> {
  const count = walk.edges?.length ?? 0;
  for (let start = 0; start < count; start += itemsPerPiece) {
    const edges: LineageEdge[] = [];
    const end = Math.min(count, start + itemsPerPiece);
    for (let index = start; index < end; index += 1) edges.push(edgeOf(graph, walk.edges, index));
    if (pacer.isDue) await pacer.turn();
    yield edges;
  }
}

export async function answerLineageRefs(
  scope: ReadScope,
  ref: string,
  options: LineageOptions,
): Promise<LineageRefs> {
  const { graph, of, direction, walk, pacer } = await walked(scope, ref, options, false);
  const nodes: LineageRef[] = [];
  for (let level = 1; level < walk.levelEnds.length; level += 1) {
    const end = walk.levelEnds.at(level);
    for (let index = walk.levelEnds.at(level - 1); index < end; index += 1) {
      const position = walk.reached.at(index);
      nodes.push({
        recordId: graph.recordIdAt(position),
        version: graph.versionAt(position),
        depth: level,
      });
      if (nodes.length % stepsAtOnce === 0 && pacer.isDue) await pacer.turn();
    }
  }
  return { of: graph.refAt(of), direction, asOf: scope.asOf, nodes };
}

interface Walked {
  readonly graph: LineageGraph;
  readonly of: Position;
  readonly direction: LineageDirection;
  /** At its end. */
  readonly walk: Walk;
  readonly pacer: Pacer;
}

async function walked(
  scope: ReadScope,
  ref: string,
  options: LineageOptions,
  keepsEdges: boolean,
): Promise<Walked> {
  const direction = checkedDirection(options);
  const { asOf } = scope;
  const of = mustFindRef(scope, ref).entry.position;
  const graph = await scope.log.graph();
  const filter = checkedFilter(graph, options);
  const pacer = new Pacer(options.signal);
  const starts = startsOf(graph, of, direction, asOf);
  const { depth } = options;
  const walk = new Walk(graph, direction, starts, { asOf, depth, filter }, keepsEdges);
  await finishWalk(walk, pacer);
  return { graph, of, direction, walk, pacer };
}

/** Walks to the end and gives the marks back. @throws `aborted` */
export async function finishWalk(walk: Walk, pacer: Pacer): Promise<void> {
  try {
    while (!walk.run(stepsAtOnce)) if (pacer.isDue) await pacer.turn();
  } finally {
    walk.end();
  }
}

type Step = readonly [position: Position, depth: number];

/** What a walk reached, each with its depth, nearest first. */
export function* stepsOf(walk: Walk): Generator<Step> {
  for (let level = 1; level < walk.levelEnds.length; level += 1) {
    const end = walk.levelEnds.at(level);
    for (let index = walk.levelEnds.at(level - 1); index < end; index += 1) {
      yield [walk.reached.at(index), level];
    }
  }
}

/** One version with what the log says of it. */
export function lineageNode(
  scope: ReadScope,
  graph: LineageGraph,
  position: Position,
  depth: number,
): LineageNode {
  const content = graph.contentOf(position);
  const kind = graph.kinds.at(graph.kindAt(position));
  const status = graph.isWithdrawn(content, scope.asOf) ? "invalid" : "valid";
  const recordId = graph.recordIdAt(position);
  const version = graph.versionAt(position);
  // Most content is a creation's, and of that the graph knows all but the name.
  const created = graph.isCreation(content) ? scope.state.createdName(content) : undefined;
  if (created !== undefined) return { recordId, version, kind, name: created, status, depth };
  const { versions, entry } = foundVersion(scope, { recordId, version });
  const { name } = versions.document(entry);
  const node = { recordId, version, kind, name, status, depth } as const;
  return entry.erased ? { ...node, isErased: true } : node;
}

/** All edges that a walk has kept, in their public form. @throws `aborted` */
export function pacedEdges(graph: LineageGraph, walk: Walk, pacer: Pacer): Promise<LineageEdge[]> {
  return new LongList(walk.edges?.length ?? 0, edgesOf(graph, walk, pacer)).all();
}

function edgeOf(graph: LineageGraph, edges: Walk["edges"], index: number): LineageEdge {
  const { derived, source, edge } = must(edges, "the walk kept its edges");
  return lineageEdge(graph, derived.at(index), source.at(index), edge.at(index));
}

/** An edge in its public form. */
export function lineageEdge(
  graph: LineageGraph,
  derived: Position,
  source: Position,
  edge: number,
): LineageEdge {
  return {
    derived: graph.refAt(derived),
    source: graph.refAt(source),
    role: graph.edgeRole(edge),
    relation: graph.edgeRelation(edge),
  };
}
