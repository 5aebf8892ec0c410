/** An example of a projection that adds up: what each actor has done so far. */
import type { EventType, Position } from "@sennit/core";
import { defineProjection, type ProjectionRows } from "@sennit/projections";

/** What one actor has done. */
export interface Activity {
  /** Null for events that name nobody, and for those whose content was erased. */
  readonly actor: string | null;
  readonly created: number;
  readonly updated: number;
  readonly invalidated: number;
  /** Different records. */
  readonly records: number;
  readonly firstPosition: Position;
  readonly lastPosition: Position;
}

type Counts = readonly [
  created: number,
  updated: number,
  invalidated: number,
  records: number,
  firstPosition: Position,
];

const places: Readonly<Record<EventType, number>> = {
  "record.created": 0,
  "record.updated": 1,
  "record.invalidated": 2,
};

/**
 * Tables: `counts` by actor and position, one row for each event of the actor, with the counts up to it; `last`, where the
 * newest row of each actor is; `touched`, the records of each.
 *
 * Counts only grow, so the row at or before a position holds the counts as of it.
 */
export const actorActivity = defineProjection({
  name: "actor-activity",
  version: 1,
  tables: ["counts", "last", "touched"],
  apply({ type, position, recordId, actor = "" }, rows) {
    const last = rows.get("last", [actor]) as Position | undefined;
    const before =
      last === undefined
        ? ([0, 0, 0, 0, position] as const)
        : (rows.get("counts", [actor, last]) as Counts);
    const counts = [...before];
    counts[places[type]] = (counts[places[type]] ?? 0) + 1;
    if (rows.get("touched", [actor, recordId]) === undefined) {
      rows.put("touched", [actor, recordId], true);
      counts[3] = (counts[3] ?? 0) + 1;
    }
    rows.put("counts", [actor, position], counts);
    rows.put("last", [actor], position);
  },
});

/** The report as of a position, the busiest first. @param rows of `actorActivity`, once it has got there */
export async function readActivity(rows: ProjectionRows, asOf: Position): Promise<Activity[]> {
  const found = new Map<string, Activity>();
  for await (const { key, value } of rows.scan("counts", { prefix: [] })) {
    const [actor, position] = key as [string, Position];
    if (position > asOf) continue;
    const [created, updated, invalidated, records, firstPosition] = value as Counts;
    const counts = { created, updated, invalidated, records, firstPosition };
    found.set(actor, { actor: actor === "" ? null : actor, ...counts, lastPosition: position });
  }
  const total = (item: Activity) => item.created + item.updated + item.invalidated;
  return [...found.values()].toSorted(
    (a, b) => total(b) - total(a) || a.firstPosition - b.firstPosition,
  );
}
