/** S7: what a withdrawal takes with it. */
import { must } from "../assert.ts";
import type { Position, RecordId, RecordVersionRef, Version } from "../ids.ts";
import { Walk } from "../lineage/walk.ts";
import type { LineageGraph } from "../lineage/graph.ts";

/** Versions of one record, both ends included. */
export interface VersionRange {
  readonly from: Version;
  readonly to: Version;
}

/** A contiguous range of one record's versions that falls, and the source version it falls through. */
export interface Withdrawn extends VersionRange {
  readonly recordId: RecordId;
  readonly via: RecordVersionRef;
}

/** Versions gone over between two steps of `withdrawing`. */
const versionsAtOnce = 2048;

/**
 * The versions of other records, and later ones of the same, that are valid now and rest on the versions withdrawn.
 *
 * Each falls once, in the order of the first of its range to be reached, nearest first. The walk goes on through
 * versions that are withdrawn already. Versions between two that fall join their range when they carry the same
 * content; a version that stays splits it.
 *
 * @param range the versions withdrawn by the event itself; `from` is a content version
 */
export function withdrawnBy(
  graph: LineageGraph,
  recordId: RecordId,
  range: VersionRange,
  asOf: Position = graph.head,
): Withdrawn[] {
  const steps = withdrawing(graph, recordId, range, asOf);
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}

/** `withdrawnBy` in steps, so that whoever takes them can let others run in between. */
export function* withdrawing(
  graph: LineageGraph,
  recordId: RecordId,
  range: VersionRange,
  asOf: Position,
): Generator<undefined, Withdrawn[]> {
  const starts = contentPositions(graph, recordId, range, asOf);
  const isStart = new Set(starts);
  const viaOf = new Map<Position, Position>();
  const walk = new Walk(graph, "descendants", starts, { asOf });
  try {
    while (!walk.run(versionsAtOnce)) yield;
  } finally {
    walk.end();
  }
  for (let index = walk.startCount; index < walk.reached.length; index += 1) {
    if (index % versionsAtOnce === 0) yield;
    const content = graph.contentOf(walk.reached.at(index));
    if (isStart.has(content) || viaOf.has(content) || graph.isWithdrawn(content, asOf)) continue;
    viaOf.set(content, walk.pinned.at(index));
  }
  return yield* toRanges(graph, viaOf, asOf);
}

/** The content versions in a range, as positions. */
export function contentPositions(
  graph: LineageGraph,
  recordId: RecordId,
  { from, to }: VersionRange,
  asOf: Position,
): Position[] {
  const positions: Position[] = [];
  let position = must(
    graph.find({ recordId, version: from }, asOf),
    "the versions withdrawn exist",
  );
  while (position !== 0 && position <= asOf && graph.versionAt(position) <= to) {
    if (!graph.isInvalidation(position)) positions.push(position);
    position = graph.nextVersion(position);
  }
  return positions;
}

/** Joins neighbouring content versions of a record, in the order their ranges were first reached. */
function* toRanges(
  graph: LineageGraph,
  viaOf: ReadonlyMap<Position, Position>,
  asOf: Position,
): Generator<undefined, Withdrawn[]> {
  const ranges: Withdrawn[] = [];
  const done = new Set<Position>();
  const previousContent = new Map<Position, Position>();
  let looked = 0;
  for (const content of viaOf.keys()) {
    looked += 1;
    if (looked % versionsAtOnce === 0) yield;
    const next = nextContent(graph, content, asOf);
    if (next !== 0 && viaOf.has(next)) previousContent.set(next, content);
  }
  for (const reached of viaOf.keys()) {
    looked += 1;
    if (looked % versionsAtOnce === 0) yield;
    if (done.has(reached)) continue;
    let first = reached;
    for (
      let before = previousContent.get(first);
      before !== undefined;
      before = previousContent.get(first)
    )
      first = before;
    let last = first;
    done.add(first);
    for (
      let next = nextContent(graph, last, asOf);
      viaOf.has(next);
      next = nextContent(graph, last, asOf)
    ) {
      done.add(next);
      last = next;
    }
    ranges.push({
      recordId: graph.recordIdAt(first),
      from: graph.versionAt(first),
      to: graph.versionAt(last),
      via: graph.refAt(must(viaOf.get(reached), "a version reached has a way it was reached")),
    });
  }
  return ranges;
}

/** The next version of the same record with content of its own, or 0. */
function nextContent(graph: LineageGraph, content: Position, asOf: Position): Position {
  let position = graph.nextVersion(content);
  while (position !== 0 && graph.isInvalidation(position)) position = graph.nextVersion(position);
  return position <= asOf ? position : 0;
}
