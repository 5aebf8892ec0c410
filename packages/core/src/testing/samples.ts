/** Short ways to write events and to read logs back in tests. */
import type { NewDerivation } from "../event/document.ts";
import {
  created,
  invalidated,
  updated,
  type EventOptions,
  type NewEvent,
  type RecordedEvent,
} from "../event/event.ts";
import type { EventId, RecordId } from "../ids.ts";
import type { EventLog, ReadOptions } from "../log/event-log.ts";

type Envelope = EventOptions & { readonly id?: EventId | undefined; readonly actor?: string };

/** Reads `ID` or `ID@VERSION` as a source. */
function source(ref: string): NewDerivation {
  const [recordId = ref, version] = ref.split("@");
  return version === undefined ? { recordId } : { recordId, version: Number(version) };
}

/** A creation of a record named like its id, derived from refs. */
export function make(
  recordId: RecordId,
  from: readonly string[] = [],
  envelope: Envelope = {},
): NewEvent {
  const derivedFrom = from.map(source);
  const data = { kind: "thing", name: recordId, ...(from.length > 0 && { derivedFrom }) };
  return created(recordId, data, envelope);
}

/** An update that replaces the sources. */
export function derive(
  recordId: RecordId,
  from: readonly string[],
  envelope: Envelope = {},
): NewEvent {
  return updated(recordId, { derivedFrom: from.map(source) }, envelope);
}

/** An update of the content alone. */
export function revise(recordId: RecordId, value: number, envelope: Envelope = {}): NewEvent {
  return updated(recordId, { attributes: { value } }, envelope);
}

/** An invalidation of all versions, of one (`ID@2`), or of one and all later ones (`ID@2+`). */
export function withdraw(ref: string, envelope: Envelope = {}): NewEvent {
  const [recordId = ref, range] = ref.split("@");
  if (range === undefined) return invalidated(recordId, { cause: `${ref} is wrong` }, envelope);
  const from = Number.parseInt(range, 10);
  const versions = range.endsWith("+") ? { from } : { from, to: from };
  return invalidated(recordId, { cause: `${ref} is wrong`, versions }, envelope);
}

/** A fixed event id, different for each number. */
export function eventId(number: number): EventId {
  return `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
}

/** All events of a read. */
export async function readAll(
  log: Pick<EventLog, "read">,
  options?: ReadOptions,
): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const event of log.read(options)) events.push(event);
  return events;
}

/** Invalidations in one line each: `b 1-2 via a@1`. */
export function withdrawals(events: readonly RecordedEvent[]): string[] {
  return events.flatMap((event) => {
    if (event.type !== "record.invalidated") return [];
    const { versions, via } = event.data;
    const way = via === undefined ? "" : ` via ${via.recordId}@${via.version}`;
    return [`${event.recordId} ${versions.from}-${versions.to}${way}`];
  });
}
