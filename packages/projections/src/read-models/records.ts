/**
 * The `records` projection: which records had which kind, name and tags from when until when.
 *
 * Every index row is a span `[from, until)` of positions, so a look-up as of any position reads the same rows.
 */
import type { Position, RecordedEvent, RecordId, TagValue } from "@sennit/core";

import type { KeyPart } from "../keys.ts";
import { defineProjection, type ProjectionDefinition, type Rows } from "../projection.ts";
import type { ProjectionRows } from "../projection-rows.ts";
import type { RowValue } from "../row-value.ts";

/** Tables: `record` by id; `all` by creation; the rest by value, creation and beginning of the span. */
export const recordsProjection: ProjectionDefinition = defineProjection({
  name: "records",
  version: 1,
  tables: ["record", "all", "by-kind", "by-name", "by-tag"],
  apply: applyToRecords,
});

/** A record found in an index. */
export interface Candidate {
  readonly recordId: RecordId;
  /** Position of its first event: what the answers are ordered by. */
  readonly created: Position;
}

/** A text a record bears, and the position since which it does. */
interface Held {
  readonly text: string;
  readonly from: Position;
}

/** What the projection knows of a record after the last event folded. */
interface Current {
  readonly created: Position;
  readonly kind: Held;
  readonly name: Held;
  /** By tag key. A map: a key may be called `constructor`. */
  readonly tags: ReadonlyMap<string, Held>;
}

/** How `Current` is stored: creation; kind; name; key, text and position of each tag. */
type CurrentRow = readonly [
  created: Position,
  kind: string,
  kindFrom: Position,
  name: string,
  nameFrom: Position,
  tags: readonly (string | Position)[],
];

/** A row of an index: the record's id while it stands there, and when it stopped once it does not. */
type SpanRow = RecordId | readonly [recordId: RecordId, until: Position];

type ContentEvent = Exclude<RecordedEvent, { type: "record.invalidated" }>;

function applyToRecords(event: RecordedEvent, rows: Rows): void {
  if (event.type === "record.invalidated") return;
  const { recordId, position } = event;
  const before = event.version === 1 ? undefined : readCurrent(rows.get("record", [recordId]));
  const created = before?.created ?? position;
  if (before === undefined) rows.put("all", [created], recordId);
  const after = describe(event, before);
  const move = new SpanMover(rows, recordId, created, position);
  const kind = move.to("by-kind", before?.kind, [], after.kind);
  // A name is looked up by kind and name, so it moves with either.
  const isSameKind = kind === before?.kind;
  if (!isSameKind) move.end("by-name", before?.name, [before?.kind.text ?? ""]);
  const name = move.to("by-name", isSameKind ? before?.name : undefined, [kind.text], after.name);
  const tags: (string | Position)[] = [];
  for (const [key, text] of after.tags) {
    const held = move.to("by-tag", before?.tags.get(key), [key], text);
    tags.push(key, held.text, held.from);
  }
  for (const [key, held] of before?.tags ?? []) {
    if (!after.tags.has(key)) move.end("by-tag", held, [key]);
  }
  const row: CurrentRow = [created, kind.text, kind.from, name.text, name.from, tags];
  rows.put("record", [recordId], row);
}

function readCurrent(row: RowValue | undefined): Current | undefined {
  if (row === undefined) return undefined;
  const [created, kind, kindFrom, name, nameFrom, flatTags] = row as CurrentRow;
  const tags = new Map<string, Held>();
  for (let index = 0; index < flatTags.length; index += 3) {
    const [key, text, from] = flatTags.slice(index, index + 3) as [string, string, Position];
    tags.set(key, { text, from });
  }
  return {
    created,
    kind: { text: kind, from: kindFrom },
    name: { text: name, from: nameFrom },
    tags,
  };
}

interface Described {
  readonly kind: string;
  readonly name: string;
  /** The text of each tag's value. */
  readonly tags: ReadonlyMap<string, string>;
}

/** Kind, name and tags after an event. */
function describe(event: ContentEvent, before: Current | undefined): Described {
  const document = event.type === "record.created" ? event.data : event.data.document;
  if (document !== undefined) {
    return { kind: document.kind, name: document.name, tags: textsOf(document.tags ?? {}) };
  }
  const patch = event.type === "record.created" ? undefined : event.data.patch;
  const kind = before?.kind.text ?? "";
  const name = patch?.name ?? before?.name.text ?? "";
  if (patch?.tags === null) return { kind, name, tags: new Map() };
  const tags = new Map([...(before?.tags ?? [])].map(([key, { text }]) => [key, text]));
  for (const [key, value] of Object.entries(patch?.tags ?? {})) {
    if (value === null) tags.delete(key);
    else tags.set(key, String(value));
  }
  return { kind, name, tags };
}

function textsOf(tags: Readonly<Record<string, TagValue>>): Map<string, string> {
  return new Map(Object.entries(tags).map(([key, value]) => [key, String(value)]));
}

/** Begins and ends the spans of one record at one position. */
class SpanMover {
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

  /** Moves the record from the text it bore in this place to another one. */
  to(table: string, before: Held | undefined, place: readonly KeyPart[], text: string): Held {
    if (before?.text === text) return before;
    this.end(table, before, place);
    const row: SpanRow = this.#recordId;
    this.#rows.put(table, [...place, text, this.#created, this.#position], row);
    return { text, from: this.#position };
  }

  end(table: string, held: Held | undefined, place: readonly KeyPart[]): void {
    if (held === undefined) return;
    const row: SpanRow = [this.#recordId, this.#position];
    this.#rows.put(table, [...place, held.text, this.#created, held.from], row);
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
    const row = value as SpanRow;
    const [recordId, until] = typeof row === "string" ? [row, Infinity] : row;
    if (from <= asOf && asOf < until) yield { recordId, created };
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
