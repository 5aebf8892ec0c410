/** A projection in which a gap, a duplicate or a lost row shows, and what tests ask about it. */
import { created, type EmbeddedStore, type NewEvent, type RecordedEvent } from "@sennit/core";
import { expect } from "vitest";

import { defineProjection, type ProjectionDefinition } from "../projection.ts";
import type { ProjectionProgress } from "../progress.ts";
import type { Views } from "../views.ts";
import { foldInPieces, readTables } from "./split-fold.ts";

/** One row per event, and one that every event reads and replaces. */
export const tally: ProjectionDefinition = defineProjection({
  name: "tally",
  version: 1,
  tables: ["event", "count"],
  apply({ position, recordId }, rows) {
    const count = ((rows.get("count", []) as number | undefined) ?? 0) + 1;
    rows.put("count", [], count);
    rows.put("event", [position], `${count} ${recordId}`);
  },
});

/** `count` creations, numbered from `from`. */
export function creations(count: number, from = 0): NewEvent[] {
  return Array.from({ length: count }, (_, index) => {
    const number = from + index;
    return created(`r-${number}`, { kind: "k", name: `n-${number}`, tags: { number } });
  });
}

/** The progress at this moment. */
export function progressOf(views: Views, name: string): ProjectionProgress {
  return views.progress(name);
}

/** Expects the rows and the state hash that folding the log up to where the projection is makes. */
export async function expectFolded(
  store: EmbeddedStore,
  views: Views,
  definition: ProjectionDefinition,
): Promise<void> {
  const { position, stateHash } = progressOf(views, definition.name);
  const events: RecordedEvent[] = [];
  for await (const event of store.events({ until: position })) events.push(event);
  const tables = await readTables(definition, views.rows(definition.name));
  expect({ stateHash, tables }).toEqual(
    await foldInPieces(definition, position === 0 ? [] : events, new Set(), "one by one"),
  );
}
