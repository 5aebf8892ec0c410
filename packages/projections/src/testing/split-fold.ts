/** Folds a log in chosen pieces, without a runner. */
import type { RecordedEvent } from "@sennit/core";
import { openMemoryStorage } from "@sennit/core/storage";

import { emptyStateHash } from "../checkpoint.ts";
import { tableName, type ProjectionDefinition } from "../projection.ts";
import { ProjectionRows, type Row } from "../projection-rows.ts";
import { RowBatch } from "../row-batch.ts";
import { deepFreeze } from "../shared-log.ts";

/** Everything a projection has made. */
export interface FoldedState {
  readonly stateHash: string;
  readonly tables: Readonly<Record<string, readonly Row[]>>;
}

/**
 * Folds events, cut after those whose index is among the cuts. Each piece is written while the next one is folded, or
 * before it when the batches are to start from what is stored alone.
 */
export async function foldInPieces(
  definition: ProjectionDefinition,
  events: readonly RecordedEvent[],
  cuts: ReadonlySet<number>,
  order: "overlapping" | "one by one",
): Promise<FoldedState> {
  const storage = openMemoryStorage();
  const rows = new ProjectionRows(storage, definition, () => undefined);
  let batch = new RowBatch(rows, definition, emptyStateHash);
  let unwritten: RowBatch | undefined;
  for (const [index, event] of events.entries()) {
    // A projection that changes the event it is given changes it for others, and is not a fold.
    deepFreeze(event);
    batch.fold(event);
    if (!cuts.has(index)) continue;
    if (unwritten !== undefined) await storage.write(unwritten.changes());
    unwritten = batch;
    batch = batch.next();
    if (order === "overlapping") continue;
    await storage.write(unwritten.changes());
    unwritten = undefined;
    batch = new RowBatch(rows, definition, batch.stateHash);
  }
  if (unwritten !== undefined) await storage.write(unwritten.changes());
  await storage.write(batch.changes());
  return { stateHash: batch.stateHash, tables: await readTables(definition, rows) };
}

/** All rows of all tables. */
export async function readTables(
  { tables }: ProjectionDefinition,
  rows: ProjectionRows,
): Promise<FoldedState["tables"]> {
  const read: Record<string, Row[]> = {};
  for (const table of tables.map(tableName)) {
    const all: Row[] = [];
    for await (const row of rows.scan(table, { prefix: [] })) all.push(row);
    read[table] = all;
  }
  return read;
}
