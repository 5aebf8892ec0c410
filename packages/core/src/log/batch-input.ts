/** A batch as a client sends it: checked as a whole before any of it is decided. */
import { StoreError } from "../errors.ts";
import type { NewEvent } from "../event/event.ts";
import { canonicalJson } from "../event/json.ts";
import { validateEvent } from "../event/validate.ts";
import { limits } from "../limits.ts";
import { sha256 } from "../merkle/hashing.ts";
import type { State } from "../records/state.ts";

/** S4 comes before conditions: a batch that stands in the log already is answered, whatever has happened since. */
export function isAllStored(state: State, events: readonly NewEvent[]): boolean {
  return events.every(({ id }) => id !== undefined && state.positionOfEvent(id) !== undefined);
}

/** True for an event that needs the lineage graph. */
export function cascades(event: NewEvent): boolean {
  return event.type === "record.invalidated" && event.cascade !== false;
}

/** Checks a batch as it was sent. @throws `event-invalid`, `batch-too-large` */
export function checkBatch(events: readonly unknown[]): NewEvent[] {
  if (!Array.isArray(events) || events.length === 0) {
    throw new StoreError("event-invalid", "A batch must be an array of at least one event.", {
      details: {
        issues: [{ pointer: "", message: "must be an array of at least one event" }],
        issueCount: 1,
      },
    });
  }
  if (events.length > limits.batchEventsMax) {
    throw new StoreError(
      "batch-too-large",
      `The batch has ${events.length} events; at most ${limits.batchEventsMax} are taken.`,
      {
        details: { events: events.length, eventsMax: limits.batchEventsMax },
      },
    );
  }
  // A hole in the array is an event that is missing; `map` would pass over it.
  const checked: NewEvent[] = [];
  for (let index = 0; index < events.length; index += 1) {
    checked.push(validateEvent(events[index], events.length > 1 ? index : undefined));
  }
  return checked;
}

/** SHA-256 of a batch as it was sent, whatever the order of members. */
export function batchDigest(events: readonly NewEvent[]): Buffer {
  return sha256(Buffer.from(canonicalJson(events)));
}
