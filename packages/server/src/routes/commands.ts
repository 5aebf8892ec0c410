/** Commands: what people do to a record in one request. */
import {
  isPlainObject,
  newRecordId,
  parseRef,
  restored,
  StoreError,
  withdrawn,
  type NewEvent,
} from "@sennit/core";
import { Type } from "typebox";

import { jsonType, mergePatchType } from "../body/body-types.ts";
import type { Place } from "../ingest/append-body.ts";
import { idempotencyKeyOf } from "../ingest/idempotency-key.ts";
import { envelopeOf, runCommand } from "../ingest/run-command.ts";
import { instantOf } from "../instant.ts";
import { refOf, refParams, refQuery, wholeRefOf } from "../record-ref.ts";
import { defineRoute, type Exchange, type Route } from "../route.ts";
import { impact } from "../schemas/decision.ts";
import {
  commandResult,
  createRequest,
  documentPatch,
  invalidateRequest,
  restoreRequest,
} from "../schemas/new-event.ts";

const made = { description: "What was stored, and the record as it is now", schema: commandResult };
const commandProblems = [404, 409, 412, 413, 415];

/** The event's members that stand in the body of a creation, under the same name. */
const envelopeMembers = [
  "occurredAt",
  "actor",
  "causationId",
  "correlationId",
  "allowInvalidSources",
  "unknownSources",
] as const;

const inDocument: Place = (pointer) => {
  if (pointer.startsWith("/data")) return pointer.slice("/data".length);
  if (pointer === "/recordId") return "/id";
  return pointer === "/id" ? "/eventId" : pointer;
};

const createRecord = defineRoute({
  method: "POST",
  url: "/v1/records",
  operationId: "createRecord",
  scope: "append",
  summary: "Create a record",
  tag: "Commands",
  shape: { body: createRequest },
  checksBody: true,
  answers: { 200: made, 201: made },
  problems: commandProblems,
  async handle(exchange) {
    const answer = await runCommand(exchange, creationOf(exchange), inDocument);
    const { recordId, status } = answer.value;
    const location = `/v1/records/${recordPath(recordId)}`;
    return {
      ...answer,
      status: status === "stored" ? 201 : 200,
      headers: { ...answer.headers, location },
    };
  },
});

/** What a path cannot carry stands in the query. */
function recordPath(recordId: string): string {
  if (recordId === "." || recordId === "..") return `-?ref=${recordId}`;
  return encodeURIComponent(recordId);
}

function creationOf({
  body,
  request,
}: { readonly body: unknown } & Pick<Exchange, "request">): NewEvent {
  if (!isPlainObject(body)) {
    throw new StoreError("body-invalid", "The body must be a record.", {
      details: { issues: [{ pointer: "", message: "must be an object" }] },
    });
  }
  const { id, eventId, ...given } = body;
  const others: Record<string, unknown> = { ...given };
  const key = idempotencyKeyOf(request.headers);
  const kind = typeof others["kind"] === "string" ? others["kind"] : "record";
  const envelope: Record<string, unknown> = {};
  for (const member of envelopeMembers) {
    if (others[member] !== undefined) envelope[member] = others[member];
    delete others[member];
  }
  // The store checks what it is.
  return {
    ...envelope,
    ...(eventId !== undefined && { id: eventId }),
    type: "record.created",
    recordId: id === undefined ? newRecordId(kind, key) : id,
    data: others,
  } as unknown as NewEvent;
}

const inPatch: Place = (pointer) =>
  pointer.startsWith("/data/patch") ? pointer.slice("/data/patch".length) : pointer;

const updateRecord = defineRoute({
  method: "PATCH",
  url: "/v1/records/:ref",
  operationId: "updateRecord",
  scope: "append",
  summary: "Make a record's next version by a merge patch (RFC 7396)",
  description:
    "`If-Match` with the ETag of the record it is based on refuses it when the record has moved on.",
  tag: "Commands",
  shape: {
    params: refParams,
    query: Type.Object({
      ...refQuery,
      reason: Type.Optional(Type.String({ minLength: 1, description: "Why." })),
    }),
    body: documentPatch,
  },
  checksBody: true,
  bodyTypes: [mergePatchType, jsonType],
  answers: { 200: made },
  problems: commandProblems,
  async handle(exchange) {
    const { params, query, body } = exchange;
    const recordId = await resolved(exchange, wholeRefOf(params, query));
    const data = { patch: body, reason: query.reason };
    const event = { type: "record.updated", recordId, data } as NewEvent;
    return runCommand(exchange, event, inPatch);
  },
});

const inInvalidation: Place = (pointer) => {
  if (pointer.startsWith("/data/versions")) return "/version";
  return pointer === "/data/cause" ? "/cause" : pointer;
};

const invalidateRecord = defineRoute({
  method: "POST",
  url: "/v1/records/:ref/invalidate",
  operationId: "invalidateRecord",
  scope: "invalidate",
  summary: "Withdraw versions of a record, and all that rests on them; or say what that would be",
  tag: "Commands",
  shape: { params: refParams, query: Type.Object(refQuery), body: invalidateRequest },
  answers: {
    200: {
      description: "What was stored, and the record as it is now; for a dry run, the impact",
      schema: Type.Union([commandResult, impact]),
    },
  },
  problems: commandProblems,
  async handle(exchange) {
    const { params, query, body, signal } = exchange;
    const { cause, version, since = false, cascade = true, dryRun = false } = body;
    const asked = refOf(params, { ref: query.ref, version });
    if (since && parseRef(asked).version === undefined) {
      throw bodyMember("since", "needs a version to begin with");
    }
    const ref = await resolved(exchange, asked);
    if (dryRun) {
      const reader = await exchange.store.at();
      const found = await reader.impact(ref, { since, cascade, signal });
      return { value: found, position: reader.asOf };
    }
    if (cause === undefined) throw bodyMember("cause", "is missing");
    const envelope = { ...envelopeOf(body), cascade };
    const event = withdrawn(parseRef(ref), { cause, since }, envelope);
    return runCommand(exchange, event, inInvalidation);
  },
});

const inRestore: Place = (pointer) =>
  pointer.startsWith("/data/") ? `/${pointer.slice("/data/".length)}` : pointer;

const restoreRecord = defineRoute({
  method: "POST",
  url: "/v1/records/:ref/restore",
  operationId: "restoreRecord",
  scope: "append",
  summary: "Make a new version with the content of an old one",
  tag: "Commands",
  shape: { params: refParams, query: Type.Object(refQuery), body: restoreRequest },
  answers: { 200: made },
  problems: commandProblems,
  async handle(exchange) {
    const { params, query, body, store } = exchange;
    const ref = await resolved(exchange, refOf(params, { ref: query.ref, version: body.version }));
    const { version } = parseRef(ref);
    if (version === undefined) throw bodyMember("version", "is missing");
    const old = await store.record(ref);
    const event = restored(old, version, body.reason, envelopeOf(body));
    return runCommand(exchange, event, inRestore);
  },
});

function bodyMember(name: string, message: string): StoreError {
  return new StoreError("request-invalid", `In the body, ${name} ${message}.`, {
    details: { part: "body", issues: [{ pointer: `/${name}`, message }] },
  });
}

/** The ref with `KIND/NAME` replaced by the id. */
async function resolved(exchange: unknown, ref: string): Promise<string> {
  return (await instantOf(exchange as Exchange, {})).resolve(ref);
}

export const commandRoutes: readonly Route[] = [
  createRecord,
  updateRecord,
  invalidateRecord,
  restoreRecord,
];
