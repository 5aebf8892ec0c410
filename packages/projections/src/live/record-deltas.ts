/** `records$`: the records that fit a query, then what every later instant makes of them. */
import { setImmediate } from "node:timers/promises";

import { throwIfAborted, type Position, type RecordId, type RecordView } from "@sennit/core";

import type { EmbeddedViewReader } from "../embedded-view-reader.ts";
import { touchedBetween, type Follower } from "./follower.ts";

/** What differs between the answers to a query at two instants. */
export interface RecordsDelta {
  /** The position the answer now speaks for. */
  readonly asOf: Position;
  /** Records that fit now and did not before. */
  readonly added: readonly RecordView[];
  /** Records that fit as they did before, with another version, status or staleness, or with content erased. */
  readonly changed: readonly RecordView[];
  /** Records that fitted before. A record whose content was erased may stand here, or be added, without that. */
  readonly removed: readonly RecordId[];
  /** False while more of the same instant follows. */
  readonly isComplete: boolean;
}

export interface FollowRecordsOptions {
  /** False: whoever asks has the answer as of the reader's instant, and gets what differs from it alone. Default true. */
  readonly initial?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Records in one delta. */
const deltaRecordsMax = 500;
/** Records looked at before others get their turn. */
const recordsPerTurn = 100;

/** A query by its two forms: all that fit at an instant, and whether one record does. */
export interface LiveQuery {
  all(reader: EmbeddedViewReader, signal: AbortSignal | undefined): AsyncIterable<RecordView>;
  /** The record as it stands at the reader's instant, if it fits. */
  one(reader: EmbeddedViewReader, recordId: RecordId): Promise<RecordView | undefined>;
}

/**
 * Yields the first answer, then what differs for each instant at which the answer is another than before; each in pieces.
 *
 * It keeps no answer in memory: what a record was before is asked as of the instant before.
 */
export async function* recordDeltas(
  first: EmbeddedViewReader,
  follower: Follower,
  query: LiveQuery,
  { initial = true }: FollowRecordsOptions,
  signal: AbortSignal | undefined,
): AsyncGenerator<RecordsDelta> {
  if (initial) yield* firstAnswer(first, query, signal);
  let before = first;
  while (true) {
    const after = await follower.next(before.asOf, signal);
    yield* difference(before, after, follower, query, signal);
    before = after;
  }
}

async function* firstAnswer(
  reader: EmbeddedViewReader,
  query: LiveQuery,
  signal: AbortSignal | undefined,
): AsyncGenerator<RecordsDelta> {
  const { asOf } = reader;
  let added: RecordView[] = [];
  for await (const record of query.all(reader, signal)) {
    throwIfAborted(signal);
    if (added.length === deltaRecordsMax) {
      yield { asOf, added, changed: [], removed: [], isComplete: false };
      added = [];
    }
    added.push(record);
  }
  yield { asOf, added, changed: [], removed: [], isComplete: true };
}

async function* difference(
  before: EmbeddedViewReader,
  after: EmbeddedViewReader,
  follower: Follower,
  query: LiveQuery,
  signal: AbortSignal | undefined,
): AsyncGenerator<RecordsDelta> {
  const { recordIds, erased } = await touchedBetween(before, after, signal);
  const concerned = new Set([...recordIds, ...erased]);
  // A record goes stale, or is so no more, with what it rests on directly.
  for (const recordId of recordIds) {
    throwIfAborted(signal);
    for (const dependant of await follower.dependants(recordId, after.asOf))
      concerned.add(dependant);
  }
  const { asOf } = after;
  let piece = new Piece();
  let pieces = 0;
  let examined = 0;
  for (const recordId of concerned) {
    examined += 1;
    // Reads are answered at once, so without this nothing else would run meanwhile.
    if (examined % recordsPerTurn === 0) await setImmediate();
    throwIfAborted(signal);
    const was = await query.one(before, recordId);
    const is = await query.one(after, recordId);
    // What was erased is gone as of every instant, so how it was before cannot be asked any more.
    const isErased = erased.has(recordId);
    if (piece.size === deltaRecordsMax) {
      pieces += 1;
      yield { asOf, ...piece.changes, isComplete: false };
      piece = new Piece();
    }
    if (is === undefined) {
      if (was !== undefined || isErased) piece.removed.push(recordId);
    } else if (was === undefined) {
      piece.added.push(is);
    } else if (isErased || !isSame(was, is)) {
      piece.changed.push(is);
    }
  }
  if (pieces + piece.size > 0) yield { asOf, ...piece.changes, isComplete: true };
}

/** What is gathered for one delta. */
class Piece {
  readonly added: RecordView[] = [];
  readonly changed: RecordView[] = [];
  readonly removed: RecordId[] = [];

  get size(): number {
    return this.added.length + this.changed.length + this.removed.length;
  }

  get changes(): Pick<RecordsDelta, "added" | "changed" | "removed"> {
    const { added, changed, removed } = this;
    return { added, changed, removed };
  }
}

function isSame(one: RecordView, other: RecordView): boolean {
  return one.version === other.version && one.status === other.status && one.stale === other.stale;
}
