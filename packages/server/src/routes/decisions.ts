/** Decisions and withdrawals: what would fall, how a decision was made, and the proof of it. */
import { Type } from "typebox";

import { asOfQuery, bothFixed, instantOf, instantParameter, positionOf } from "../instant.ts";
import { recordAsked, refOf, refParams, refQuery, versionQuery } from "../record-ref.ts";
import { defineRoute, type Route } from "../route.ts";
import { position } from "../schemas/common.ts";
import { impact, receipt, replay } from "../schemas/decision.ts";

const getImpact = defineRoute({
  method: "GET",
  url: "/v1/records/:ref/impact",
  operationId: "getImpact",
  scope: "read",
  summary: "What an invalidation would withdraw",
  tag: "Lineage",
  shape: {
    params: refParams,
    query: Type.Object({
      ...asOfQuery,
      ...refQuery,
      ...versionQuery,
      at: Type.Optional(instantParameter("What if it had been known at this instant")),
      since: Type.Optional(
        Type.Boolean({ description: "The version and all later ones. Default: it alone." }),
      ),
      cascade: Type.Optional(
        Type.Boolean({ description: "And all that rests on it. Default: true." }),
      ),
    }),
  },
  answers: { 200: { description: "What would fall, the record itself first", schema: impact } },
  rows: {
    member: "withdrawn",
    columns: [
      "recordId",
      "versions.from",
      "versions.to",
      "kind",
      "name",
      "via.recordId",
      "via.version",
    ],
  },
  problems: [404],
  async handle(exchange) {
    const { params, query, signal } = exchange;
    const { since, cascade } = query;
    const { instant, ref } = await recordAsked(exchange, params, query);
    const at = query.at === undefined ? undefined : await positionOf(exchange, query.at);
    const options = { at: at?.position, since, cascade, signal };
    return { value: await instant.reader.impact(ref, options), ...bothFixed(instant, at) };
  },
});

const getReplay = defineRoute({
  method: "GET",
  url: "/v1/records/:ref/replay",
  operationId: "getReplay",
  scope: "read",
  summary: "A decision and its inputs as they stood, and what became of them",
  tag: "Decisions",
  shape: {
    params: refParams,
    query: Type.Object({ ...asOfQuery, ...refQuery, ...versionQuery }),
  },
  answers: { 200: { description: "The closure, with a verdict on each input", schema: replay } },
  problems: [404],
  async handle(exchange) {
    const { params, query, signal } = exchange;
    const { instant, ref } = await recordAsked(exchange, params, query);
    return { value: await instant.reader.replay(ref, { signal }), ...instant.said };
  },
});

const getReceipt = defineRoute({
  method: "GET",
  url: "/v1/records/:ref/receipt",
  operationId: "getReceipt",
  scope: "read",
  summary: "What a decision rested on, with the proof that the log holds it",
  tag: "Decisions",
  shape: {
    params: refParams,
    query: Type.Object({
      ...refQuery,
      ...versionQuery,
      size: Type.Optional(
        Type.Integer({
          ...position,
          description:
            "Size of the checkpoint, and the instant of the question. Default: the head.",
        }),
      ),
      against: Type.Optional(
        Type.Integer({
          ...position,
          description: "Also prove that the log has only grown since it had this size.",
        }),
      ),
    }),
  },
  answers: { 200: { description: "The receipt, for verifying elsewhere", schema: receipt } },
  problems: [404, 409],
  async handle(exchange) {
    const { params, query, store, signal } = exchange;
    const { size = store.head, against } = query;
    const named = refOf(params, query);
    const instant = await instantOf(exchange, { "as-of": String(size) });
    const value = await store.receipt(await instant.resolve(named), {
      size,
      against: against === undefined ? undefined : { size: against },
      signal,
    });
    return { value, position: size };
  },
});

export const decisionRoutes: readonly Route[] = [getImpact, getReplay, getReceipt];
