/** Given some events, when others follow, then a projection has these rows: for tests of what it makes of them. */
import { deepStrictEqual } from "node:assert/strict";

import { isStoreError, openMemoryStore, type ErrorCode, type NewEvent } from "@sennit/core";

import type { KeyPart } from "../keys.ts";
import type { ProjectionDefinition } from "../projection.ts";
import type { ProjectionRows } from "../projection-rows.ts";
import type { RowValue } from "../row-value.ts";
import { openViews } from "../views.ts";

/** All rows of a table in the order of their keys: each key with its value. */
export type ExpectedRows = readonly (readonly [key: readonly KeyPart[], value: RowValue])[];

/** A history, and what a projection makes of it. Every step returns another scenario, so a beginning may be shared. */
export interface Scenario {
  /** The same history, and then these events. The views are open while they are appended. */
  when(...events: readonly NewEvent[]): Scenario;
  /**
   * Expects these rows, and no others, in the tables named.
   *
   * @throws an AssertionError that shows the difference; what `append` throws; `projection-failed`
   */
  thenRows(tables: Readonly<Record<string, ExpectedRows>>): Promise<void>;
  /** Expects the projection to stop with a `projection-failed` at this position. @throws an AssertionError otherwise */
  thenFailsAt(position: number): Promise<void>;
  /** The rows themselves, to look at one of them. @throws what `append` throws, `projection-failed` */
  rows(): Promise<ProjectionRows>;
}

/** Begins a scenario: a projection, and the events that are in the log before its views are opened, each a batch of its own. */
export function given(definition: ProjectionDefinition, ...events: readonly NewEvent[]): Scenario {
  return scenario(definition, events, []);
}

/**
 * The rows of a projection once it has been given events, each appended as a batch of its own to an empty store in memory.
 *
 * @throws what `append` throws, and `projection-failed`
 */
export function givenEvents(
  definition: ProjectionDefinition,
  events: readonly NewEvent[],
): Promise<ProjectionRows> {
  return given(definition, ...events).rows();
}

function scenario(
  definition: ProjectionDefinition,
  before: readonly NewEvent[],
  after: readonly NewEvent[],
): Scenario {
  const rows = () => rowsOf(definition, before, after);
  return {
    when: (...events) => scenario(definition, before, [...after, ...events]),
    thenRows: async (tables) => {
      const found = await rows();
      const actual: Record<string, ExpectedRows> = {};
      for (const table of Object.keys(tables)) {
        const all: (readonly [readonly KeyPart[], RowValue])[] = [];
        for await (const { key, value } of found.scan(table, { prefix: [] }))
          all.push([key, value]);
        actual[table] = all;
      }
      deepStrictEqual(actual, tables);
    },
    thenFailsAt: async (position) => {
      deepStrictEqual(await failureOf(rows), { code: "projection-failed", position });
    },
    rows,
  };
}

async function rowsOf(
  definition: ProjectionDefinition,
  before: readonly NewEvent[],
  after: readonly NewEvent[],
): Promise<ProjectionRows> {
  const store = await openMemoryStore();
  for (const event of before) await store.append([event]);
  const views = await openViews(store, { projections: [definition] });
  for (const event of after) {
    await store.append([event]);
    await views.caughtUp();
  }
  await views.caughtUp();
  return views.rows(definition.name);
}

async function failureOf(
  work: () => Promise<unknown>,
): Promise<{ readonly code: ErrorCode; readonly position: unknown } | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (!isStoreError(error)) throw error;
    return { code: error.code, position: error.details?.["position"] };
  }
}
