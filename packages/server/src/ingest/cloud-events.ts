/** CloudEvents 1.0 as events of the store: each attribute in its place, none dropped unseen. */
import type { IncomingHttpHeaders } from "node:http";

import { isEventId, isPlainObject, StoreError, type Issue } from "@sennit/core";

import type { CloudEventBody } from "../body/body-types.ts";
import type { Caller } from "../caller.ts";
import type { AppendBody, Place } from "./append-body.ts";
import { cloudEventId } from "./name-based-id.ts";

/** Where each attribute goes that an event has under another name. */
const memberOf: Readonly<Record<string, string>> = {
  type: "type",
  subject: "recordId",
  time: "occurredAt",
  data: "data",
  actor: "actor",
  causationid: "causationId",
  correlationid: "correlationId",
  expectedversion: "expectedVersion",
  cascade: "cascade",
  allowinvalidsources: "allowInvalidSources",
  unknownsources: "unknownSources",
};

/** What is about the way an event came, and not kept. */
const unkept = new Set(["specversion", "id", "source", "datacontenttype", "dataschema"]);
const tracing = new Set(["traceparent", "tracestate"]);
const booleans = new Set(["cascade", "allowinvalidsources"]);

/** @throws `body-invalid` naming the attribute that is missing, unknown or wrong */
export function readCloudEvents(
  { value, isBatch }: CloudEventBody,
  caller: Pick<Caller, "actor">,
): AppendBody {
  if (!isBatch) {
    return { events: [readCloudEvent(value, "", caller)], place: attributePlace };
  }
  if (!Array.isArray(value)) throw invalid({ pointer: "", message: "must be a list of events" });
  const events = value.map((item, index) => readCloudEvent(item, `/${index}`, caller));
  return { events, place: batchPlace(events.length) };
}

/** True for a request in binary mode: the attributes are headers, and the body is the data. */
export function isBinaryCloudEvent(headers: IncomingHttpHeaders): boolean {
  return headers["ce-specversion"] !== undefined;
}

/** @throws `body-invalid` */
export function readBinaryCloudEvent(
  headers: IncomingHttpHeaders,
  data: unknown,
  caller: Pick<Caller, "actor">,
): AppendBody {
  const attributes: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith("ce-")) attributes[name.slice(3)] = fromHeader(name, value);
  }
  if (Object.hasOwn(attributes, "data")) {
    throw invalid({ pointer: "/data", message: "is the body, and no header" });
  }
  return {
    events: [readCloudEvent({ ...attributes, data }, "", caller)],
    place: attributePlace,
  };
}

/** A header's text as it was before the percent-encoding that CloudEvents puts around what is not ASCII. */
function fromHeader(name: string, value: string | readonly string[] | undefined): string {
  try {
    if (typeof value === "string") return decodeURIComponent(value);
  } catch {
    // It is refused below, like a header that is given twice.
  }
  throw invalid({ pointer: `/${name.slice(3)}`, message: "is no percent-encoded UTF-8" });
}

function readCloudEvent(
  value: unknown,
  at: string,
  { actor }: Pick<Caller, "actor">,
): Record<string, unknown> {
  const fail = (name: string, message: string): never => {
    throw invalid({ pointer: name === "" ? at : `${at}/${name}`, message });
  };
  if (!isPlainObject(value)) return fail("", "must be a CloudEvent");
  if (value["specversion"] !== "1.0") fail("specversion", 'must be "1.0"');
  const { id, source, datacontenttype } = value;
  if (typeof id !== "string" || id === "") return fail("id", "must be text, and not empty");
  if (typeof source !== "string" || source === "") {
    return fail("source", "must be text, and not empty");
  }
  if (datacontenttype !== undefined && !isJsonType(datacontenttype)) {
    fail("datacontenttype", "must be JSON");
  }
  const event: Record<string, unknown> = { id: eventIdOf(source, id) };
  // The actor of a credential stands above what a source says of itself.
  if (actor === null) event["actor"] = source;
  for (const [name, attribute] of Object.entries(value)) {
    if (unkept.has(name) || tracing.has(name) || attribute === null) continue;
    const member = Object.hasOwn(memberOf, name) ? memberOf[name] : undefined;
    if (member === undefined) fail(name, "is no attribute that is kept");
    else event[member] = optionOf(name, attribute);
  }
  return event;
}

/** A UUID is taken as it is; of any other id one is made, the same at every delivery. */
function eventIdOf(source: string, id: string): string {
  const lower = id.toLowerCase();
  return isEventId(lower) ? lower : cloudEventId(source, id);
}

/** Headers are text, and extensions may be sent as text in any mode. */
function optionOf(name: string, value: unknown): unknown {
  if (booleans.has(name) && (value === "true" || value === "false")) return value === "true";
  if (name === "expectedversion" && typeof value === "string" && /^\d{1,10}$/.test(value)) {
    return Number(value);
  }
  return value;
}

function isJsonType(value: unknown): boolean {
  return (
    typeof value === "string" && /^[\w.+-]+\/(json|[\w.-]+\+json)\s*(;.*)?$/i.test(value.trim())
  );
}

const attributeOf: ReadonlyMap<string, string> = new Map(
  Object.entries(memberOf).map(([attribute, member]) => [member, attribute]),
);

/** `/recordId` of the event is `/subject` of the CloudEvent. */
const attributePlace: Place = (pointer) => {
  const [, member = "", ...rest] = pointer.split("/");
  const attribute = attributeOf.get(member);
  return attribute === undefined ? pointer : ["", attribute, ...rest].join("/");
};

function batchPlace(count: number): Place {
  if (count === 1) return (pointer) => `/0${attributePlace(pointer)}`;
  return (pointer) => {
    const [, index = "", ...rest] = pointer.split("/");
    return `/${index}${rest.length === 0 ? "" : attributePlace(`/${rest.join("/")}`)}`;
  };
}

function invalid(issue: Issue): StoreError {
  return new StoreError("body-invalid", `The CloudEvent: ${issue.pointer} ${issue.message}.`, {
    hint: "docs/guides/ingestion.md says which attribute becomes what.",
    details: { issues: [issue] },
  });
}
