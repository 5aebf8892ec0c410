/** What a projection is: a named, versioned, deterministic fold of the log into rows. */
import type { RecordedEvent } from "@sennit/core";

import type { KeyPart } from "./keys.ts";
import type { PackedTable } from "./packed-table.ts";
import type { RowValue } from "./row-value.ts";

/**
 * The rows a projection sees while it folds an event: those of all events before, and its own changes so far.
 *
 * They may be used until `apply` returns and not after. What `get` returns is the caller's: changing it changes no row.
 * A TypeError answers tables not declared, keys `encodeKey` refuses, and values that are not JSON.
 */
export interface Rows {
  get(table: string, key: readonly KeyPart[]): RowValue | undefined;
  put(table: string, key: readonly KeyPart[], value: RowValue): void;
  delete(table: string, key: readonly KeyPart[]): void;
}

/**
 * A projection as its author writes it.
 *
 * `apply` gets the event and the rows and nothing else: no clock, no randomness, no other store. It must not keep state
 * of its own between calls, so that any split of the log into runs ends in the same rows. It must not be async. When it
 * throws, the projection stops before that event and says so; the log and the other projections go on, and it is tried
 * again after a pause. The event is shared with others and frozen.
 */
export interface ProjectionDefinition {
  /** 1-64 characters of a-z, 0-9 and `-`. */
  readonly name: string;
  /** A whole number from 1. A new number rebuilds the rows from the log. */
  readonly version: number;
  /** By name, or packed: see `PackedTable`. */
  readonly tables: readonly (string | PackedTable)[];
  /**
   * Earlier versions whose rows the code that reads this projection can read as well. While the rows of this version are
   * being made, theirs answer as of every instant they had got to; without, reads wait.
   */
  readonly readsVersions?: readonly number[] | undefined;
  /**
   * Where another thread finds the definition, so that long rebuilds need not share this one: the address of a module that
   * Node can import (`import.meta.url`) and the name it is exported under. Without, rebuilds are made in this thread, which
   * they leave to others after every chunk.
   */
  readonly source?: { readonly module: string; readonly export: string } | undefined;
  readonly apply: (event: RecordedEvent, rows: Rows) => void;
}

const namePattern = /^[a-z][a-z0-9-]{0,63}$/;

/** Checks a definition and returns it. @throws TypeError for a name, version or table that cannot be */
export function defineProjection(definition: ProjectionDefinition): ProjectionDefinition {
  const { name, version, tables } = definition;
  if (!namePattern.test(name)) throw new TypeError(`"${name}" is no name for a projection.`);
  if (!Number.isInteger(version) || version < 1) {
    throw new TypeError(`The version of projection "${name}" must be a whole number from 1.`);
  }
  for (const earlier of definition.readsVersions ?? []) {
    if (!Number.isInteger(earlier) || earlier < 1 || earlier >= version) {
      throw new TypeError(`Projection "${name}" can read rows of earlier versions only.`);
    }
  }
  const names = tables.map(tableName);
  for (const table of names) {
    if (!namePattern.test(table)) throw new TypeError(`"${table}" is no name for a table.`);
  }
  for (const table of tables) {
    if (typeof table !== "string" && !(Number.isInteger(table.keyParts) && table.keyParts > 0)) {
      throw new TypeError(`The keys of table "${table.name}" must have a number of parts from 1.`);
    }
  }
  if (new Set(names).size !== names.length) {
    throw new TypeError(`Projection "${name}" names a table twice.`);
  }
  return definition;
}

/** The name of a table of a definition. */
export function tableName(table: string | PackedTable): string {
  return typeof table === "string" ? table : table.name;
}
