/** The lineage graph as a fold: taking events back restores it, and dropping it loses nothing. */
import * as fc from "fast-check";
import { expect, test } from "vitest";

import { must } from "../assert.ts";
import type { EntryHeader } from "../codec/entry-header.ts";
import { openMemoryStore } from "../open-store.ts";
import { EventPlanner, histories, type HistoryStep } from "../testing/arbitraries.ts";
import { Oracle } from "../testing/oracle.ts";
import { propertySettings } from "../testing/settings.ts";
import { LineageGraph } from "./graph.ts";

/** The headers of a random history's events. */
async function headersOf(steps: readonly HistoryStep[]): Promise<EntryHeader[]> {
  const store = await openMemoryStore();
  const oracle = new Oracle();
  const planner = new EventPlanner();
  for (const step of steps) {
    if (step.type !== "batch") continue;
    const batch = planner.plan(step.drafts, oracle);
    if (oracle.append(batch).code === null) await store.append(batch);
  }
  const headers: EntryHeader[] = [];
  for await (const entries of store.log.readEntries())
    headers.push(...entries.map(({ header }) => header));
  await store.close();
  return headers;
}

function graphOf(headers: readonly EntryHeader[]): LineageGraph {
  const graph = new LineageGraph();
  for (const header of headers) graph.apply(header);
  return graph;
}

/** Everything that can be asked of a graph. */
function dump(graph: LineageGraph, headers: readonly EntryHeader[]): unknown {
  const rows = headers.map(({ position, recordId, version }) => {
    const start = graph.edgesStart(position);
    const edges = Array.from({ length: graph.edgesEnd(position) - start }, (_, index) => [
      graph.edgeSource(start + index),
      graph.edgeRole(start + index),
      graph.edgeRelation(start + index),
    ]);
    const dependants: number[] = [];
    for (let edge = graph.newestDependant(position); edge !== 0;) {
      dependants.push(graph.edgeOwner(edge - 1));
      edge = graph.olderDependant(edge - 1);
    }
    return {
      position: graph.find({ recordId, version }),
      ref: graph.refAt(position),
      content: graph.contentOf(position),
      isInvalidation: graph.isInvalidation(position),
      next: graph.nextVersion(position),
      edges,
      dependants,
      facts: graph.factsAt(position),
      kind: graph.kinds.at(graph.kindAt(position)),
      isPinned: graph.isPinned(position, graph.head),
      isWithdrawn: graph.isWithdrawn(graph.contentOf(position)),
    };
  });
  return { head: graph.head, rows };
}

test("taking events back restores the graph exactly, and they can be applied again", async () => {
  expect.hasAssertions();
  await fc.assert(
    fc.asyncProperty(histories(8), fc.nat({ max: 40 }), async (steps, cut) => {
      const headers = await headersOf(steps);
      const kept = headers.slice(0, Math.min(cut, headers.length));
      const graph = graphOf(headers);
      const whole = dump(graph, headers);
      graph.truncate(kept.length);
      expect(dump(graph, kept)).toEqual(dump(graphOf(kept), kept));
      for (const { recordId, version } of headers.slice(kept.length))
        expect(graph.find({ recordId, version })).toBeUndefined();
      for (const header of headers.slice(kept.length)) graph.apply(header);
      expect(dump(graph, headers)).toEqual(whole);
    }),
    propertySettings(60),
  );
});

test("events come in order", () => {
  const header: EntryHeader = {
    position: 2,
    recordedAtUs: 1,
    origin: "given",
    id: "00000000-0000-4000-8000-000000000001",
    recordId: "a",
    version: 1,
    structure: { type: "record.created", kind: "k", edges: [] },
  };
  expect(() => new LineageGraph().apply(header)).toThrow("in order");
  expect(
    must(graphOf([{ ...header, position: 1 }]).find({ recordId: "a", version: 1 }), "found"),
  ).toBe(1);
});
