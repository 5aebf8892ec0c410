/** What live queries follow: readers of later instants, and which records an event may concern. */
import type { Position, RecordedEvent, RecordId } from "@sennit/core";
import { erasedRecords } from "@sennit/core";

import type { EmbeddedViewReader } from "../embedded-view-reader.ts";

/** Where live queries get later instants from. */
export interface Follower {
  /**
   * A reader of the newest instant after a position, as soon as there is one.
   *
   * @throws `store-closed` when the views close, `aborted`, and what stops the views
   */
  next(after: Position, signal: AbortSignal | undefined): Promise<EmbeddedViewReader>;
  /** The records with a version that rests directly on any version of a record, as of a position. */
  dependants(recordId: RecordId, asOf: Position): Promise<Iterable<RecordId>>;
}

/** The records that the events between two instants name. */
export interface Touched {
  /** They have a new version. */
  readonly recordIds: ReadonlySet<RecordId>;
  /** Their new versions name these sources. */
  readonly sources: ReadonlySet<RecordId>;
  /** Content of theirs has been erased, also as of earlier instants. */
  readonly erased: ReadonlySet<RecordId>;
}

/** Reads the events after one instant up to another. */
export async function touchedBetween(
  before: EmbeddedViewReader,
  after: EmbeddedViewReader,
  signal: AbortSignal | undefined,
): Promise<Touched> {
  const recordIds = new Set<RecordId>();
  const sources = new Set<RecordId>();
  const erased = new Set<RecordId>();
  for await (const event of after.events({ from: before.asOf + 1, signal })) {
    recordIds.add(event.recordId);
    for (const { recordId } of derivationsOf(event)) sources.add(recordId);
    for (const recordId of erasedRecords(event)) erased.add(recordId);
  }
  return { recordIds, sources, erased };
}

function derivationsOf(event: RecordedEvent): readonly { readonly recordId: RecordId }[] {
  if (event.type === "record.invalidated") return [];
  if (event.type === "record.created") return event.data.derivedFrom ?? [];
  const { patch, document } = event.data;
  return (patch ?? document)?.derivedFrom ?? [];
}
