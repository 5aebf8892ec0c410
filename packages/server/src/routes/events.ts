/** Events: appending them, and reading the log. */
import type { AppendResult } from "@sennit/core";
import { Type } from "typebox";

import {
  cloudEventBatchType,
  CloudEventBody,
  cloudEventType,
  jsonType,
  LineBody,
  linesType,
} from "../body/body-types.ts";
import { assertMayAppend } from "../caller.ts";
import { readAppendBody, type AppendBody } from "../ingest/append-body.ts";
import {
  isBinaryCloudEvent,
  readBinaryCloudEvent,
  readCloudEvents,
} from "../ingest/cloud-events.ts";
import { idempotencyKeyOf } from "../ingest/idempotency-key.ts";
import { ingestLines } from "../ingest/ingest-lines.ts";
import { relocate } from "../ingest/relocate.ts";
import { defineRoute, type Exchange, type Route } from "../route.ts";
import { appendRequest, appendResult, lineResult } from "../schemas/new-event.ts";

const postEvents = defineRoute({
  method: "POST",
  url: "/v1/events",
  operationId: "appendEvents",
  scope: "append",
  summary:
    "Append one event, or several of which all are stored or none; or lines, each for itself",
  tag: "Events",
  shape: {
    query: Type.Object({
      atomic: Type.Optional(
        Type.Boolean({ description: "Lines: all or nothing, up to 10,000 events" }),
      ),
      batch: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: 10_000,
          description: "Lines: events to a batch. Default: 1000",
        }),
      ),
      actor: Type.Optional(
        Type.String({ minLength: 1, description: "Lines: the actor of events that name none" }),
      ),
      results: Type.Optional(
        Type.Union([Type.Literal("all"), Type.Literal("refused"), Type.Literal("none")], {
          description: "Lines: which are told of. Default: all",
        }),
      ),
    }),
    body: appendRequest,
  },
  checksBody: true,
  bodyTypes: [jsonType, linesType, cloudEventType, cloudEventBatchType],
  answers: {
    200: {
      description: "Where each event stands",
      schema: Type.Union([appendResult, lineResult]),
      contentTypes: [jsonType, linesType],
    },
  },
  problems: [404, 409, 413, 415],
  async handle(exchange) {
    const { store, request, body, caller, query } = exchange;
    if (body instanceof LineBody) return ingestLines(exchange, body, query);
    const sent = readBody(exchange);
    const idempotencyKey = idempotencyKeyOf(request.headers);
    try {
      const allowed = assertMayAppend(caller, sent.events, store);
      const events = allowed instanceof Promise ? await allowed : allowed;
      // An append without options is the cheapest one.
      const result = await (idempotencyKey === undefined && sent.options === undefined
        ? store.append(events)
        : store.append(events, { ...sent.options, idempotencyKey }));
      return {
        value: result,
        position: result.head,
        isShort: isShort(result),
        headers: idempotencyKey !== undefined && isReplayed(result) ? replayed : {},
      };
    } catch (error) {
      throw relocate(error, sent);
    }
  },
});

const replayed = { "idempotency-replayed": "true" };

function isReplayed({ events }: AppendResult): boolean {
  return events.every(({ status }) => status === "duplicate");
}

function isShort({ events: [first, ...others] }: AppendResult): boolean {
  if (first === undefined || others.length > 0) return false;
  return first.consequences.length + first.placeholders.length < 10;
}

function readBody({
  body,
  request,
  caller,
}: Pick<Exchange, "request" | "caller"> & { readonly body: unknown }): AppendBody {
  if (body instanceof CloudEventBody) return readCloudEvents(body, caller);
  const { headers } = request;
  if (isBinaryCloudEvent(headers)) return readBinaryCloudEvent(headers, body, caller);
  return readAppendBody(body);
}

export const eventRoutes: readonly Route[] = [postEvents];
