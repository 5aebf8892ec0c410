/** The what-if of an impact: what would have fallen then, and what has been made on top of it since. */
import * as fc from "fast-check";
import { expect, test } from "vitest";

import type { Position, RecordId, Version } from "../ids.ts";
import { openMemoryStore } from "../open-store.ts";
import type { Store } from "../store.ts";
import { histories } from "../testing/arbitraries.ts";
import { memoryStoreOf } from "../testing/fill-store.ts";
import type { Oracle } from "../testing/oracle.ts";
import { codeOf } from "../testing/storage-contract.ts";
import { derive, make, revise, withdraw } from "../testing/samples.ts";
import { propertySettings } from "../testing/settings.ts";
import type { ImpactSince } from "./reader.ts";

test("a what-if tells what would have fallen then, and what was made since that rests on it", async () => {
  const store = await openMemoryStore();
  await store.append([make("cal"), make("scan", ["cal"]), make("other")]);
  await store.append([make("model", ["scan"]), make("decision", ["model", "other"])]);
  await store.append([revise("cal", 2), make("fine", ["cal"]), make("late", ["cal@1"])]);
  const head = store.head;
  const impact = await store.impact("cal@1", { at: 3 });
  expect(impact).toMatchObject({ of: { recordId: "cal", version: 1 }, asOf: head, at: 3 });
  expect(impact.withdrawn.map(({ recordId }) => recordId)).toEqual(["cal", "scan"]);
  const { recordedAt } = await store.record("model");
  expect(impact.since?.[0]).toEqual({
    recordId: "model",
    version: 1,
    kind: "thing",
    name: "model",
    position: 4,
    recordedAt,
    via: { recordId: "scan", version: 1 },
  });
  expect(impact.since?.map(({ recordId }) => recordId)).toEqual(["model", "decision", "late"]);
  expect(store.head).toBe(head);
  const then = await store.at({ position: 4 });
  expect((await then.impact("cal", { at: 3 })).since).toHaveLength(1);
});

test("what was made since is told whether it has been withdrawn or not, and by each content once", async () => {
  const store = await openMemoryStore();
  await store.append([make("a")]);
  await store.append([make("b", ["a"]), withdraw("a")]);
  await store.append([make("c", ["a@2"], { allowInvalidSources: true }), revise("c", 1)]);
  await store.append([derive("c", [])]);
  const { since } = await store.impact("a", { at: 1 });
  expect(since?.map(({ recordId, version, via }) => [recordId, version, via.version])).toEqual([
    ["b", 1, 1],
    ["c", 1, 2],
    ["c", 2, 2],
  ]);
});

test("an impact of the present has no what-if, and one of what was not there then is refused", async () => {
  const store = await openMemoryStore();
  await store.append([make("a")]);
  await store.append([make("b", ["a"])]);
  const impact = await store.impact("a");
  expect(impact).not.toHaveProperty("at");
  expect(impact).not.toHaveProperty("since");
  expect(await codeOf(() => store.impact("b", { at: 1 }))).toBe("record-not-found");
  for (const at of [-1, 3, 1.5]) {
    expect(await codeOf(() => store.impact("a", { at }))).toBe("argument-invalid");
  }
  const signal = AbortSignal.abort();
  expect(await codeOf(() => store.impact("a", { at: 1, signal }))).toBe("aborted");
});

/** Everything that rests on some versions of a record, by asking the model for the descendants of each. */
function predictedSince(
  oracle: Oracle,
  recordId: RecordId,
  range: { readonly from: Version; readonly to: Version },
  at: Position,
): Readonly<Record<Position, string>> {
  const model = oracle.at(oracle.head);
  const found: Record<Position, string> = {};
  for (let version = range.from; version <= range.to; version += 1) {
    for (const node of model.descendants({ recordId, version }).nodes) {
      const event = oracle.events.find(
        (item) => item.recordId === node.recordId && item.version === node.version,
      );
      if (event === undefined || event.content === null || event.position <= at) continue;
      found[event.position] = `${node.recordId}@${node.version} ${node.kind} ${node.name}`;
    }
  }
  return found;
}

/** The source that a version is said to rest through is pinned by it. */
function expectPinned(oracle: Oracle, { recordId, version, via }: ImpactSince): void {
  const { derivedFrom } = oracle.at(oracle.head).document({ recordId, version });
  const pinned = derivedFrom.map((source) => `${source.recordId}@${source.version}`);
  expect(pinned).toContain(`${via.recordId}@${via.version}`);
}

async function expectPredicted(store: Store, oracle: Oracle, at: Position): Promise<void> {
  const then = oracle.at(at);
  for (const recordId of then.recordIds()) {
    const current = then.currentVersion(recordId);
    for (const version of [undefined, 1, current]) {
      const ref = version === undefined ? recordId : `${recordId}@${version}`;
      const impact = await store.impact(ref, { at });
      const range = { from: version ?? 1, to: version ?? current };
      expect(impact.withdrawn).toEqual(then.impact(recordId, range));
      const since = impact.since ?? [];
      expect(since.map(({ position }) => position)).toEqual(
        since.map(({ position }) => position).toSorted((a, b) => a - b),
      );
      const lines = since.map((made) => [
        made.position,
        `${made.recordId}@${made.version} ${made.kind} ${made.name}`,
      ]);
      const own = impact.withdrawn[0]?.versions ?? range;
      expect(Object.fromEntries(lines)).toEqual(predictedSince(oracle, recordId, own, at));
      for (const made of since) expectPinned(oracle, made);
    }
  }
}

test("a what-if of any history at any position says what the oracle says", async () => {
  expect.hasAssertions();
  await fc.assert(
    fc.asyncProperty(histories(7), async (steps) => {
      const { store, oracle } = await memoryStoreOf(steps);
      for (let at = 1; at <= oracle.head; at += 1) await expectPredicted(store, oracle, at);
    }),
    propertySettings(30),
  );
});
