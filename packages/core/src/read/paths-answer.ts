/** Answers `paths`: the ways in which one version rests on another. */
import { StoreError } from "../errors.ts";
import { limits } from "../limits.ts";
import { Pacer } from "../lineage/pacer.ts";
import { PathSearch } from "../lineage/paths.ts";
import { carriers } from "../lineage/walk.ts";
import { lineageEdge } from "./lineage-answer.ts";
import { checkedFilter } from "./lineage-options.ts";
import type { LineageEdge, LineagePaths, PathsOptions } from "./reader.ts";
import { mustFindRef, type ReadScope } from "./scope.ts";

const limitDefault = 100;

/** What may be asked of paths: a depth, say, would be taken for heeded. */
const knownOptions: Readonly<Record<keyof PathsOptions, true>> = {
  roles: true,
  relations: true,
  kinds: true,
  limit: true,
  signal: true,
};

export async function answerPaths(
  scope: ReadScope,
  one: string,
  other: string,
  options: PathsOptions,
): Promise<LineagePaths> {
  assertKnown(options);
  const { limit = limitDefault } = options;
  if (!Number.isInteger(limit) || limit < 1 || limit > limits.pathsMax) {
    throw new StoreError(
      "argument-invalid",
      `limit must be a whole number from 1 to ${limits.pathsMax}.`,
      { details: { limit } },
    );
  }
  const { asOf } = scope;
  const named = [mustFindRef(scope, one).entry, mustFindRef(scope, other).entry] as const;
  // What derives stands after its sources, so only the later content can rest on the other.
  const inOrder = named[0].contentPosition <= named[1].contentPosition;
  const [source, derived] = inOrder ? named : [named[1], named[0]];
  const graph = await scope.log.graph();
  const filter = checkedFilter(graph, options);
  const pacer = new Pacer(options.signal);
  const search = new PathSearch(graph, filter, { limit, edgesMax: limits.pathEdgesMax });
  if (source.contentPosition !== derived.contentPosition) {
    const targets = carriers(graph, source.contentPosition, asOf);
    await search.run(derived.position, targets, pacer);
  }
  const paths: LineageEdge[][] = [];
  for (const path of search.paths) {
    paths.push(
      path.map((step) => lineageEdge(graph, step.derived, graph.edgeSource(step.edge), step.edge)),
    );
    if (pacer.isDue) await pacer.turn();
  }
  return {
    derived: graph.refAt(derived.position),
    source: graph.refAt(source.position),
    asOf,
    paths,
    hasMore: search.hasMore,
  };
}

function assertKnown(options: PathsOptions): void {
  const unknown = Object.entries(options).find(
    ([name, value]) => value !== undefined && !Object.hasOwn(knownOptions, name),
  )?.[0];
  if (unknown === undefined) return;
  throw new StoreError(
    "argument-invalid",
    `paths has no option ${JSON.stringify(unknown)}; its options are ${Object.keys(knownOptions).join(", ")}.`,
    { details: { option: unknown } },
  );
}
