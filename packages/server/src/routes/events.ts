/** Events: appending them, and reading the log. */
import { StoreError } from "@sennit/core";
import { Type } from "typebox";

import { assertMayAppend } from "../caller.ts";
import { defineRoute, type Route } from "../route.ts";
import { position } from "../schemas/common.ts";

const postEvents = defineRoute({
  method: "POST",
  url: "/v1/events",
  operationId: "appendEvents",
  scope: "append",
  summary: "Append one event, or several of which all are stored or none",
  tag: "Events",
  shape: { body: Type.Unknown() },
  checksBody: true,
  answers: {
    200: {
      description: "Where each event stands",
      schema: Type.Object({ head: position, events: Type.Array(Type.Unknown()) }),
    },
  },
  problems: [409, 413, 415],
  async handle({ store, request, body, caller, signal }) {
    const key = request.headers["idempotency-key"];
    if (Array.isArray(key)) {
      throw new StoreError("argument-invalid", "Idempotency-Key is given twice.", {
        details: { header: "Idempotency-Key" },
      });
    }
    const sent: unknown[] = Array.isArray(body) ? body : [body];
    const events = await assertMayAppend(caller, sent, store);
    const result = await store.append(events, { idempotencyKey: key, signal });
    return { value: result, position: result.head };
  },
});

export const eventRoutes: readonly Route[] = [postEvents];
