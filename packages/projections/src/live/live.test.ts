/** Live queries: what is folded from their deltas is, at every instant they speak for, what is asked as of it. */
import {
  created,
  formatRef,
  invalidated,
  openMemoryStore,
  updated,
  type EmbeddedStore,
  type LineageOptions,
} from "@sennit/core";
import {
  codeOf,
  eventually,
  EventPlanner,
  histories,
  Oracle,
  propertySettings,
} from "@sennit/core/testing";
import * as fc from "fast-check";
import type { Observable } from "rxjs";
import { expect, test } from "vitest";

import type { ListQuery } from "../list-query.ts";
import { openViews, type Views } from "../views.ts";
import type { LineageDelta } from "./lineage-deltas.ts";
import type { RecordsDelta } from "./record-deltas.ts";

const queries: readonly ListQuery[] = [
  {},
  { status: "valid" },
  { status: "invalid" },
  { status: "stale" },
  { words: ["1"] },
];

/** Everything an observable has given so far, and whether it has ended. */
function collect<T>(source: Observable<T>): {
  readonly values: T[];
  readonly end: { completed: boolean; error: unknown };
  readonly stop: () => void;
} {
  const values: T[] = [];
  const end = { completed: false, error: undefined as unknown };
  const subscription = source.subscribe({
    next: (value) => values.push(value),
    error: (error: unknown) => {
      end.error = error;
    },
    complete: () => {
      end.completed = true;
    },
  });
  return { values, end, stop: () => subscription.unsubscribe() };
}

/** The refs that fit after the deltas, in the order of their text. */
function foldRecords(deltas: readonly RecordsDelta[]): string[] {
  const refs = new Map<string, string>();
  for (const { added, changed, removed } of deltas) {
    for (const { id, version, stale, status } of [...added, ...changed])
      refs.set(id, `${id}@${version} ${status} ${stale}`);
    for (const id of removed) refs.delete(id);
  }
  return [...refs.values()].toSorted();
}

async function listed(views: Views, query: ListQuery, position: number): Promise<string[]> {
  const reader = await views.at({ position });
  const refs: string[] = [];
  for await (const { id, version, stale, status } of reader.records(query))
    refs.push(`${id}@${version} ${status} ${stale}`);
  return refs.toSorted();
}

function foldLineage(deltas: readonly LineageDelta[]): unknown {
  const nodes = new Map<string, string>();
  const edges = new Set<string>();
  for (const { added, changed, removed } of deltas) {
    for (const node of [...added.nodes, ...changed])
      nodes.set(formatRef(node), `${formatRef(node)} ${node.status} ${node.depth}`);
    for (const node of removed.nodes) nodes.delete(formatRef(node));
    for (const edge of added.edges) edges.add(JSON.stringify(edge));
    for (const edge of removed.edges) edges.delete(JSON.stringify(edge));
  }
  return { nodes: [...nodes.values()].toSorted(), edges: [...edges].toSorted() };
}

async function lineageAt(
  views: Views,
  ref: string,
  options: LineageOptions,
  position: number,
): Promise<unknown> {
  const { nodes, edges } = await (await views.at({ position })).lineage(ref, options);
  return {
    nodes: nodes.map((node) => `${formatRef(node)} ${node.status} ${node.depth}`).toSorted(),
    edges: edges.map((edge) => JSON.stringify(edge)).toSorted(),
  };
}

test("records$ folds to the list as of every position it speaks for, and keeps up with the head", async () => {
  await fc.assert(
    fc.asyncProperty(histories(6), async (steps) => {
      const store = await openMemoryStore();
      const views = await openViews(store);
      const start = await views.at();
      const live = queries.map((query) => ({ query, ...collect(start.records$(query)) }));
      const [oracle, planner] = [new Oracle(), new EventPlanner()];
      for (const step of steps) {
        if (step.type !== "batch") continue;
        const batch = planner.plan(step.drafts, oracle);
        if (oracle.append(batch).code === null) await store.append(batch);
        // Instants that pass while a delta is made are made into one; here each is to be seen.
        for (const { query, values } of live) {
          await eventually(async () => {
            expect(foldRecords(values)).toEqual(await listed(views, query, store.head));
          });
        }
      }
      for (const { query, values } of live) {
        for (const [index, { asOf }] of values.entries()) {
          expect(foldRecords(values.slice(0, index + 1))).toEqual(await listed(views, query, asOf));
        }
      }
      await views.close();
      // An answer that was still being made when the views closed ends at its next step.
      for (const { end } of live) {
        await eventually(async () => {
          expect(end).toEqual({ completed: true, error: undefined });
        });
      }
      await store.close();
    }),
    propertySettings(30),
  );
});

test("lineage$ folds to the lineage as of every position it speaks for, up and down", async () => {
  await fc.assert(
    fc.asyncProperty(histories(6), async (steps) => {
      const store = await openMemoryStore();
      const views = await openViews(store);
      const [oracle, planner] = [new Oracle(), new EventPlanner()];
      await store.append([created("root", { kind: "k", name: "root" })]);
      await store.append([
        created("leaf", { kind: "k", name: "l", derivedFrom: [{ recordId: "root" }] }),
      ]);
      oracle.append([created("root", { kind: "k", name: "root" })]);
      oracle.append([
        created("leaf", { kind: "k", name: "l", derivedFrom: [{ recordId: "root" }] }),
      ]);
      const start = await views.at();
      const live = (["ancestors", "descendants"] as const).flatMap((direction) =>
        ["root", "leaf", "leaf@1"].map((ref) => {
          const options = { direction };
          return { ref, options, ...collect(start.lineage$(ref, options)) };
        }),
      );
      for (const step of steps) {
        if (step.type !== "batch") continue;
        const batch = planner.plan(step.drafts, oracle);
        if (oracle.append(batch).code === null) await store.append(batch);
        for (const { ref, options, values } of live) {
          await eventually(async () => {
            expect(foldLineage(values)).toEqual(await lineageAt(views, ref, options, store.head));
          });
        }
      }
      await store.append([
        updated("leaf", { uris: ["file:///new"] }),
        invalidated("root", { cause: "wrong" }),
      ]);
      for (const { ref, options, values } of live) {
        await eventually(async () => {
          expect(foldLineage(values)).toEqual(await lineageAt(views, ref, options, store.head));
        });
        for (const [index, { asOf }] of values.entries()) {
          expect(foldLineage(values.slice(0, index + 1))).toEqual(
            await lineageAt(views, ref, options, asOf),
          );
        }
      }
      await views.close();
      await store.close();
    }),
    propertySettings(20),
  );
});

async function withViews(
  use: (store: EmbeddedStore, views: Views) => Promise<void>,
): Promise<void> {
  const store = await openMemoryStore();
  const views = await openViews(store);
  await use(store, views);
  await views.close();
  await store.close();
}

test("records$ without the first answer gives what differs since the reader's instant, also what came before it was asked", async () => {
  await withViews(async (store, views) => {
    await store.append([created("a", { kind: "k", name: "a" })]);
    const then = await views.at();
    await store.append([created("b", { kind: "k", name: "b" })]);
    const { values } = collect(then.records$({ kind: "k" }, { initial: false }));
    await eventually(async () => expect(values).toHaveLength(1));
    expect(values[0]?.added.map(({ id }) => id)).toEqual(["b"]);
    expect(values[0]).toMatchObject({ asOf: 2, changed: [], removed: [], isComplete: true });
  });
});

test("a first answer of many records comes in pieces, of which the last says that it is complete", async () => {
  await withViews(async (store, views) => {
    const names = Array.from({ length: 1201 }, (_, index) => `r-${index}`);
    await store.append(names.map((name) => created(name, { kind: "k", name })));
    const { values } = collect((await views.at()).records$());
    await eventually(async () => expect(values.at(-1)?.isComplete).toBe(true));
    expect(values.map(({ isComplete }) => isComplete)).toEqual([false, false, true]);
    expect(values.flatMap(({ added }) => added.map(({ id }) => id))).toEqual(names);
  });
});

test("what differs after a long time comes in pieces, too", async () => {
  await withViews(async (store, views) => {
    await store.append([created("r-0", { kind: "k", name: "r-0" })]);
    const then = await views.at();
    const names = Array.from({ length: 1100 }, (_, index) => `n-${index}`);
    await store.append(names.map((name) => created(name, { kind: "k", name })));
    await store.append([updated("r-0", { name: "R" })]);
    const { values } = collect(then.records$({}, { initial: false }));
    await eventually(async () => expect(values.at(-1)?.isComplete).toBe(true));
    expect(values.map(({ asOf, isComplete }) => [asOf, isComplete])).toEqual([
      [1102, false],
      [1102, false],
      [1102, true],
    ]);
    expect(values.flatMap(({ added }) => added.map(({ id }) => id))).toEqual(names);
    expect(values.flatMap(({ changed }) => changed.map(({ id }) => id))).toEqual(["r-0"]);
  });
});

test("erased content leaves a live answer whose query it no longer fits, and changes the others", async () => {
  await withViews(async (store, views) => {
    await store.append([created("a", { kind: "k", name: "Ada", tags: { who: "Ada" } })]);
    const byTag = collect((await views.at()).records$({ tags: { who: "Ada" } }));
    const byKind = collect((await views.at()).records$({ kind: "k" }));
    await eventually(async () => expect(byTag.values.length + byKind.values.length).toBe(2));
    await store.erase(["a"], { cause: "asked to" });
    await eventually(async () => expect(byTag.values.at(-1)?.removed).toEqual(["a"]));
    await eventually(async () => expect(byKind.values.at(-1)?.changed).toHaveLength(1));
    expect(byKind.values.at(-1)?.changed[0]).toMatchObject({ id: "a", name: "" });
  });
});

test("a subscriber that leaves gets nothing more, and a lineage of nothing is an error", async () => {
  await withViews(async (store, views) => {
    const reader = await views.at();
    const { values, stop } = collect(reader.records$());
    const stays = collect(reader.records$());
    await eventually(async () => expect(values).toHaveLength(1));
    stop();
    await store.append([created("a", { kind: "k", name: "a" })]);
    await eventually(async () => expect(stays.values).toHaveLength(2));
    expect(values).toHaveLength(1);
    const { end } = collect(reader.lineage$("nobody"));
    await eventually(async () => expect(end.error).toBeDefined());
    expect(await codeOf(() => Promise.reject(end.error as Error))).toBe("record-not-found");
    expect(() => reader.records$({ colour: "red" } as ListQuery)).toThrow("colour");
  });
});
