/** Pins the sources of an event: the versions left out are filled in, and what is not there is refused (S9). */
import { StoreError } from "../errors.ts";
import { defaultRelation, type Derivation, type NewDerivation } from "../event/document.ts";
import type { RecordVersionRef } from "../ids.ts";
import type { State } from "../records/state.ts";

/**
 * The sources as pinned edges, in the same order.
 *
 * @throws `source-unknown`, and `event-invalid` for sources that turn out to be the same edge
 */
export function pinSources(
  state: State,
  sources: readonly NewDerivation[],
  pointer: string,
): Derivation[] {
  const edges = sources.map((source, index) => pinSource(state, source, `${pointer}/${index}`));
  if (edges.length < 2) return edges;
  const seen = new Set<string>();
  for (const [index, { recordId, version, role, relation }] of edges.entries()) {
    const key = JSON.stringify([recordId, version, role, relation]);
    if (seen.has(key)) throw repeatedSource({ recordId, version }, `${pointer}/${index}`);
    seen.add(key);
  }
  return edges;
}

function pinSource(
  state: State,
  { recordId, version, role, relation }: NewDerivation,
  pointer: string,
): Derivation {
  const current = state.block(recordId)?.lastVersion;
  if (current === undefined || (version !== undefined && version > current)) {
    const what =
      current === undefined
        ? `Record ${JSON.stringify(recordId)}`
        : `Version ${version} of record ${JSON.stringify(recordId)}`;
    throw new StoreError(
      "source-unknown",
      `${what} is not in the store, so nothing can be derived from it.`,
      { details: { recordId, version: version ?? null, pointer } },
    );
  }
  return {
    recordId,
    version: version ?? current,
    role: role ?? null,
    relation: relation ?? defaultRelation,
  };
}

/** A source without a version and the same source with its current one are different words for one edge. */
function repeatedSource({ recordId, version }: RecordVersionRef, pointer: string): StoreError {
  const message = `names ${recordId}@${version} in the same role and relation a second time`;
  return new StoreError("event-invalid", `${pointer} ${message}.`, {
    details: { issues: [{ pointer, message }], issueCount: 1 },
  });
}
