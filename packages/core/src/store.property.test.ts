/** The store against a naive model of it, over random histories: every batch, and every question at every position. */
import * as fc from "fast-check";
import { expect, test } from "vitest";

import { openMemoryStore, openStore } from "./open-store.ts";
import type { EmbeddedStore } from "./store.ts";
import { EventPlanner, histories, type HistoryStep } from "./testing/arbitraries.ts";
import { appendToBoth, compareAt } from "./testing/compare.ts";
import { FakeClock } from "./testing/fake-clock.ts";
import { Oracle } from "./testing/oracle.ts";
import { propertySettings } from "./testing/settings.ts";
import { withTemporaryDirectory } from "./testing/temporary-directory.ts";

/** Runs a history on a store and on the oracle, then asks both everything as of every position. */
async function runHistory(
  steps: readonly HistoryStep[],
  open: () => Promise<EmbeddedStore>,
  canReopen: boolean,
): Promise<void> {
  const oracle = new Oracle();
  const planner = new EventPlanner();
  let store = await open();
  try {
    for (const step of steps) {
      if (step.type === "batch") {
        const batch = planner.plan(step.drafts, oracle);
        await appendToBoth(store, oracle, batch);
        expect(store.head).toBe(oracle.head);
        await compareAt(store, oracle, oracle.head);
      } else if (canReopen) {
        await store.close();
        store = await open();
      }
    }
    // What was answered along the way must still be the answer now that more has been appended.
    for (let position = 0; position <= oracle.head; position += 1) {
      await compareAt(store, oracle, position);
    }
    expect(await store.verify()).toMatchObject({ ok: true, events: oracle.head });
  } finally {
    await store.close();
  }
}

test("a store in memory gives the oracle's answers as of every position", async () => {
  expect.hasAssertions();
  await fc.assert(
    fc.asyncProperty(histories(), async (steps) => {
      const clock = new FakeClock("2026-03-02T10:00:00Z", -250_000);
      await runHistory(steps, () => openMemoryStore({ clock }), false);
    }),
    propertySettings(90),
  );
});

test("a store on disk gives the oracle's answers, closed and opened again at random points", async () => {
  expect.hasAssertions();
  await fc.assert(
    fc.asyncProperty(histories(), (steps) =>
      withTemporaryDirectory(async (directory) => {
        const clock = new FakeClock("2026-03-02T10:00:00Z", 1_000_000);
        await runHistory(steps, () => openStore(directory, { clock }), true);
      }),
    ),
    propertySettings(40),
  );
});
