/**
 * The `records` projection: which records had which kind, name and tags from when until when.
 *
 * Every index row is a span `[from, until)` of positions, so a look-up as of any position reads the same rows.
 */
import type { Position, RecordedEvent, RecordId, TagValue } from "@sennit/core";

import { defineProjection, type ProjectionDefinition, type Rows } from "../projection.ts";
import type { KeyPart } from "../keys.ts";
import type { ProjectionRows } from "../row-storage.ts";

/** A member's value and the position it has held since. */
type Since<T> = { readonly value: T; readonly from: Position };

/** What the projection knows of a record after the last event folded. */
type CurrentRow = {
  readonly created: Position;
  readonly kind: Since<string>;
  readonly name: Since<string>;
  readonly tags: { readonly [key: string]: Since<TagValue> };
};

/** A row of an index. `until` is null while it holds. */
export type SpanRow = { readonly recordId: RecordId; readonly until: Position | null };

/** A record found in an index. */
export interface Candidate {
  readonly recordId: RecordId;
  /** Position of its first event: what the answers are ordered by. */
  readonly created: Position;
}

/** Tables: `record` by id; `all` by creation; the rest by value, creation and beginning of the span. */
export const recordsProjection: ProjectionDefinition = defineProjection({
  name: "records",
  version: 1,
  tables: ["record", "all", "by-kind", "by-name", "by-tag"],
  apply: applyToRecords,
});

function applyToRecords(event: RecordedEvent, rows: Rows): void {
  if (event.type === "record.invalidated") return;
  const { recordId, position } = event;
  const before = rows.get("record", [recordId]) as CurrentRow | undefined;
  const document = documentAfter(event, before);
  const created = before?.created ?? position;
  if (before === undefined) rows.put("all", [created], recordId);
  const index = new SpanIndex(rows, recordId, created, position);
  const kind = index.move("by-kind", [], before?.kind, document.kind);
  const name = index.move(
    "by-name",
    [document.kind],
    before?.name,
    document.name,
    before?.kind.value,
  );
  const tags: Record<string, Since<TagValue>> = {};
  for (const key of new Set([...Object.keys(before?.tags ?? {}), ...Object.keys(document.tags)])) {
    const since = index.move("by-tag", [key], before?.tags[key], document.tags[key]);
    if (since !== undefined) tags[key] = since;
  }
  rows.put("record", [recordId], { created, kind, name, tags } as CurrentRow);
}

interface Described {
  readonly kind: string;
  readonly name: string;
  readonly tags: Readonly<Record<string, TagValue>>;
}

/** Kind, name and tags after an event. */
function documentAfter(
  event: Exclude<RecordedEvent, { type: "record.invalidated" }>,
  before: CurrentRow | undefined,
): Described {
  if (event.type === "record.created") {
    return { kind: event.data.kind, name: event.data.name, tags: event.data.tags ?? {} };
  }
  const { patch, document } = event.data;
  if (document !== undefined) {
    return { kind: document.kind, name: document.name, tags: document.tags ?? {} };
  }
  const tags = Object.entries(before?.tags ?? {}).map(([key, { value }]) => [key, value] as const);
  const described = {
    kind: before?.kind.value ?? "",
    name: patch?.name ?? before?.name.value ?? "",
  };
  if (patch?.tags === null) return { ...described, tags: {} };
  const patched = new Map<string, TagValue | null>([...tags, ...Object.entries(patch?.tags ?? {})]);
  const kept = [...patched].filter((entry): entry is [string, TagValue] => entry[1] !== null);
  return { ...described, tags: Object.fromEntries(kept) };
}

/** Ends and begins the spans of one record at one position. */
class SpanIndex {
  readonly #rows: Rows;
  readonly #recordId: RecordId;
  readonly #created: Position;
  readonly #position: Position;

  constructor(rows: Rows, recordId: RecordId, created: Position, position: Position) {
    this.#rows = rows;
    this.#recordId = recordId;
    this.#created = created;
    this.#position = position;
  }

  /** Moves a member from its value before to its value after. @returns the value and since when it holds */
  move<T extends TagValue>(
    table: string,
    prefix: readonly KeyPart[],
    before: Since<T> | undefined,
    after: T,
  ): Since<T>;
  move<T extends TagValue>(
    table: string,
    prefix: readonly KeyPart[],
    before: Since<T> | undefined,
    after: T | undefined,
    prefixBefore?: KeyPart,
  ): Since<T> | undefined;
  move<T extends TagValue>(
    table: string,
    prefix: readonly KeyPart[],
    before: Since<T> | undefined,
    after: T | undefined,
    prefixBefore?: KeyPart,
  ): Since<T> | undefined {
    const samePlace = prefixBefore === undefined || prefixBefore === prefix[0];
    if (before !== undefined && before.value === after && samePlace) return before;
    if (before !== undefined) {
      const place = prefixBefore === undefined ? prefix : [prefixBefore];
      const key = [...place, String(before.value), this.#created, before.from];
      this.#rows.put(table, key, { recordId: this.#recordId, until: this.#position });
    }
    if (after === undefined) return undefined;
    const key = [...prefix, String(after), this.#created, this.#position];
    this.#rows.put(table, key, { recordId: this.#recordId, until: null });
    return { value: after, from: this.#position };
  }
}

/** What an index can narrow a search by. The narrowest given is used; the caller checks the rest. */
export interface RecordsFilter {
  readonly kind?: string | undefined;
  /** Tag key and the text of its value. */
  readonly tag?: readonly [key: string, value: string] | undefined;
}

/** Records that fit the filter as of a position, in the order of their creation, after the one created at `after`. */
export async function* findRecords(
  rows: ProjectionRows,
  asOf: Position,
  { kind, tag }: RecordsFilter,
  after: Position = 0,
): AsyncGenerator<Candidate> {
  if (tag !== undefined) yield* spans(rows, "by-tag", tag, asOf, after);
  else if (kind !== undefined) yield* spans(rows, "by-kind", [kind], asOf, after);
  else yield* allRecords(rows, asOf, after);
}

/** Records of a kind that bear a name as of a position. */
export async function* findByName(
  rows: ProjectionRows,
  asOf: Position,
  kind: string,
  name: string,
): AsyncGenerator<Candidate> {
  yield* spans(rows, "by-name", [kind, name], asOf, 0);
}

async function* spans(
  rows: ProjectionRows,
  table: string,
  prefix: readonly KeyPart[],
  asOf: Position,
  after: Position,
): AsyncGenerator<Candidate> {
  for await (const { key, value } of rows.scan(table, { prefix, after: [...prefix, after] })) {
    const [created, from] = key.slice(prefix.length) as [Position, Position];
    if (created > asOf) return;
    const { recordId, until } = value as SpanRow;
    if (from <= asOf && (until === null || asOf < until)) yield { recordId, created };
  }
}

async function* allRecords(
  rows: ProjectionRows,
  asOf: Position,
  after: Position,
): AsyncGenerator<Candidate> {
  for await (const { key, value } of rows.scan("all", { prefix: [], after: [after] })) {
    const [created] = key as [Position];
    if (created > asOf) return;
    yield { recordId: value as RecordId, created };
  }
}
