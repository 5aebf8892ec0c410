/** For any history, a client gives the answers of the store that it asks. */
import { connect } from "@sennit/client";
import { openMemoryStore } from "@sennit/core";
import {
  appendToBoth,
  EventPlanner,
  histories,
  Oracle,
  propertySettings,
} from "@sennit/core/testing";
import { openViews, type ViewReader } from "@sennit/projections";
import { buildServer } from "@sennit/server";
import * as fc from "fast-check";
import { expect, test } from "vitest";

const refs = ["a", "b@1", "c@2", "d", "kind/name"] as const;

const questions: readonly ((reader: ViewReader, ref: string, other: string) => Promise<unknown>)[] =
  [
    (reader, ref) => reader.record(ref),
    (reader, ref) => reader.history(ref.replace(/@\d+$/, "")),
    (reader, ref, other) => reader.diff(ref, other),
    (reader, ref) => reader.blame(ref),
    (reader, ref) => reader.lineage(ref, { direction: "descendants" }),
    (reader, ref, other) => reader.paths(ref, other),
    (reader, ref, other) => reader.commonAncestors(ref, other),
    (reader, ref) => reader.impact(ref),
    (reader, ref) => reader.replay(ref),
    (reader, ref) => reader.outdatedSources(ref),
    (reader) => reader.stale(),
    (reader) => reader.summary({ stale: true }),
    (reader) => reader.list("status:valid", { limit: 2 }),
    (reader) => reader.changesSince(Math.floor(reader.asOf / 2)),
  ];

async function answerOf(asked: Promise<unknown>): Promise<unknown> {
  try {
    return JSON.stringify(await asked);
  } catch (error) {
    return JSON.parse(JSON.stringify(error));
  }
}

const choice = fc.record({
  question: fc.nat({ max: questions.length - 1 }),
  instant: fc.nat({ max: 1000 }),
  ref: fc.constantFrom(...refs),
  other: fc.constantFrom(...refs),
});

test("answers and failures are the same, whatever was written through the client", async () => {
  const property = fc.asyncProperty(
    histories(6),
    fc.array(choice, { minLength: 10, maxLength: 30 }),
    async (steps, choices) => {
      const store = await openMemoryStore();
      const views = await openViews(store);
      const app = await buildServer({ store, views });
      const url = await app.listen({ host: "127.0.0.1", port: 0 });
      const client = await connect(url);
      try {
        const oracle = new Oracle();
        const planner = new EventPlanner();
        for (const step of steps) {
          if (step.type === "batch") {
            await appendToBoth(client, oracle, planner.plan(step.drafts, oracle));
          }
        }
        for (const { question, instant, ref, other } of choices) {
          const position = instant % (store.head + 1);
          const ask = questions[question];
          if (ask === undefined) continue;
          const there = await client.at({ position });
          const here = await views.at({ position });
          expect(await answerOf(ask(there, ref, other))).toEqual(
            await answerOf(ask(here, ref, other)),
          );
        }
      } finally {
        await client.close();
        await app.close();
        await views.close();
        await store.close();
      }
    },
  );
  await fc.assert(property, propertySettings(10));
});
