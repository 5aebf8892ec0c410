/** The contract of a projection: the same rows and the same state hash, however the log was folded. */
import {
  openMemoryStore,
  openStore,
  type EmbeddedStore,
  type NewEvent,
  type RecordedEvent,
} from "@sennit/core";
import { propertySettings, withTemporaryDirectory } from "@sennit/core/testing";
import * as fc from "fast-check";
import { expect, test } from "vitest";

import type { ProjectionDefinition } from "../projection.ts";
import { builtInProjections } from "../read-models/built-in.ts";
import type { ProjectionProgress } from "../progress.ts";
import { openViews, type Views } from "../views.ts";
import { foldInPieces, readTables, type FoldedState } from "./split-fold.ts";

/** Batches that an empty store takes one after another. */
export type ProjectionHistory = readonly (readonly NewEvent[])[];

/**
 * Registers the tests of a projection: folded as the events come, rebuilt from the log, in any split and with a restart
 * after any batch, it makes the same rows and the same state hash of each history.
 */
export function runProjectionContract(
  name: string,
  definition: ProjectionDefinition,
  histories: readonly ProjectionHistory[],
): void {
  test(`${name}: any split of the log makes the same rows and state hash`, async () => {
    for (const history of histories) {
      const events = await eventsOf(history);
      const whole = await foldInPieces(definition, events, new Set(), "one by one");
      const everyEvent = new Set(events.keys());
      expect(await foldInPieces(definition, events, everyEvent, "one by one")).toEqual(whole);
      expect(await foldInPieces(definition, events, everyEvent, "overlapping")).toEqual(whole);
      await fc.assert(
        fc.asyncProperty(
          fc.uniqueArray(fc.nat({ max: events.length }), { maxLength: events.length }),
          fc.constantFrom("overlapping" as const, "one by one" as const),
          async (cuts, order) => {
            expect(await foldInPieces(definition, events, new Set(cuts), order)).toEqual(whole);
          },
        ),
        propertySettings(5),
      );
    }
  });

  test(`${name}: following the log and rebuilding from it end in the same state`, async () => {
    for (const history of histories) {
      const store = await openMemoryStore();
      const following = await openViews(store, { projections: own(definition) });
      for (const batch of history) {
        await store.append(batch);
        await following.caughtUp();
      }
      const rebuilt = await openViews(store, { projections: own(definition) });
      await rebuilt.caughtUp();
      const folded = await foldInPieces(definition, await readAll(store), new Set(), "one by one");
      expect(await stateOf(following, definition)).toEqual(folded);
      expect(await stateOf(rebuilt, definition)).toEqual(folded);
      await Promise.all([following.close(), rebuilt.close()]);
      await store.close();
    }
  });

  test(`${name}: a restart after any batch changes nothing`, async () => {
    for (const history of histories) {
      await withTemporaryDirectory(async (directory) => {
        for (const batch of history) {
          const store = await openStore(directory);
          const views = await openViews(store, { projections: own(definition) });
          await store.append(batch);
          await views.caughtUp();
          await views.close();
          await store.close();
        }
        const store = await openStore(directory);
        const views = await openViews(store, { projections: own(definition) });
        await views.caughtUp();
        const whole = await foldInPieces(definition, await readAll(store), new Set(), "one by one");
        expect(await stateOf(views, definition)).toEqual(whole);
        await views.close();
        await store.close();
      });
    }
  });
}

/** A built-in projection is there without being asked for. */
function own(definition: ProjectionDefinition): ProjectionDefinition[] {
  return builtInProjections.includes(definition) ? [] : [definition];
}

async function eventsOf(history: ProjectionHistory): Promise<RecordedEvent[]> {
  const store = await openMemoryStore();
  for (const batch of history) await store.append(batch);
  const events = await readAll(store);
  await store.close();
  return events;
}

async function readAll(store: EmbeddedStore): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const event of store.events()) events.push(event);
  return events;
}

async function stateOf(views: Views, definition: ProjectionDefinition): Promise<FoldedState> {
  let progress: ProjectionProgress | undefined;
  views
    .progress$(definition.name)
    .subscribe((value) => {
      progress = value;
    })
    .unsubscribe();
  const tables = await readTables(definition, views.rows(definition.name));
  return { stateHash: progress?.stateHash ?? "", tables };
}
