/** Answers `replay` (S12): a decision's closure exactly as it stood, and what became of each input. */
import { must } from "../assert.ts";
import { closureDigest } from "../event/closure-digest.ts";
import type { Position } from "../ids.ts";
import type { LineageGraph } from "../lineage/graph.ts";
import { Walk } from "../lineage/walk.ts";
import { lineageEdges } from "./lineage-answer.ts";
import type { InputVerdict, RecordView, Replay, Verdict } from "./reader.ts";
import { recordView } from "./record-view.ts";
import { foundVersion, mustFindRef, type ReadScope } from "./scope.ts";

export async function answerReplay(scope: ReadScope, ref: string): Promise<Replay> {
  const { versions, entry } = mustFindRef(scope, ref);
  // What was decided is the content; a later withdrawal of it is part of the answer, not of the question.
  const decidedAt = entry.contentPosition;
  const graph = await scope.log.graph();
  const walk = new Walk(graph, "ancestors", [decidedAt], { asOf: decidedAt }, true);
  walk.run();
  walk.end();
  // A source always stands before what derives from it, so the order of positions is an order of derivation.
  const inputs = walk.positions().toSorted((a, b) => a - b);
  const closure = inputs.map((position) => viewAt(scope, graph, position, decidedAt));
  const decided = must(versions.version(entry.contentVersion), "a content version exists");
  const decision = recordView(scope.state, versions, decided, decidedAt);
  closure.push(decision);
  return {
    decision,
    decidedAt,
    closure,
    edges: lineageEdges(graph, walk),
    verdicts: inputs.map((position) => inputVerdict(scope, graph, position, decidedAt)),
    digest: closureDigest(
      closure.map((record) => ({
        recordId: record.id,
        version: record.version,
        document: record,
        isErased: record.erased !== undefined,
      })),
    ),
  };
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
