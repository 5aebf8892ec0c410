/** Answers `impact`: what an invalidation would withdraw. */
import { must } from "../assert.ts";
import { throwIfAborted } from "../abort.ts";
import type { RecordId } from "../ids.ts";
import { withdrawnBy } from "../log/cascade.ts";
import { RecordVersions } from "../records/versions.ts";
import type { Impact, ImpactAction, ImpactOptions, ImpactRow } from "./reader.ts";
import { foundVersion, mustFindRef, type ReadScope } from "./scope.ts";

export async function answerImpact(
  scope: ReadScope,
  ref: string,
  { since = false, cascade = true, signal }: ImpactOptions,
): Promise<Impact> {
  const { asOf } = scope;
  const { versions, entry, versionGiven } = mustFindRef(scope, ref);
  const { recordId } = versions;
  const current = must(versions.asOf(asOf), "a found record has a current version").version;
  const range = versionGiven
    ? { from: entry.contentVersion, to: since ? current : entry.version }
    : { from: 1, to: current };
  const graph = await scope.log.graph();
  throwIfAborted(signal);
  const fallen = cascade ? withdrawnBy(graph, recordId, range, asOf) : [];
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
  }
  const version = versionGiven ? entry.version : null;
  return { of: { recordId, version }, asOf, withdrawn, actions };
}

function actionVerdict({ state, asOf }: ReadScope, actionId: RecordId): ImpactAction["verdict"] {
  const versions = RecordVersions.of(state, actionId);
  const entry = versions?.asOf(asOf);
  if (versions === undefined || entry === undefined) return "unknown";
  return versions.withdrawalOf(entry.contentVersion, asOf) === undefined ? "known" : "withdrawn";
}
