/** The oracle's answers to the finer questions of lineage, by trying everything. */
import type { RecordVersionRef } from "../ids.ts";
import type { LineageDirection } from "../lineage/walk.ts";
import type { LineageChange, LineageEdge, LineageFilter } from "../read/reader.ts";
import type { OracleLineage, OracleReader } from "./oracle-reader.ts";

const textOf = ({ recordId, version }: RecordVersionRef) => `${recordId}@${version}`;

/** What is left of a lineage when only some edges are followed: found by growing it from the start until nothing is added. */
export function filteredLineage(
  reader: OracleReader,
  ref: RecordVersionRef,
  direction: LineageDirection,
  filter: LineageFilter,
): OracleLineage {
  const isUp = direction === "ancestors";
  const whole = isUp ? reader.ancestors(ref) : reader.descendants(ref);
  const nodeOf = new Map(whole.nodes.map((node) => [textOf(node), node]));
  const followed = whole.edges.filter((edge) => {
    const reached = nodeOf.get(textOf(isUp ? edge.source : edge.derived));
    return (
      (filter.roles === undefined || (edge.role !== null && filter.roles.includes(edge.role))) &&
      (filter.relations === undefined || filter.relations.includes(edge.relation)) &&
      (filter.kinds === undefined || filter.kinds.includes(reached?.kind ?? ""))
    );
  });
  const contentKey = (end: RecordVersionRef) => (isUp ? textOf(end) : reader.contentText(end));
  const depths = new Map([[contentKey(ref), 0]]);
  const edges = new Set<LineageEdge>();
  for (let depth = 0; ; depth += 1) {
    const level = followed.filter(
      (edge) => depths.get(contentKey(isUp ? edge.derived : edge.source)) === depth,
    );
    if (level.length === 0) break;
    for (const edge of level) {
      edges.add(edge);
      const key = contentKey(isUp ? edge.source : edge.derived);
      if (!depths.has(key)) depths.set(key, depth + 1);
    }
  }
  const met = new Set([...edges].map((edge) => textOf(isUp ? edge.source : edge.derived)));
  const nodes = whole.nodes
    .filter((node) => met.has(textOf(node)))
    .map((node) => ({ ...node, depth: depths.get(contentKey(node)) ?? -1 }));
  return { nodes, edges: [...edges] };
}

/** Every way up from one version to the content of another, shortest first. */
export function allPaths(
  reader: OracleReader,
  derived: RecordVersionRef,
  source: RecordVersionRef,
): LineageEdge[][] {
  const { edges } = reader.ancestors(derived);
  const end = reader.contentText(source);
  const paths: LineageEdge[][] = [];
  const begun: LineageEdge[][] = [[]];
  for (let path = begun.pop(); path !== undefined; path = begun.pop()) {
    const at = path.at(-1)?.source ?? derived;
    if (path.length > 0 && reader.contentText(at) === end) paths.push(path);
    else
      for (const edge of edges) {
        if (textOf(edge.derived) === textOf(at)) begun.push([...path, edge]);
      }
  }
  return paths.toSorted((a, b) => a.length - b.length);
}

/** The contents that two versions rest on or are, with the steps to each from both, and which no other rests on. */
export function commonContents(
  reader: OracleReader,
  one: RecordVersionRef,
  other: RecordVersionRef,
): Map<string, { readonly depths: readonly [number, number]; readonly isNearest: boolean }> {
  const first = contentDepths(reader, one);
  const second = contentDepths(reader, other);
  const common = [...first.keys()].filter((content) => second.has(content));
  return new Map(
    common.map((content) => {
      const restsOnIt = (above: string) =>
        above !== content && contentDepths(reader, reader.refOf(above)).has(content);
      const depths = [first.get(content) ?? -1, second.get(content) ?? -1] as const;
      return [content, { depths, isNearest: !common.some(restsOnIt) }];
    }),
  );
}

function contentDepths(reader: OracleReader, ref: RecordVersionRef): Map<string, number> {
  const depths = new Map([[reader.contentText(ref), 0]]);
  for (const node of reader.ancestors(ref).nodes.toSorted((a, b) => a.depth - b.depth)) {
    const key = reader.contentText(node);
    if (!depths.has(key)) depths.set(key, node.depth);
  }
  return depths;
}

/** What is in a closure now and was not then, or was valid then and is not now. */
export function closureChanges(
  now: OracleReader,
  then: OracleReader,
  ref: RecordVersionRef,
  direction: LineageDirection,
): LineageChange[] {
  const content = now.refOf(now.contentText(ref));
  const lineage = (reader: OracleReader, start: RecordVersionRef) =>
    direction === "ancestors" ? reader.ancestors(start) : reader.descendants(start);
  const wasThere = then.currentVersion(content.recordId) >= content.version;
  const before = new Map(
    (wasThere ? lineage(then, content).nodes : []).map((node) => [textOf(node), node.status]),
  );
  return lineage(now, ref).nodes.flatMap((node): LineageChange[] => {
    const status = before.get(textOf(node));
    if (status === undefined) return [{ ...node, change: "joined" }];
    return status === node.status ? [] : [{ ...node, change: "withdrawn" }];
  });
}
