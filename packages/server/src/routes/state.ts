/** Every record at an instant, what is out of date, and what became different between two instants. */
import { StoreError } from "@sennit/core";
import { Type } from "typebox";

import { asOfQuery, bothFixed, instantOf, instantParameter, positionOf } from "../instant.ts";
import { defineRoute, type Route } from "../route.ts";
import { position } from "../schemas/common.ts";
import { staleReport } from "../schemas/decision.ts";
import { storeDiff } from "../schemas/history.ts";
import { state } from "../schemas/record.ts";
import { recordColumns } from "./columns.ts";

const getState = defineRoute({
  method: "GET",
  url: "/v1/state",
  operationId: "getState",
  scope: "read",
  summary: "Every record as it stood, in the order of creation",
  tag: "Store",
  shape: { query: Type.Object(asOfQuery) },
  answers: { 200: { description: "All records", schema: state } },
  rows: { member: "records", columns: recordColumns },
  problems: [404],
  async handle(exchange) {
    const { query, signal } = exchange;
    const instant = await instantOf(exchange, query);
    const items = instant.reader.allRecords({ signal });
    return { head: { asOf: instant.asOf }, items, ...instant.said };
  },
});

const getStale = defineRoute({
  method: "GET",
  url: "/v1/stale",
  operationId: "getStale",
  scope: "read",
  summary: "The valid records that rest on something that has changed",
  tag: "Lineage",
  shape: { query: Type.Object(asOfQuery) },
  answers: { 200: { description: "The records, and what has changed", schema: staleReport } },
  rows: {
    member: "outdated",
    columns: ["record.recordId", "record.version", "source.recordId", "source.version", "now"],
  },
  problems: [404],
  async handle(exchange) {
    const { query, signal } = exchange;
    const instant = await instantOf(exchange, query);
    return { value: await (await instant.views()).stale({ signal }), ...instant.said };
  },
});

const getDiff = defineRoute({
  method: "GET",
  url: "/v1/diff",
  operationId: "diffStore",
  scope: "read",
  summary: "What became different between two instants",
  tag: "Store",
  shape: {
    query: Type.Object({
      from: instantParameter("The instant before"),
      to: Type.Optional(instantParameter("The instant after; by default the present")),
      after: Type.Optional(
        Type.Integer({
          ...position,
          description: "Only records whose first event stands after this position.",
        }),
      ),
      limit: Type.Optional(
        Type.Integer({ minimum: 1, description: "Records at most. Default: all." }),
      ),
    }),
  },
  answers: {
    200: { description: "The records, in the order of their first event", schema: storeDiff },
  },
  rows: {
    member: "records",
    columns: [
      "recordId",
      "kind",
      "name",
      "changes",
      "position",
      "fromVersion",
      "toVersion",
      "fields",
    ],
  },
  problems: [404],
  async handle(exchange) {
    const { query, signal } = exchange;
    const { after, limit } = query;
    const before = await positionOf(exchange, query.from);
    const instant = await instantOf(exchange, { "as-of": query.to });
    const { position: from } = before;
    const { asOf: to, reader } = instant;
    if (from > to) {
      throw new StoreError("argument-invalid", `from is position ${from}, after to at ${to}.`, {
        hint: "Give the earlier instant first.",
        details: { from, to },
      });
    }
    const items = reader.changes(from, { after, limit, signal });
    return { head: { from, to }, items, ...bothFixed(instant, before) };
  },
});

export const stateRoutes: readonly Route[] = [getState, getStale, getDiff];
