/** Compares every answer of a store with the oracle's. */
import { expect } from "vitest";

import { must } from "../assert.ts";
import { isStoreError } from "../errors.ts";
import type { NewEvent, RecordedEvent } from "../event/event.ts";
import { canonicalJson } from "../event/json.ts";
import type { Position, RecordId } from "../ids.ts";
import type { AppendResult } from "../log/event-log.ts";
import type { Lineage, LineageEdge, LineageNode, Reader } from "../read/reader.ts";
import type { Store } from "../store.ts";
import type { Oracle, OracleOutcome } from "./oracle.ts";
import type { OracleLineage, OracleReader } from "./oracle-reader.ts";

/** A store as far as it is compared. */
export type ComparedStore = Pick<Store, "append" | "events" | "at">;

/** Sends a batch to both, and expects the same acceptance, places, consequences and stored events. */
export async function appendToBoth(
  store: Pick<Store, "append" | "events">,
  oracle: Oracle,
  batch: readonly NewEvent[],
): Promise<void> {
  const before = oracle.head;
  const predicted = oracle.append(batch);
  const outcome = await outcomeOf(store, batch);
  const told = [...outcome.told].map(({ position }) => position);
  expect(outcome.outcome).toEqual(predicted);
  const added: RecordedEvent[] = [];
  for await (const event of store.events({ from: before + 1 })) added.push(event);
  for (const event of added) oracle.learn(event);
  expect(added.map((event) => placeOf(event))).toEqual(
    oracle.events.slice(before).map((event) => {
      const { position, recordId, version, type, withdrawal } = event;
      const root = withdrawal?.root ?? null;
      return {
        position,
        recordId,
        version,
        type,
        data: event.data,
        via: withdrawal?.via ?? null,
        rootId: root === null ? null : rootId(added, root, oracle),
      };
    }),
  );
  expect(new Set(added.map(({ recordedAt }) => recordedAt)).size).toBe(added.length === 0 ? 0 : 1);
  expect(told.every((position) => position <= oracle.head)).toBe(true);
}

async function outcomeOf(
  store: Pick<Store, "append">,
  batch: readonly NewEvent[],
): Promise<{ readonly outcome: OracleOutcome; readonly told: readonly RecordedEvent[] }> {
  let result: AppendResult;
  try {
    result = await store.append(batch);
  } catch (error) {
    if (!isStoreError(error)) throw error;
    return { outcome: { code: error.code, index: Number(error.details["index"]) }, told: [] };
  }
  return {
    told: result.events.flatMap((event) => [...event.placeholders, ...event.consequences]),
    outcome: {
      code: null,
      appended: result.events.map(({ status, position, version, placeholders, consequences }) => ({
        status,
        position,
        version,
        placeholders: placeholders.map((event) => event.position),
        consequences: consequences.map((event) => event.position),
      })),
    },
  };
}

function placeOf({ position, recordId, version, type, data }: RecordedEvent): unknown {
  const { root, via, ...rest } = data as Extract<
    RecordedEvent,
    { type: "record.invalidated" }
  >["data"];
  return { position, recordId, version, type, data: rest, via: via ?? null, rootId: root ?? null };
}

function rootId(added: readonly RecordedEvent[], position: Position, oracle: Oracle): unknown {
  const event = added.find((item) => item.position === position);
  const { recordId } = must(oracle.events[position - 1], "a root stands in the log");
  return { eventId: event?.id ?? oracle.idAt(position), recordId };
}

/** Expects equal answers to every question as of one position. */
export async function compareAt(
  store: ComparedStore,
  oracle: Oracle,
  position: Position,
): Promise<void> {
  const reader = await store.at({ position });
  const model = oracle.at(position);
  expect(reader.asOf).toBe(position);
  for (const recordId of model.recordIds()) await compareRecord(reader, model, recordId);
}

async function compareRecord(
  reader: Reader,
  model: OracleReader,
  recordId: RecordId,
): Promise<void> {
  const current = model.currentVersion(recordId);
  const views = model.history(recordId);
  expect((await reader.history(recordId)).versions).toEqual(views);
  expect(await reader.record(recordId)).toEqual(views.at(-1));
  for (const ref of [
    { recordId, version: current },
    { recordId, version: 1 },
  ]) {
    const text = `${recordId}@${ref.version}`;
    expect(sorted(await reader.lineage(text))).toEqual(sorted(model.ancestors(ref)));
    const down = await reader.lineage(text, { direction: "descendants" });
    expect(sorted(down)).toEqual(sorted(model.descendants(ref)));
    const impact = await reader.impact(text);
    expect(impact.withdrawn).toEqual(
      model.impact(recordId, { from: ref.version, to: ref.version }),
    );
    const { decision, digest, ...replay } = await reader.replay(text);
    const predicted = model.replay(ref);
    expect({ ...replay, edges: sortedEdges(replay.edges) }).toEqual({
      ...predicted,
      edges: sortedEdges(predicted.edges),
    });
    expect(decision).toEqual(predicted.closure.at(-1));
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
  }
  const impact = await reader.impact(recordId);
  expect(impact.withdrawn).toEqual(model.impact(recordId, { from: 1, to: current }));
}

/** Nodes must come nearest first; within one depth their order is free. */
function sorted({ nodes, edges }: Lineage | OracleLineage): OracleLineage {
  const depths = nodes.map(({ depth }) => depth);
  expect(depths).toEqual(depths.toSorted((a, b) => a - b));
  return { nodes: sortedBy(nodes, nodeText), edges: sortedEdges(edges) };
}

function sortedEdges(edges: readonly LineageEdge[]): LineageEdge[] {
  return sortedBy(edges, canonicalJson);
}

function nodeText({ depth, recordId, version }: LineageNode): string {
  return `${String(depth).padStart(6, "0")} ${recordId}@${version}`;
}

function sortedBy<T>(items: readonly T[], text: (item: T) => string): T[] {
  return items.toSorted((a, b) => (text(a) < text(b) ? -1 : 1));
}
