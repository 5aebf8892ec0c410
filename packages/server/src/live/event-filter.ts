/** Which events somebody wants to hear of. */
import { formatRef, type EmbeddedStore, type EventType, type RecordedEvent } from "@sennit/core";

/** Everything given must fit; nothing given fits every event. */
export interface EventFilter {
  /** One of these. */
  readonly types?: readonly EventType[];
  /** The record is of one of these kinds, as of the event. */
  readonly kinds?: readonly string[];
  readonly recordId?: string;
  /** What the record's id begins with. */
  readonly recordIdPrefix?: string;
}

/** Whether an event fits. */
export async function fitsFilter(
  store: EmbeddedStore,
  { types, kinds, recordId, recordIdPrefix }: EventFilter,
  event: RecordedEvent,
): Promise<boolean> {
  if (types !== undefined && !types.includes(event.type)) return false;
  if (recordId !== undefined && event.recordId !== recordId) return false;
  if (recordIdPrefix !== undefined && !event.recordId.startsWith(recordIdPrefix)) return false;
  if (kinds === undefined) return true;
  const kind = await kindOf(store, event);
  return kind !== undefined && kinds.includes(kind);
}

async function kindOf(store: EmbeddedStore, event: RecordedEvent): Promise<string | undefined> {
  if (event.type === "record.created" && event.data.kind !== undefined) return event.data.kind;
  const reader = await store.at({ position: event.position });
  return (await reader.findRecord(formatRef(event)))?.kind;
}
