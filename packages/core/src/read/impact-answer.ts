/** Answers `impact`: what an invalidation would withdraw, or would have withdrawn, and what was made on top of that since. */
import { must } from "../assert.ts";
import { StoreError } from "../errors.ts";
import type { Position, RecordId } from "../ids.ts";
import type { LineageGraph } from "../lineage/graph.ts";
import { Pacer } from "../lineage/pacer.ts";
import { Walk } from "../lineage/walk.ts";
import { contentPositions, withdrawing, type VersionRange } from "../log/cascade.ts";
import { RecordVersions } from "../records/versions.ts";
import { formatTimestamp } from "../timestamp.ts";
import { finishWalk } from "./lineage-answer.ts";
import type { Impact, ImpactAction, ImpactOptions, ImpactRow, ImpactSince } from "./reader.ts";
import { foundVersion, mustFindRef, type ReadScope } from "./scope.ts";

/** Versions read between two looks at the clock. */
const readsAtOnce = 64;

/** @throws `argument-invalid` for an instant of a what-if that is none or is after the reader's */
export async function answerImpact(
  reader: ReadScope,
  ref: string,
  { at, since = false, cascade = true, signal }: ImpactOptions,
): Promise<Impact> {
  if (at !== undefined) assertInstant(at, reader.asOf);
  const asOf = at ?? reader.asOf;
  const scope = { ...reader, asOf };
  const { versions, entry, versionGiven } = mustFindRef(scope, ref);
  const { recordId } = versions;
  const current = must(versions.asOf(asOf), "a found record has a current version").version;
  const range = versionGiven
    ? { from: entry.contentVersion, to: since ? current : entry.version }
    : { from: 1, to: current };
  const graph = await scope.log.graph();
  const pacer = new Pacer(signal);
  const fallen = cascade ? await pacer.through(withdrawing(graph, recordId, range, asOf)) : [];
  const withdrawn: ImpactRow[] = [];
  const actions: ImpactAction[] = [];
  for (const { from, to, via, ...row } of [{ recordId, ...range, via: null }, ...fallen]) {
    const found = foundVersion(scope, { recordId: row.recordId, version: to });
    const { kind, name, onInvalidate } = found.versions.document(found.entry);
    const isErased = found.entry.erased && { isErased: true as const };
    withdrawn.push({
      recordId: row.recordId,
      versions: { from, to },
      kind,
      name,
      via,
      ...isErased,
    });
    for (const actionId of onInvalidate) {
      actions.push({ recordId: row.recordId, actionId, verdict: actionVerdict(scope, actionId) });
    }
    if (withdrawn.length % readsAtOnce === 0 && pacer.isDue) await pacer.turn();
  }
  const version = versionGiven ? entry.version : null;
  const impact = { of: { recordId, version }, asOf: reader.asOf, withdrawn, actions };
  if (at === undefined) return impact;
  return { ...impact, at, since: await madeSince(reader, graph, at, { recordId, range }, pacer) };
}

function assertInstant(at: Position, asOf: Position): void {
  if (Number.isInteger(at) && at >= 0 && at <= asOf) return;
  throw new StoreError("argument-invalid", `at must be a position from 0 to ${asOf}.`, {
    details: { at, asOf },
  });
}

/** The content versions after a position that rest on a range, found in the lineage as of the reader. */
async function madeSince(
  scope: ReadScope,
  graph: LineageGraph,
  at: Position,
  { recordId, range }: { readonly recordId: RecordId; readonly range: VersionRange },
  pacer: Pacer,
): Promise<ImpactSince[]> {
  const { asOf } = scope;
  const made: ImpactSince[] = [];
  const starts = contentPositions(graph, recordId, range, at);
  const walk = new Walk(graph, "descendants", starts, { asOf });
  await finishWalk(walk, pacer);
  for (let index = walk.startCount; index < walk.reached.length; index += 1) {
    if (index % readsAtOnce === 0 && pacer.isDue) await pacer.turn();
    const position = walk.reached.at(index);
    if (position <= at || graph.isInvalidation(position)) continue;
    const { versions, entry } = foundVersion(scope, graph.refAt(position));
    const { kind, name } = versions.document(entry);
    made.push({
      ...graph.refAt(position),
      kind,
      name,
      position,
      recordedAt: formatTimestamp(entry.recordedAtUs),
      via: graph.refAt(walk.pinned.at(index)),
      ...(entry.erased && { isErased: true as const }),
    });
  }
  return made.toSorted((a, b) => a.position - b.position);
}

function actionVerdict({ state, asOf }: ReadScope, actionId: RecordId): ImpactAction["verdict"] {
  const versions = RecordVersions.of(state, actionId);
  const entry = versions?.asOf(asOf);
  if (versions === undefined || entry === undefined) return "unknown";
  return versions.withdrawalOf(entry.contentVersion, asOf) === undefined ? "known" : "withdrawn";
}
