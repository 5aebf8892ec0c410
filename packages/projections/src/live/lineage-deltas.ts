/** `lineage$`: a lineage as it stands, then what every later instant makes of it. */
import {
  formatRef,
  type Lineage,
  type LineageEdge,
  type LineageNode,
  type LineageOptions,
  type Position,
  type RecordVersionRef,
} from "@sennit/core";

import type { EmbeddedViewReader } from "../embedded-view-reader.ts";
import { touchedBetween, type Follower, type Touched } from "./follower.ts";

/** What differs between a lineage and the one before it. The first has everything as added. */
export interface LineageDelta {
  /** The position the lineage now speaks for. */
  readonly asOf: Position;
  /** The start: another version once a record named without one has been updated. */
  readonly of: RecordVersionRef;
  readonly added: {
    readonly nodes: readonly LineageNode[];
    readonly edges: readonly LineageEdge[];
  };
  /** Nodes with another status, depth or name. */
  readonly changed: readonly LineageNode[];
  readonly removed: {
    readonly nodes: readonly RecordVersionRef[];
    readonly edges: readonly LineageEdge[];
  };
}

export interface FollowLineageOptions extends LineageOptions {
  /** False: whoever asks has the lineage as of the reader's instant, and gets what differs from it alone. Default true. */
  readonly initial?: boolean | undefined;
}

/** Yields a delta for each instant at which the lineage differs from the one before. */
export async function* lineageDeltas(
  first: EmbeddedViewReader,
  follower: Follower,
  ref: string,
  { initial = true, ...options }: FollowLineageOptions,
): AsyncGenerator<LineageDelta> {
  const { signal } = options;
  const ask = (reader: EmbeddedViewReader) => reader.lineage(ref, options);
  const lineage = await ask(first);
  let known = new KnownLineage(lineage);
  if (initial) yield known.since(new KnownLineage({ ...lineage, nodes: [], edges: [] }));
  let before = first;
  while (true) {
    const after = await follower.next(before.asOf, signal);
    const touched = await touchedBetween(before, after, signal);
    before = after;
    if (!known.isTouchedBy(touched)) continue;
    const next = new KnownLineage(await ask(after));
    const delta = next.since(known);
    const isOther = formatRef(next.of) !== formatRef(known.of);
    known = next;
    if (isOther || !isEmpty(delta)) yield delta;
  }
}

/** A lineage with its nodes and edges by name. */
class KnownLineage {
  readonly #lineage: Lineage;
  readonly #nodes: ReadonlyMap<string, LineageNode>;
  readonly #edges: ReadonlyMap<string, LineageEdge>;
  readonly #records: ReadonlySet<string>;

  constructor(lineage: Lineage) {
    this.#lineage = lineage;
    this.#nodes = new Map(lineage.nodes.map((node) => [formatRef(node), node]));
    this.#edges = new Map(lineage.edges.map((edge) => [edgeKey(edge), edge]));
    this.#records = new Set([lineage.of.recordId, ...lineage.nodes.map((node) => node.recordId)]);
  }

  /** True when events may have changed the lineage: they concern its records, or derive from one of them. */
  isTouchedBy({ recordIds, sources, erased }: Touched): boolean {
    if (erased.size > 0) return true;
    return [...recordIds, ...sources].some((recordId) => this.#records.has(recordId));
  }

  get of(): RecordVersionRef {
    return this.#lineage.of;
  }

  since(before: KnownLineage): LineageDelta {
    const { asOf, of, nodes, edges } = this.#lineage;
    const changed = nodes.filter((node) => {
      const known = before.#nodes.get(formatRef(node));
      return known !== undefined && !isSameNode(known, node);
    });
    return {
      asOf,
      of,
      added: {
        nodes: nodes.filter((node) => !before.#nodes.has(formatRef(node))),
        edges: edges.filter((edge) => !before.#edges.has(edgeKey(edge))),
      },
      changed,
      removed: {
        nodes: before.#lineage.nodes
          .filter((node) => !this.#nodes.has(formatRef(node)))
          .map(({ recordId, version }) => ({ recordId, version })),
        edges: before.#lineage.edges.filter((edge) => !this.#edges.has(edgeKey(edge))),
      },
    };
  }
}

function isSameNode(one: LineageNode, other: LineageNode): boolean {
  return one.status === other.status && one.depth === other.depth && one.name === other.name;
}

function isEmpty({ added, changed, removed }: LineageDelta): boolean {
  const lists = [added.nodes, added.edges, changed, removed.nodes, removed.edges];
  return lists.every((list) => list.length === 0);
}

function edgeKey({ derived, source, role, relation }: LineageEdge): string {
  return JSON.stringify([formatRef(derived), formatRef(source), role, relation]);
}
