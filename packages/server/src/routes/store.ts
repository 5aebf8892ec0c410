/** The store as a whole: what it is, what an instant means, its figures. */
import { Type } from "typebox";

import { asOfQuery, instantOf } from "../instant.ts";
import { defineRoute, type Route } from "../route.ts";
import {
  bucket,
  eventType,
  instant as instantShape,
  resolvedRef,
  storeInfo,
  storeSummary,
  timeline,
  timelineField,
} from "../schemas/store.ts";

const getStore = defineRoute({
  method: "GET",
  url: "/v1/store",
  operationId: "getStore",
  scope: "read",
  summary: "Which store this is, and where its log ends",
  tag: "Store",
  shape: {},
  answers: { 200: { description: "The store", schema: storeInfo } },
  problems: [],
  async handle({ store: { storeId, head, damage } }) {
    return { value: { storeId, head, damage: damage?.toJSON() ?? null }, position: head };
  },
});

const getInstant = defineRoute({
  method: "GET",
  url: "/v1/instant",
  operationId: "getInstant",
  scope: "read",
  summary: "The position that an instant means",
  tag: "Store",
  shape: { query: Type.Object(asOfQuery) },
  answers: { 200: { description: "The position", schema: instantShape } },
  problems: [404],
  async handle(exchange) {
    const instant = await instantOf(exchange, exchange.query);
    return { value: { asOf: instant.asOf }, ...instant.said };
  },
});

const getResolved = defineRoute({
  method: "GET",
  url: "/v1/resolve",
  operationId: "resolveRef",
  scope: "read",
  summary: "A ref with KIND/NAME replaced by the record's id",
  tag: "Records",
  shape: {
    query: Type.Object({
      ...asOfQuery,
      ref: Type.String({ minLength: 1, description: "ID, ID@VERSION or KIND/NAME." }),
    }),
  },
  answers: {
    200: { description: "The ref; one that names nothing as it was", schema: resolvedRef },
  },
  problems: [404],
  async handle(exchange) {
    const { query } = exchange;
    const instant = await instantOf(exchange, query);
    return { value: { ref: await instant.resolve(query.ref) }, ...instant.said };
  },
});

const getSummary = defineRoute({
  method: "GET",
  url: "/v1/summary",
  operationId: "getSummary",
  scope: "read",
  summary: "The store in a few figures",
  tag: "Store",
  shape: {
    query: Type.Object({
      ...asOfQuery,
      stale: Type.Optional(
        Type.Boolean({ description: "Count what is stale too, which reads all lineage." }),
      ),
    }),
  },
  answers: { 200: { description: "The figures", schema: storeSummary } },
  problems: [404],
  async handle(exchange) {
    const { query, signal } = exchange;
    const instant = await instantOf(exchange, query);
    const value = await instant.reader.summary({ stale: query.stale, signal });
    return { value, ...instant.said };
  },
});

const getTimeline = defineRoute({
  method: "GET",
  url: "/v1/timeline",
  operationId: "getTimeline",
  scope: "read",
  summary: "How many events there were, and when",
  tag: "Store",
  shape: {
    query: Type.Object({
      ...asOfQuery,
      bucket: Type.Optional(
        Type.Enum(bucket.enum, { description: "Time counted together, in UTC. Default: day." }),
      ),
      by: Type.Optional(
        Type.Array(Type.Enum(timelineField.enum), { description: "Count apart by these." }),
      ),
      kind: Type.Optional(Type.String({ description: "Only records of this kind." })),
      type: Type.Optional(Type.Enum(eventType.enum, { description: "Only events of this type." })),
      actor: Type.Optional(
        Type.String({ description: "Only what this actor did; empty: what was done without one." }),
      ),
      from: Type.Optional(Type.String({ description: "A time in the first bucket, or a date." })),
      to: Type.Optional(Type.String({ description: "A time in the last bucket, or a date." })),
    }),
  },
  answers: { 200: { description: "The buckets in which something happened", schema: timeline } },
  rows: { member: "rows", columns: ["start", "kind", "type", "actor", "events"] },
  problems: [404],
  async handle(exchange) {
    const { query, signal } = exchange;
    const { bucket: size, by, kind, type, actor, from, to } = query;
    const instant = await instantOf(exchange, query);
    const who = actor === "" ? null : actor;
    const asked = { bucket: size, by, kind, type, actor: who, from, to, signal };
    return { value: await (await instant.views()).timeline(asked), ...instant.said };
  },
});

export const storeRoutes: readonly Route[] = [
  getStore,
  getInstant,
  getResolved,
  getSummary,
  getTimeline,
];
