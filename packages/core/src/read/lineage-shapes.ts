/** What can be asked about lineage, and the shapes of the answers. */
import type { Relation } from "../event/document.ts";
import type { Position, RecordVersionRef } from "../ids.ts";
import type { LineageDirection } from "../lineage/walk.ts";
import type { LongList } from "./long-list.ts";

export interface LineageNode extends RecordVersionRef {
  readonly kind: string;
  readonly name: string;
  readonly status: "valid" | "invalid";
  /** Steps from the start. */
  readonly depth: number;
  /** There only when the content was erased, and the name is empty. */
  readonly isErased?: true;
}

export interface LineageEdge {
  readonly derived: RecordVersionRef;
  readonly source: RecordVersionRef;
  readonly role: string | null;
  readonly relation: Relation;
}

export interface Lineage {
  readonly of: RecordVersionRef;
  readonly direction: LineageDirection;
  readonly asOf: Position;
  /** Breadth first, without the start. */
  readonly nodes: readonly LineageNode[];
  /** Every derivation that was followed: with a depth, none from a version at the last depth on. */
  readonly edges: readonly LineageEdge[];
}

/** A `Lineage` whose lists are read as they are taken: `nodes` before `edges`, or not at all. */
export interface LineageParts extends Omit<Lineage, "nodes" | "edges"> {
  readonly nodes: LongList<LineageNode>;
  readonly edges: LongList<LineageEdge>;
}

/**
 * Which edges are followed; default: all. An edge must fit everything given. The walk goes on from what it reaches along
 * such edges alone, so what lies behind any other edge is not found.
 */
export interface LineageFilter {
  /** One of these roles; an edge without a role fits none. */
  readonly roles?: readonly string[] | undefined;
  /** One of these relations. */
  readonly relations?: readonly Relation[] | undefined;
  /** The version that the edge leads to is of one of these kinds: the source on the way up, the dependant on the way down. */
  readonly kinds?: readonly string[] | undefined;
}

export interface LineageOptions extends LineageFilter {
  /** Default `"ancestors"`. */
  readonly direction?: LineageDirection | undefined;
  /** Steps at most. Default: all. */
  readonly depth?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A version that a walk reached. */
export interface LineageRef extends RecordVersionRef {
  /** Steps from the start. */
  readonly depth: number;
}

/** `Lineage` without what has to be read from the log: for closures of a hundred thousand versions. */
export interface LineageRefs {
  readonly of: RecordVersionRef;
  readonly direction: LineageDirection;
  readonly asOf: Position;
  /** Breadth first, without the start. */
  readonly nodes: readonly LineageRef[];
}

export interface PathsOptions extends LineageFilter {
  /** Paths at most, 1-10 000. Default 100. */
  readonly limit?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The ways in which one version rests on another. */
export interface LineagePaths {
  /** The one of the two that came later, and the one it rests on. */
  readonly derived: RecordVersionRef;
  readonly source: RecordVersionRef;
  readonly asOf: Position;
  /**
   * Shortest first; each leads from `derived` to a version with the content of `source`, and no two have the same edges.
   * Empty when neither rests on the other.
   */
  readonly paths: readonly (readonly LineageEdge[])[];
  /** True when there are more paths, or longer ones that one answer has no room for. */
  readonly hasMore: boolean;
}

export interface CommonAncestorsOptions extends LineageFilter {
  readonly signal?: AbortSignal | undefined;
}

/** A content version that two versions rest on. Each of the two counts as its own ancestor, at depth 0. */
export interface CommonAncestor extends Omit<LineageNode, "depth"> {
  /** Steps from the first and from the second, along the shortest way. */
  readonly depths: readonly [number, number];
  /** True when no other common ancestor rests on it. */
  readonly isNearest: boolean;
}

export interface CommonAncestors {
  readonly of: readonly [RecordVersionRef, RecordVersionRef];
  readonly asOf: Position;
  /** Nearest to both first: by the sum of the depths. */
  readonly nodes: readonly CommonAncestor[];
}

/** A version whose part in a closure is another than it was. */
export interface LineageChange extends LineageNode {
  /** `joined`: it was not in the closure. `withdrawn`: it was, and was valid then. */
  readonly change: "joined" | "withdrawn";
}

/** How a closure differs between two positions. Nothing ever leaves a closure, or becomes valid again in it. */
export interface LineageDiff {
  readonly of: RecordVersionRef;
  readonly direction: LineageDirection;
  readonly from: Position;
  readonly to: Position;
  /** Breadth first, with status and depth as of `to`. What has become untrustworthy has status `invalid`. */
  readonly nodes: readonly LineageChange[];
}
