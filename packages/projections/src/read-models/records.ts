/**
 * The `records` projection: which records had which kind, name and tags from when until when, and how many events there were.
 *
 * What holds now stands by its value, so that a look-up as of now reads the answer and nothing else. What has ended stands
 * by its end, the last one first, so that a look-up as of a position goes on to what has ended since and stops there.
 */
import {
  placeholderKind,
  type Position,
  type RecordedEvent,
  type RecordId,
  type TagValue,
} from "@sennit/core";

import type { KeyPart } from "../keys.ts";
import { defineProjection, type ProjectionDefinition, type Rows } from "../projection.ts";
import type { RowValue } from "../row-value.ts";
import { countEvent, countTables } from "./event-counts.ts";

/**
 * Tables: `record` by id; `all` by creation; `by-kind`, `by-name` and `by-tag` by value and creation, what holds now;
 * `ended` by field and end, what held before; `revised` and `withdrawn` by creation, the records whose content has changed
 * since, and those of which some version has been withdrawn; `minute` and `day`: see `countTables`.
 */
export const recordsProjection: ProjectionDefinition = defineProjection({
  name: "records",
  version: 6,
  tables: [
    { name: "all", keyParts: 1 },
    { name: "by-kind", keyParts: 2 },
    "by-name",
    { name: "by-tag", keyParts: 3 },
    "ended",
    "record",
    { name: "revised", keyParts: 1 },
    { name: "withdrawn", keyParts: 1 },
    ...countTables,
  ],
  apply: applyToRecords,
});

/** Tables of what holds now. Their keys end in the position of the record's creation. */
export type IndexTable = "by-kind" | "by-name" | "by-tag";

/** What stands under a key of an index: the record's id, and since when it holds unless that is the creation. */
export type HeldRow = RecordId | readonly [recordId: RecordId, from: Position];

/** What held under the value of the row, a part of the key it had, until the position its key ends in, negated. */
export type EndedRow = readonly [
  recordId: RecordId,
  created: Position,
  from: Position,
  ...place: KeyPart[],
];

/** A record whose content has changed, and the first position at which it did. */
export type RevisedRow = readonly [recordId: RecordId, since: Position];

/** A record of which some version has been withdrawn, and the first position at which one was. */
export type WithdrawnRow = RevisedRow;

/** A value a record bears, and the position since which it does. */
interface Held<T extends TagValue> {
  readonly value: T;
  readonly from: Position;
}

/** What the projection knows of a record after the last event folded. */
interface Current {
  readonly created: Position;
  readonly kind: Held<string>;
  readonly name: Held<string>;
  /** By tag key. A map: a key may be called `constructor`. */
  readonly tags: ReadonlyMap<string, Held<TagValue>>;
  readonly isRevised: boolean;
}

/** How `Current` is stored: most values hold since the creation, and then no position says so. */
export type CurrentRow = readonly [
  created: Position,
  kind: string,
  name: string,
  /** Key and value of each tag, one after another. */
  tags: readonly TagValue[],
  isRevised: boolean,
  /** Since when kind, name and each tag hold; left out when all do since the creation. */
  since?: readonly Position[],
];

type ContentEvent = Exclude<RecordedEvent, { type: "record.invalidated" }>;

function applyToRecords(event: RecordedEvent, rows: Rows): void {
  const { recordId, position } = event;
  const before = event.version === 1 ? undefined : readCurrent(rows.get("record", [recordId]));
  const kindNow = event.type === "record.created" ? event.data.kind : before?.kind.value;
  countEvent(rows, event, kindNow ?? "");
  if (event.type === "record.invalidated") {
    if (before !== undefined) noteWithdrawn(rows, recordId, before.created, position);
    return;
  }
  const created = before?.created ?? position;
  if (before === undefined) rows.put("all", [created], recordId);
  const after = describe(event, before);
  const move = new SpanMover(rows, recordId, created, position);
  const kind = move.to("by-kind", before?.kind, after.kind, []);
  // A name is looked up alone and with its kind, so it moves with either.
  const isSameKind = kind === before?.kind;
  if (!isSameKind) move.end("by-name", before?.name, [], [before?.kind.value ?? ""]);
  const name = move.to(
    "by-name",
    isSameKind ? before?.name : undefined,
    after.name,
    [],
    [kind.value],
  );
  const tags: TagValue[] = [];
  const since = [kind.from, name.from];
  for (const [key, value] of after.tags) {
    const held = move.to("by-tag", before?.tags.get(key), value, [key]);
    tags.push(key, held.value);
    since.push(held.from);
  }
  for (const [key, held] of before?.tags ?? []) {
    if (!after.tags.has(key)) move.end("by-tag", held, [key]);
  }
  const wasRevised = before?.isRevised ?? false;
  const isRevised = wasRevised || (before !== undefined && changesContent(event));
  if (isRevised && !wasRevised) {
    const revised: RevisedRow = [recordId, position];
    rows.put("revised", [created], revised);
  }
  if (!move.hasMoved && isRevised === wasRevised) return;
  const row = [created, kind.value, name.value, tags, isRevised] as const;
  const isAsCreated = since.every((from) => from === created);
  rows.put("record", [recordId], isAsCreated ? row : [...row, since]);
}

function noteWithdrawn(rows: Rows, recordId: RecordId, created: Position, since: Position): void {
  if (rows.get("withdrawn", [created]) !== undefined) return;
  const row: WithdrawnRow = [recordId, since];
  rows.put("withdrawn", [created], row);
}

/** Whether what derives from an earlier version may have become stale: names and tags make nothing stale. */
function changesContent(event: ContentEvent): boolean {
  const patch = event.type === "record.created" ? undefined : event.data.patch;
  if (patch === undefined) return true;
  return Object.keys(patch).some((member) => member !== "name" && member !== "tags");
}

/** The kind of a record as of one of its events. Only a placeholder becomes of another one. */
export function kindAt([created, kind, , , , since]: CurrentRow, position: Position): string {
  return position >= (since?.[0] ?? created) ? kind : placeholderKind;
}

function readCurrent(row: RowValue | undefined): Current | undefined {
  if (row === undefined) return undefined;
  const [created, kind, name, flatTags, isRevised, since = []] = row as CurrentRow;
  const [kindFrom = created, nameFrom = created, ...tagsFrom] = since;
  const tags = new Map<string, Held<TagValue>>();
  for (let index = 0; index < flatTags.length; index += 2) {
    const [key, value] = flatTags.slice(index, index + 2) as [string, TagValue];
    tags.set(key, { value, from: tagsFrom[index / 2] ?? created });
  }
  return {
    created,
    kind: { value: kind, from: kindFrom },
    name: { value: name, from: nameFrom },
    tags,
    isRevised,
  };
}

interface Described {
  readonly kind: string;
  readonly name: string;
  readonly tags: ReadonlyMap<string, TagValue>;
}

/** Kind, name and tags after an event. */
function describe(event: ContentEvent, before: Current | undefined): Described {
  const document = event.type === "record.created" ? event.data : event.data.document;
  if (document !== undefined) {
    const tags = new Map(Object.entries(document.tags ?? {}));
    return { kind: document.kind, name: document.name, tags };
  }
  const patch = event.type === "record.created" ? undefined : event.data.patch;
  const kind = before?.kind.value ?? "";
  const name = patch?.name ?? before?.name.value ?? "";
  if (patch?.tags === null) return { kind, name, tags: new Map() };
  const tags = new Map([...(before?.tags ?? [])].map(([key, { value }]) => [key, value]));
  for (const [key, value] of Object.entries(patch?.tags ?? {})) {
    if (value === null) tags.delete(key);
    else tags.set(key, value);
  }
  return { kind, name, tags };
}

/** Begins and ends the spans of one record at one position. */
class SpanMover {
  readonly #rows: Rows;
  readonly #recordId: RecordId;
  readonly #created: Position;
  readonly #position: Position;
  #hasMoved = false;

  constructor(rows: Rows, recordId: RecordId, created: Position, position: Position) {
    this.#rows = rows;
    this.#recordId = recordId;
    this.#created = created;
    this.#position = position;
  }

  /** True once anything has begun or ended. */
  get hasMoved(): boolean {
    return this.#hasMoved;
  }

  /** Moves the record from the value it bore in this place to another one; `behind` follows the value in the key. */
  to<T extends TagValue>(
    table: IndexTable,
    before: Held<T> | undefined,
    value: T,
    place: readonly string[],
    behind: readonly string[] = [],
  ): Held<T> {
    if (before?.value === value) return before;
    this.end(table, before, place, behind);
    const row: HeldRow =
      this.#position === this.#created ? this.#recordId : [this.#recordId, this.#position];
    this.#rows.put(table, this.#key(place, value, behind), row);
    this.#hasMoved = true;
    return { value, from: this.#position };
  }

  end(
    table: IndexTable,
    held: Held<TagValue> | undefined,
    place: readonly string[],
    behind: readonly string[] = [],
  ): void {
    if (held === undefined) return;
    this.#rows.delete(table, this.#key(place, held.value, behind));
    const row: EndedRow = [this.#recordId, this.#created, held.from, held.value, ...behind];
    this.#rows.put("ended", [table, ...place, -this.#position], row);
    this.#hasMoved = true;
  }
  #key(place: readonly string[], value: TagValue, behind: readonly string[]): KeyPart[] {
    const key: KeyPart[] = [];
    for (const part of place) key.push(part);
    key.push(value);
    for (const part of behind) key.push(part);
    key.push(this.#created);
    return key;
  }
}
