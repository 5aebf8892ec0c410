/** An example of a projection that answers as of any instant: the valid models with the least loss. */
import type { Position, RecordedEvent, RecordId, Version } from "@sennit/core";
import { defineProjection, type ProjectionRows, type Rows } from "@sennit/projections";

/** One model on the board. */
export interface Place {
  readonly recordId: RecordId;
  readonly name: string;
  readonly loss: number;
  /** The position since which it has stood there with this loss and name. */
  readonly since: Position;
}

/** What is known of a model after the last event: name, loss, the version that holds them, and since when it is on the board. */
type ModelRow = readonly [
  name: string,
  loss: number | null,
  contentVersion: Version,
  since: Position | null,
];

/** A stay on the board: the name, and where it ended once it has. Its key says loss, model and where it began. */
type StayRow = readonly [name: string, until: Position | null];

/**
 * Tables: `model` by id, what the fold must remember; `board`, the stays of all models, ordered by loss.
 *
 * A row of the board is never deleted, only ended, so the board of any instant can be read from the same rows.
 */
export const modelLeaderboard = defineProjection({
  name: "model-leaderboard",
  version: 1,
  tables: ["model", "board"],
  apply(event, rows) {
    const before = rows.get("model", [event.recordId]) as ModelRow | undefined;
    const after = modelAfter(event, before);
    if (after === undefined) return;
    const [name, loss, contentVersion, isValid] = after;
    const [nameBefore, lossBefore, , since = null] = before ?? [];
    const belongs = isValid && loss !== null;
    const stays = belongs && since !== null && name === nameBefore && loss === lossBefore;
    if (!stays && since !== null) leave(rows, event, before);
    if (!stays && belongs) rows.put("board", [loss, event.recordId, event.position], [name, null]);
    const sinceNow = belongs ? (stays ? since : event.position) : null;
    rows.put("model", [event.recordId], [name, loss, contentVersion, sinceNow]);
  },
});

function leave(rows: Rows, { recordId, position }: RecordedEvent, before?: ModelRow): void {
  const [name = "", loss, , since] = before ?? [];
  rows.put("board", [loss ?? 0, recordId, since ?? 0], [name, position]);
}

/** Name, loss, content version and validity after an event; undefined for what is no model. */
function modelAfter(
  event: RecordedEvent,
  before: ModelRow | undefined,
): readonly [string, number | null, Version, boolean] | undefined {
  if (event.type === "record.created") {
    const { kind, name, tags } = event.data;
    return kind === "model" ? [name, lossIn(tags), event.version, true] : undefined;
  }
  if (before === undefined) return undefined;
  const [name, loss, contentVersion, since] = before;
  if (event.type === "record.invalidated") {
    const { from, to } = event.data.versions;
    const isWithdrawn = from <= contentVersion && contentVersion <= to;
    return [name, loss, contentVersion, since !== null && !isWithdrawn];
  }
  const { document, patch = {} } = event.data;
  if (document !== undefined) return [document.name, lossIn(document.tags), event.version, true];
  const isLossNamed = patch.tags === null || Object.hasOwn(patch.tags ?? {}, "loss");
  return [patch.name ?? name, isLossNamed ? lossIn(patch.tags) : loss, event.version, true];
}

function lossIn(tags: Readonly<Record<string, unknown>> | null | undefined): number | null {
  const loss = tags?.["loss"];
  return typeof loss === "number" ? loss : null;
}

/** The board as of a position, the best first. @param rows of `modelLeaderboard`, once it has got there */
export async function readLeaderboard(
  rows: ProjectionRows,
  asOf: Position,
  limit = 10,
): Promise<Place[]> {
  const places: Place[] = [];
  for await (const { key, value } of rows.scan("board", { prefix: [] })) {
    if (places.length === limit) break;
    const [loss, recordId, since] = key as [number, RecordId, Position];
    const [name, until] = value as StayRow;
    if (since <= asOf && (until === null || asOf < until)) {
      places.push({ recordId, name, loss, since });
    }
  }
  return places;
}
