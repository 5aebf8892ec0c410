/** Answers `replay` (S12): a decision's closure exactly as it stood, and what became of each input. */
import { must } from "../assert.ts";
import { ClosureHash, type ClosureMember } from "../event/closure-digest.ts";
import type { Position } from "../ids.ts";
import type { LineageGraph } from "../lineage/graph.ts";
import { Pacer } from "../lineage/pacer.ts";
import { Walk } from "../lineage/walk.ts";
import { finishWalk, pacedEdges } from "./lineage-answer.ts";
import type { InputVerdict, RecordView, Replay, ReplayOptions, Verdict } from "./reader.ts";
import { recordView } from "./record-view.ts";
import { foundVersion, mustFindRef, type ReadScope } from "./scope.ts";

/** Versions read between two looks at the clock. */
const readsAtOnce = 32;

export async function answerReplay(
  scope: ReadScope,
  ref: string,
  { signal }: ReplayOptions,
): Promise<Replay> {
  const { versions, entry } = mustFindRef(scope, ref);
  // What was decided is the content; a later withdrawal of it is part of the answer, not of the question.
  const decidedAt = entry.contentPosition;
  const graph = await scope.log.graph();
  const pacer = new Pacer(signal);
  const walk = new Walk(graph, "ancestors", [decidedAt], { asOf: decidedAt }, true);
  await finishWalk(walk, pacer);
  const hash = new ClosureHash();
  const closure: RecordView[] = [];
  const verdicts: InputVerdict[] = [];
  // A source always stands before what derives from it, so the order of positions is an order of derivation.
  for (const position of walk.positions().toSorted((a, b) => a - b)) {
    const record = viewAt(scope, graph, position, decidedAt);
    closure.push(record);
    hash.add(memberOf(record));
    verdicts.push(inputVerdict(scope, graph, position, decidedAt));
    if (closure.length % readsAtOnce === 0 && pacer.isDue) await pacer.turn();
  }
  const decided = must(versions.version(entry.contentVersion), "a content version exists");
  const decision = recordView(scope.state, versions, decided, decidedAt);
  closure.push(decision);
  hash.add(memberOf(decision));
  const edges = await pacedEdges(graph, walk, pacer);
  return { decision, decidedAt, closure, edges, verdicts, digest: hash.digest() };
}

function memberOf(record: RecordView): ClosureMember {
  const { id: recordId, version, erased } = record;
  return { recordId, version, document: record, isErased: erased !== undefined };
}

function viewAt(
  scope: ReadScope,
  graph: LineageGraph,
  position: Position,
  asOf: Position,
): RecordView {
  const { versions, entry } = foundVersion(scope, graph.refAt(position));
  return recordView(scope.state, versions, entry, asOf);
}

function inputVerdict(
  scope: ReadScope,
  graph: LineageGraph,
  position: Position,
  decidedAt: Position,
): InputVerdict {
  const { asOf } = scope;
  const ref = graph.refAt(position);
  const { versions } = foundVersion(scope, ref);
  const content = graph.contentOf(position);
  let verdict: Verdict = "same";
  if (graph.isWithdrawn(content, decidedAt)) verdict = "already-withdrawn";
  else if (graph.isWithdrawn(content, asOf)) verdict = "withdrawn-since";
  else if (!versions.isCurrentContent(ref.version, asOf)) verdict = "superseded";
  return { ...ref, verdict, now: must(versions.asOf(asOf), "an input exists").version };
}
