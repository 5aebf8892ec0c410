/** Answers `summary`: the whole store at an instant in a few figures. */
import { setImmediate } from "node:timers/promises";

import { throwIfAborted } from "../abort.ts";
import type { Position } from "../ids.ts";
import type { LineageGraph } from "../lineage/graph.ts";
import { mustHaveEntry } from "../records/state.ts";
import { mustHaveVersions } from "../records/versions.ts";
import { stateAsOf } from "../state/state-as-of.ts";
import type { StoreState } from "../state/store-state.ts";
import { formatTimestamp } from "../timestamp.ts";
import { labelKind, labelPosition } from "./labels.ts";
import type { KindSummary, LabelSummary, StoreSummary, SummaryOptions } from "./reader.ts";
import type { ReadScope } from "./scope.ts";

/** Records counted between two turns of the event loop. */
const recordsPerTurn = 4096;

interface Tally {
  valid: number;
  withdrawn: number;
  stale: number;
}

export async function answerSummary(
  scope: ReadScope,
  { stale = false, signal }: SummaryOptions,
): Promise<StoreSummary> {
  throwIfAborted(signal);
  const { log, asOf } = scope;
  const state = await stateAsOf(log, scope.snapshots, asOf, signal);
  const graph = stale ? await log.graph() : undefined;
  const tallies = new Map<string, Tally>();
  const labels: LabelSummary[] = [];
  for (let number = 0; number < state.size; number += 1) {
    const { kind, isValid, position, contentVersion } = state.row(number);
    const tally = tallies.get(kind) ?? { valid: 0, withdrawn: 0, stale: 0 };
    tallies.set(kind, tally);
    tally[isValid ? "valid" : "withdrawn"] += 1;
    if (isValid && graph !== undefined && isStale(scope, state, graph, position)) tally.stale += 1;
    if (isValid && kind === labelKind) labels.push(...labelAt(scope, position, contentVersion));
    if (number % recordsPerTurn !== recordsPerTurn - 1) continue;
    await setImmediate();
    throwIfAborted(signal);
  }
  const { valid, withdrawn, stale: staleCount } = total(tallies.values());
  const { counts } = state;
  return {
    asOf,
    root: log.proofs.treeHead(asOf).root.toString("hex"),
    firstRecordedAt: asOf === 0 ? null : timeOf(scope, 1),
    lastRecordedAt: asOf === 0 ? null : timeOf(scope, asOf),
    events: {
      created: counts["record.created"],
      updated: counts["record.updated"],
      invalidated: counts["record.invalidated"],
    },
    records: state.size,
    valid,
    withdrawn,
    ...(stale && { stale: staleCount }),
    kinds: [...tallies]
      .map(([kind, tally]): KindSummary => {
        const known = { kind, valid: tally.valid, withdrawn: tally.withdrawn };
        return stale ? { ...known, stale: tally.stale } : known;
      })
      .toSorted((a, b) => (a.kind < b.kind ? -1 : 1)),
    labels: labels.toSorted((a, b) => a.position - b.position || (a.name < b.name ? -1 : 1)),
  };
}

function total(tallies: Iterable<Tally>): Tally {
  const sum = { valid: 0, withdrawn: 0, stale: 0 };
  for (const { valid, withdrawn, stale } of tallies) {
    sum.valid += valid;
    sum.withdrawn += withdrawn;
    sum.stale += stale;
  }
  return sum;
}

function timeOf({ state }: ReadScope, position: Position): string {
  return formatTimestamp(mustHaveEntry(state, position).header.recordedAtUs);
}

/** S11. Most sources hold the content pinned, which the graph tells; only for the others is content compared. */
function isStale(
  { state, asOf }: ReadScope,
  records: StoreState,
  graph: LineageGraph,
  position: Position,
): boolean {
  const end = graph.edgesEnd(position);
  for (let edge = graph.edgesStart(position); edge < end; edge += 1) {
    const source = graph.edgeSource(edge);
    const current = records.positionOf(graph.recordNumberAt(source));
    if (graph.contentOf(current) === graph.contentOf(source)) continue;
    const { recordId, version } = graph.refAt(source);
    if (!mustHaveVersions(state, recordId).isCurrentContent(version, asOf)) return true;
  }
  return false;
}

/** The label that a record is; none when its content was erased or names no position. */
function labelAt(
  { state }: ReadScope,
  position: Position,
  contentVersion: number,
): readonly LabelSummary[] {
  const { recordId } = mustHaveEntry(state, position).header;
  const versions = mustHaveVersions(state, recordId);
  const entry = versions.version(contentVersion);
  if (entry === undefined || entry.erased) return [];
  const document = versions.document(entry);
  const named = labelPosition(document);
  return named === undefined ? [] : [{ name: document.name, position: named }];
}
