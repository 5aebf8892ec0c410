/** The state of a store as of a position: of each record its place in the log, its version and whether it is valid. */
import { assert, must } from "../assert.ts";
import type { EntryHeader } from "../codec/entry-header.ts";
import type { EventType } from "../event/event.ts";
import type { Position, RecordId, Version } from "../ids.ts";
import { Uint32Column } from "../lineage/columns.ts";

/** Events of each type up to a position. */
export type EventCounts = Readonly<Record<EventType, number>>;

/** What is known of one record, without its id: that stands in the log, at both positions. */
export interface StateRow {
  /** The position of its first event. */
  readonly created: Position;
  /** The position of its last event. */
  readonly position: Position;
  /** The version whose content it has. */
  readonly contentVersion: Version;
  readonly kind: string;
  readonly isValid: boolean;
}

/**
 * A fold of entry headers, in typed arrays. Records are numbered 0, 1, 2 in the order of their creation, as in the lineage
 * graph. Nothing of it is content, so an erasure leaves it as it is.
 */
export class StoreState {
  #position: Position = 0;
  #size = 0;
  readonly #created = new Uint32Column();
  readonly #current = new Uint32Column();
  readonly #contentVersion = new Uint32Column();
  /** Kind number, times two; plus one when valid. */
  readonly #kindAndValidity = new Uint32Column();
  readonly #kinds: string[] = [];
  readonly #kindNumbers = new Map<string, number>();
  readonly #counts: Record<EventType, number>;
  /** Numbers of the records met since the state was made or read. */
  readonly #numbers = new Map<RecordId, number>();

  constructor(
    position: Position = 0,
    counts: EventCounts = { "record.created": 0, "record.updated": 0, "record.invalidated": 0 },
  ) {
    this.#position = position;
    this.#counts = { ...counts };
  }

  /** The position up to which the log has been folded in. */
  get position(): Position {
    return this.#position;
  }

  /** The number of records. */
  get size(): number {
    return this.#size;
  }

  get counts(): EventCounts {
    return this.#counts;
  }

  row(number: number): StateRow {
    assert(number < this.#size, "a record of the state has a number below its size");
    const packed = this.#kindAndValidity.get(number);
    return {
      created: this.#created.get(number),
      position: this.#current.get(number),
      contentVersion: this.#contentVersion.get(number),
      kind: must(this.#kinds[packed >>> 1], "a record has a kind"),
      isValid: (packed & 1) === 1,
    };
  }

  /** The last position of a record. */
  positionOf(number: number): Position {
    return this.#current.get(number);
  }

  /** Takes a record as it stands in a snapshot, after all that were created before it. */
  restore({ created, position, contentVersion, kind, isValid }: StateRow): void {
    this.#set(this.#size, { position, contentVersion, kind, isValid });
    this.#created.set(this.#size, created);
    this.#size += 1;
  }

  /**
   * Folds in the next event. Events come in the order of their positions, without gaps.
   *
   * @param createdAt the position of the first event of a record that was not met before
   */
  apply(header: EntryHeader, createdAt: (recordId: RecordId) => Position): void {
    const { position, recordId, version, structure } = header;
    assert(position === this.#position + 1, "the state takes events in order");
    this.#position = position;
    this.#counts[structure.type] += 1;
    const number = this.#numberOf(header, createdAt);
    this.#numbers.set(recordId, number);
    if (structure.type === "record.created") {
      this.#set(number, { position, contentVersion: version, kind: structure.kind, isValid: true });
      return;
    }
    const before = this.row(number);
    if (structure.type === "record.updated") {
      this.#set(number, { ...before, position, contentVersion: version, isValid: true });
      return;
    }
    const { from, to } = structure;
    const isWithdrawn = from <= before.contentVersion && before.contentVersion <= to;
    this.#set(number, { ...before, position, isValid: before.isValid && !isWithdrawn });
  }

  #numberOf(
    { recordId, version, position }: EntryHeader,
    createdAt: (recordId: RecordId) => Position,
  ): number {
    if (version === 1) {
      this.#created.set(this.#size, position);
      this.#size += 1;
      return this.#size - 1;
    }
    return this.#numbers.get(recordId) ?? this.#find(createdAt(recordId));
  }

  /** The record that was created at a position: the numbers are in that order. */
  #find(created: Position): number {
    let low = 0;
    let high = this.#size - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#created.get(middle) <= created) low = middle;
      else high = middle - 1;
    }
    assert(this.#created.get(low) === created, "a record with an event was created before it");
    return low;
  }

  #set(
    number: number,
    { position, contentVersion, kind, isValid }: Omit<StateRow, "created">,
  ): void {
    this.#current.set(number, position);
    this.#contentVersion.set(number, contentVersion);
    this.#kindAndValidity.set(number, this.#kindNumber(kind) * 2 + (isValid ? 1 : 0));
  }

  #kindNumber(kind: string): number {
    const known = this.#kindNumbers.get(kind);
    if (known !== undefined) return known;
    const number = this.#kinds.length;
    this.#kinds.push(kind);
    this.#kindNumbers.set(kind, number);
    return number;
  }
}
