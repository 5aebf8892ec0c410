/** Which records rest directly on a record, in whatever versions. */
import type { Position, RecordId } from "../ids.ts";
import type { LineageGraph } from "./graph.ts";

/** The records with a version, as of a position, that names any version of the record as a source; each once. */
export function recordsRestingOn(
  graph: LineageGraph,
  recordId: RecordId,
  asOf: Position,
): ReadonlySet<RecordId> {
  const found = new Set<RecordId>();
  let position = graph.find({ recordId, version: 1 }, asOf) ?? 0;
  while (position !== 0 && position <= asOf) {
    let next = graph.newestDependant(position);
    for (; next !== 0; next = graph.olderDependant(next - 1)) {
      const derived = graph.edgeOwner(next - 1);
      if (derived <= asOf) found.add(graph.recordIdAt(derived));
    }
    position = graph.nextVersion(position);
  }
  return found;
}
