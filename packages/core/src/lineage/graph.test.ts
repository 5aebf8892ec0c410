/** The lineage graph as a fold: taking events back restores it, and dropping it loses nothing. */
import * as fc from "fast-check";
import { expect, test } from "vitest";

import { must } from "../assert.ts";
import type { EntryHeader } from "../codec/entry-header.ts";
import { histories } from "../testing/arbitraries.ts";
import { dumpGraph, graphOf, headersOf } from "../testing/graphs.ts";
import { propertySettings } from "../testing/settings.ts";
import { LineageGraph } from "./graph.ts";

test("taking events back restores the graph exactly, and they can be applied again", async () => {
  expect.hasAssertions();
  await fc.assert(
    fc.asyncProperty(histories(8), fc.nat({ max: 40 }), async (steps, cut) => {
      const headers = await headersOf(steps);
      const kept = headers.slice(0, Math.min(cut, headers.length));
      const graph = graphOf(headers);
      const whole = dumpGraph(graph, headers);
      graph.truncate(kept.length);
      expect(dumpGraph(graph, kept)).toEqual(dumpGraph(graphOf(kept), kept));
      for (const { recordId, version } of headers.slice(kept.length))
        expect(graph.find({ recordId, version })).toBeUndefined();
      for (const header of headers.slice(kept.length)) graph.apply(header);
      expect(dumpGraph(graph, headers)).toEqual(whole);
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

test("a version is found among any number, and withdrawals of them are told apart", () => {
  const base = { recordedAtUs: 1, origin: "given" as const, recordId: "a" };
  const id = "00000000-0000-4000-8000-000000000001";
  const graph = new LineageGraph();
  const edges: readonly never[] = [];
  const fields = { restores: null, documentDigest: null };
  for (let version = 1; version <= 1000; version += 1) {
    const type = version === 1 ? ("record.created" as const) : ("record.updated" as const);
    const structure =
      type === "record.created" ? { type, kind: "k", edges } : { type, edges: null, ...fields };
    graph.apply({ ...base, id, position: version, version, structure });
  }
  for (let version = 1; version <= 1000; version += 1) {
    expect(graph.find({ recordId: "a", version })).toBe(version);
    expect(graph.find({ recordId: "a", version }, version - 1)).toBeUndefined();
  }
  for (const version of [0, 1001, -1]) {
    expect(graph.find({ recordId: "a", version })).toBeUndefined();
  }
  const withdraw = (position: number, from: number, to: number) => {
    const structure = { type: "record.invalidated" as const, from, to, root: null, via: null };
    graph.apply({ ...base, id, position, version: position, structure });
  };
  withdraw(1001, 500, 500);
  withdraw(1002, 400, 600);
  withdraw(1003, 1, 1002);
  const fallenAt = (asOf: number) =>
    Array.from({ length: 1000 }, (_, index) => index + 1).filter((at) =>
      graph.isWithdrawn(at, asOf),
    );
  expect(fallenAt(1000)).toEqual([]);
  expect(fallenAt(1001)).toEqual([500]);
  expect(fallenAt(1002)).toHaveLength(201);
  expect(fallenAt(1003)).toHaveLength(1000);
  graph.truncate(1001);
  expect(fallenAt(Infinity)).toEqual([500]);
});
