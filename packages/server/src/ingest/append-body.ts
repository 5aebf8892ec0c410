/** The forms in which events are sent as JSON: one, a list, or a list with conditions. */
import { isPlainObject, StoreError, type AppendOptions, type Issue } from "@sennit/core";

/** Where in the body something is that stands at a pointer into the events. */
export type Place = (pointer: string) => string;

/** A batch as it was sent; its events are checked by the store. */
export interface AppendBody {
  readonly events: readonly unknown[];
  readonly options?: Pick<AppendOptions, "expectedHead" | "unchangedSince"> | undefined;
  readonly place: Place;
}

const envelopeMembers = new Set(["events", "expectedHead", "unchangedSince"]);

/** @throws `body-invalid`, `request-invalid` */
export function readAppendBody(body: unknown): AppendBody {
  if (body === undefined) throw new StoreError("body-invalid", "There is no body.");
  if (Array.isArray(body)) {
    return { events: body, place: inList("", body.length) };
  }
  if (isPlainObject(body) && Object.hasOwn(body, "events")) return readEnvelope(body);
  return { events: [body], place: (pointer) => pointer };
}

function readEnvelope(body: Readonly<Record<string, unknown>>): AppendBody {
  const issues: Issue[] = Object.keys(body)
    .filter((name) => !envelopeMembers.has(name))
    .map((name) => ({ pointer: `/${name}`, message: "is not known beside a list of events" }));
  const { events, expectedHead, unchangedSince } = body;
  if (!Array.isArray(events)) issues.push({ pointer: "/events", message: "must be a list" });
  const [first] = issues;
  if (first !== undefined) {
    throw new StoreError("request-invalid", `${first.pointer} ${first.message}.`, {
      details: { issues },
    });
  }
  const list = events as unknown[];
  return {
    events: list,
    // The store checks what they are.
    options: { expectedHead, unchangedSince } as AppendBody["options"],
    place: inList("/events", list.length),
  };
}

/** The store's pointers name the event's place in its batch unless it is alone there. */
function inList(lead: string, count: number): Place {
  return count === 1 ? (pointer) => `${lead}/0${pointer}` : (pointer) => lead + pointer;
}
