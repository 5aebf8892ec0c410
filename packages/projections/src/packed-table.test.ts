/** Packed tables: to whoever folds and reads, they are tables like any other. */
import { openMemoryStore } from "@sennit/core";
import { propertySettings } from "@sennit/core/testing";
import * as fc from "fast-check";
import { expect, test } from "vitest";

import type { KeyPart } from "./keys.ts";
import { defineProjection, type Rows } from "./projection.ts";
import type { ProjectionRows, RowRange } from "./projection-rows.ts";
import type { RowValue } from "./row-value.ts";
import { creations, tally } from "./testing/tally.ts";
import { openViews } from "./views.ts";

/** One change of both tables, and what is asked of both before it. */
interface Step {
  readonly key: readonly [string | number | boolean, number];
  readonly value: RowValue | undefined;
}

const heads = fc.constantFrom<string | number | boolean>("a", "a\0", "", 1, "1", true, "2:ab");
const numbers = fc.oneof(fc.nat({ max: 600 }), fc.constantFrom(255, 256, 511, 512, 2 ** 40));
const values = fc.oneof(
  fc.constant(undefined),
  fc.string(),
  fc.array(fc.nat(), { maxLength: 3 }),
  fc.record({ member: fc.nat() }),
);
const steps = fc.array(fc.record<Step>({ key: fc.tuple(heads, numbers), value: values }), {
  minLength: 1,
  maxLength: 60,
});
const ranges: fc.Arbitrary<RowRange> = fc
  .record({
    head: fc.option(heads, { nil: undefined }),
    after: fc.option(numbers, { nil: undefined }),
    from: fc.option(numbers, { nil: undefined }),
    to: fc.option(numbers, { nil: undefined }),
  })
  .map(({ head, after, from, to }) => {
    if (head === undefined) return { prefix: [] };
    const bound = (last: number | undefined) => (last === undefined ? undefined : [head, last]);
    return { prefix: [head], after: bound(after), from: bound(from), to: bound(to) };
  });
const wideRanges: fc.Arbitrary<RowRange> = fc
  .record({ after: fc.tuple(heads, numbers), from: fc.tuple(heads, numbers) })
  .map((bounds) => ({ prefix: [], ...bounds }));

async function scanned(rows: ProjectionRows, table: string, range: RowRange): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const row of rows.scan(table, range)) found.push(row);
  return found;
}

/** Puts or deletes in both tables, and compares what is there before. */
function change(rows: Rows, { key, value }: Step): void {
  expect(rows.get("packed", key)).toEqual(rows.get("plain", key));
  for (const table of ["packed", "plain"]) {
    if (value === undefined) rows.delete(table, key);
    else rows.put(table, key, value);
  }
}

test("a packed table holds, finds and lists what a plain one does, however the changes are cut into batches", async () => {
  await fc.assert(
    fc.asyncProperty(
      steps,
      fc.array(fc.oneof(ranges, wideRanges), { maxLength: 6 }),
      fc.nat(),
      async (all, asked, cut) => {
        const store = await openMemoryStore();
        let next = 0;
        const both = defineProjection({
          ...tally,
          name: "both",
          tables: ["plain", { name: "packed", keyParts: 2 }],
          apply: (_event, rows) => {
            const step = all[next];
            next += 1;
            if (step !== undefined) change(rows, step);
          },
        });
        const views = await openViews(store, { projections: [both] });
        const first = cut % (all.length + 1);
        for (const [count, start] of [
          [first, 0],
          [all.length - first, first],
        ] as const) {
          if (count > 0) await store.append(creations(count, start));
          await views.caughtUp();
        }
        const rows = views.rows("both");
        for (const range of [{ prefix: [] }, ...asked]) {
          expect(await scanned(rows, "packed", range)).toEqual(await scanned(rows, "plain", range));
        }
        for (const { key } of all) expect(rows.get("packed", key)).toEqual(rows.get("plain", key));
        await views.close();
        await store.close();
      },
    ),
    propertySettings(60),
  );
});

test.each<readonly [string, readonly KeyPart[]]>([
  ["of another length", ["a"]],
  ["that does not end in a number", ["a", "b"]],
  ["that ends in a fraction", ["a", 0.5]],
  ["that ends below zero", ["a", -1]],
])("a packed table refuses a key %s", async (_what, key) => {
  const store = await openMemoryStore();
  const views = await openViews(store, {
    projections: [
      {
        ...tally,
        name: "wrong",
        tables: [{ name: "packed", keyParts: 2 }],
        apply: (_event, rows) => rows.put("packed", key, 1),
      },
    ],
  });
  await store.append(creations(1));
  await expect(views.caughtUp()).rejects.toMatchObject({ code: "projection-failed" });
  await views.close();
  await store.close();
});

test("what is handed out of a packed table, or put into it, can be changed without changing the row", async () => {
  const store = await openMemoryStore();
  const views = await openViews(store, {
    projections: [
      {
        ...tally,
        name: "kept",
        tables: [{ name: "packed", keyParts: 1 }],
        apply: ({ position }, rows) => {
          const list = (rows.get("packed", [1]) ?? []) as number[];
          list.push(position);
          if (position === 1) rows.put("packed", [1], list);
          list.push(99);
        },
      },
    ],
  });
  await store.append(creations(3));
  await views.caughtUp();
  expect(views.rows("kept").get("packed", [1])).toEqual([1]);
  await views.close();
  await store.close();
});

test("the last row of a stored row takes it along", async () => {
  const store = await openMemoryStore();
  const views = await openViews(store, {
    projections: [
      {
        ...tally,
        name: "gone",
        tables: [{ name: "packed", keyParts: 1 }],
        apply: ({ position }, rows) => {
          if (position === 1) rows.put("packed", [300], "x");
          else rows.delete("packed", [300]);
        },
      },
    ],
  });
  await store.append(creations(1));
  await views.caughtUp();
  expect(await scanned(views.rows("gone"), "packed", { prefix: [] })).toEqual([
    { key: [300], value: "x" },
  ]);
  await store.append(creations(1, 1));
  await views.caughtUp();
  expect(await scanned(views.rows("gone"), "packed", { prefix: [] })).toEqual([]);
  await views.close();
  await store.close();
});
