/** Folds events into a projection, for tests of what it makes of them. */
import { openMemoryStore, type NewEvent } from "@sennit/core";

import type { ProjectionDefinition } from "../projection.ts";
import type { ProjectionRows } from "../projection-rows.ts";
import { openViews } from "../views.ts";

/**
 * The rows of a projection once it has been given events, each appended as a batch of its own to an empty store in memory.
 *
 * @throws what `append` throws, and `projection-failed`
 */
export async function givenEvents(
  definition: ProjectionDefinition,
  events: readonly NewEvent[],
): Promise<ProjectionRows> {
  const store = await openMemoryStore();
  for (const event of events) await store.append([event]);
  const views = await openViews(store, { projections: [definition] });
  await views.caughtUp();
  return views.rows(definition.name);
}
