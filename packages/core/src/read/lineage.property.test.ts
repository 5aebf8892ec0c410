/** The finer questions of lineage against the naive model: filters, paths, common ancestors, differences of closures. */
import * as fc from "fast-check";
import { expect, test } from "vitest";

import { canonicalJson } from "../event/json.ts";
import type { RecordVersionRef } from "../ids.ts";
import { histories, type HistoryStep } from "../testing/arbitraries.ts";
import { memoryStoreOf } from "../testing/fill-store.ts";
import type { Oracle } from "../testing/oracle.ts";
import {
  allPaths,
  closureChanges,
  commonContents,
  filteredLineage,
} from "../testing/oracle-lineage.ts";
import type { OracleReader } from "../testing/oracle-reader.ts";
import { propertySettings } from "../testing/settings.ts";
import type { Reader } from "./reader.ts";

const directions = ["ancestors", "descendants"] as const;
const pathsCompared = 2000;

/** Runs a history and asks about all of it as of the head and as of some position before. */
async function askAfter(
  steps: readonly HistoryStep[],
  ask: (reader: Reader, model: OracleReader, oracle: Oracle) => Promise<void>,
): Promise<void> {
  const { store, oracle } = await memoryStoreOf(steps);
  for (const position of new Set([oracle.head, Math.floor(oracle.head / 2)])) {
    await ask(await store.at({ position }), oracle.at(position), oracle);
  }
  await store.close();
}

function versionsOf(model: OracleReader): RecordVersionRef[] {
  return model.recordIds().flatMap((recordId) => {
    const current = model.currentVersion(recordId);
    return [...new Set([1, current])].map((version) => ({ recordId, version }));
  });
}

const text = ({ recordId, version }: RecordVersionRef) => `${recordId}@${version}`;
const sorted = <T>(items: readonly T[]): T[] =>
  items.toSorted((a, b) => (canonicalJson(a) < canonicalJson(b) ? -1 : 1));

test("walks along some edges reach what the model reaches along them", async () => {
  expect.hasAssertions();
  await fc.assert(
    fc.asyncProperty(histories(8), (steps) =>
      askAfter(steps, async (reader, model) => {
        for (const ref of versionsOf(model)) {
          for (const direction of directions) {
            const whole = await reader.lineage(text(ref), { direction });
            const [edge] = whole.edges;
            const kind = whole.nodes.at(-1)?.kind ?? "none";
            const role = whole.edges.find((item) => item.role !== null)?.role ?? "none";
            for (const filter of [
              {},
              { kinds: [kind] },
              { roles: [role] },
              { relations: [edge?.relation ?? "used"], kinds: [kind] },
            ]) {
              const answer = await reader.lineage(text(ref), { direction, ...filter });
              const predicted = filteredLineage(model, ref, direction, filter);
              expect(sorted(answer.nodes)).toEqual(sorted(predicted.nodes));
              expect(sorted(answer.edges)).toEqual(sorted(predicted.edges));
              const refs = await reader.lineageRefs(text(ref), { direction, ...filter });
              expect(refs.nodes).toEqual(
                answer.nodes.map(({ recordId, version, depth }) => ({ recordId, version, depth })),
              );
            }
          }
        }
      }),
    ),
    propertySettings(60),
  );
});

test("the paths between two versions are all there, shortest first, or as many as are wanted", async () => {
  expect.hasAssertions();
  await fc.assert(
    fc.asyncProperty(histories(8), (steps) =>
      askAfter(steps, async (reader, model) => {
        const refs = versionsOf(model);
        for (const one of refs) {
          for (const other of refs) {
            const answer = await reader.paths(text(one), text(other), { limit: 10_000 });
            const predicted =
              model.contentText(one) === model.contentText(other)
                ? []
                : allPaths(model, answer.derived, answer.source);
            expect(predicted.length).toBeLessThan(pathsCompared);
            expect(answer.hasMore).toBe(false);
            expect(sorted(answer.paths)).toEqual(sorted(predicted));
            const lengths = answer.paths.map(({ length }) => length);
            expect(lengths).toEqual(predicted.map(({ length }) => length));
            const limit = Math.max(1, predicted.length - 1);
            const fewer = await reader.paths(text(one), text(other), { limit });
            expect(fewer.hasMore).toBe(predicted.length > limit);
            expect(fewer.paths).toEqual(answer.paths.slice(0, limit));
            for (let wanted = 1; wanted < Math.min(limit, 8); wanted += 1) {
              const first = await reader.paths(text(one), text(other), { limit: wanted });
              expect(first).toMatchObject({ paths: answer.paths.slice(0, wanted), hasMore: true });
            }
          }
        }
      }),
    ),
    propertySettings(40),
  );
});

test("common ancestors are those of the model, and so are the nearest of them", async () => {
  expect.hasAssertions();
  await fc.assert(
    fc.asyncProperty(histories(8), (steps) =>
      askAfter(steps, async (reader, model) => {
        const refs = versionsOf(model);
        for (const [index, one] of refs.entries()) {
          for (const other of refs.slice(index)) {
            const { of, nodes } = await reader.commonAncestors(text(one), text(other));
            expect(of).toEqual([one, other]);
            const predicted = commonContents(model, one, other);
            expect(
              new Map(
                nodes.map(({ depths, isNearest, ...node }) => [
                  model.contentText(node),
                  { depths, isNearest },
                ]),
              ),
            ).toEqual(predicted);
            for (const node of nodes) {
              const { kind, name, status } = model.record(node);
              expect(node).toMatchObject({ kind, name, status });
            }
          }
        }
      }),
    ),
    propertySettings(40),
  );
});

test("a closure differs from an earlier one by what the model says joined it or fell in it", async () => {
  expect.hasAssertions();
  await fc.assert(
    fc.asyncProperty(histories(8), fc.nat({ max: 1000 }), (steps, share) =>
      askAfter(steps, async (reader, model, oracle) => {
        const from = Math.floor((reader.asOf * share) / 1000);
        for (const ref of versionsOf(model)) {
          for (const direction of directions) {
            const { nodes } = await reader.lineageDiff(text(ref), from, { direction });
            expect(sorted(nodes)).toEqual(
              sorted(closureChanges(model, oracle.at(from), ref, direction)),
            );
          }
        }
      }),
    ),
    propertySettings(60),
  );
});
