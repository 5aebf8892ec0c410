/** What became of a record: its versions, what differs between two, which event set what, which sources have moved on. */
import { formatRef, StoreError } from "@sennit/core";
import { Type } from "typebox";

import { asOfQuery, instantOf } from "../instant.ts";
import {
  recordAsked,
  refOf,
  refParams,
  refQuery,
  versionQuery,
  wholeRefOf,
} from "../record-ref.ts";
import { defineRoute, type Route } from "../route.ts";
import { version } from "../schemas/common.ts";
import { outdatedSources } from "../schemas/decision.ts";
import { blame, history, recordDiff } from "../schemas/history.ts";
import { recordColumns } from "./columns.ts";

const getHistory = defineRoute({
  method: "GET",
  url: "/v1/records/:ref/history",
  operationId: "getHistory",
  scope: "read",
  summary: "The versions of a record, oldest first",
  tag: "Records",
  shape: {
    params: refParams,
    query: Type.Object({
      ...asOfQuery,
      ...refQuery,
      after: Type.Optional(
        Type.Integer({ ...version, minimum: 0, description: "Only versions after this one." }),
      ),
      limit: Type.Optional(
        Type.Integer({ minimum: 1, description: "Versions at most. Default: all." }),
      ),
    }),
  },
  answers: { 200: { description: "The versions and their events", schema: history } },
  rows: { member: "versions", columns: recordColumns },
  problems: [404],
  async handle(exchange) {
    const { params, query, signal } = exchange;
    const named = refOf(params, query);
    const instant = await instantOf(exchange, query);
    const { after, limit } = query;
    const ref = await instant.resolve(named);
    const value = await instant.reader.history(ref, { after, limit, signal });
    const { nextAfter } = value;
    const next = () => (nextAfter === undefined ? undefined : { after: nextAfter });
    return { value, ...instant.said, next };
  },
});

const getRecordDiff = defineRoute({
  method: "GET",
  url: "/v1/records/:ref/diff",
  operationId: "diffRecord",
  scope: "read",
  summary: "What differs between two versions",
  description:
    "Between two versions of the record, `from` and `to`; or between the record and another, `with`.",
  tag: "Records",
  shape: {
    params: refParams,
    query: Type.Object({
      ...asOfQuery,
      ...refQuery,
      from: Type.Optional(Type.Integer({ ...version, description: "The version before." })),
      to: Type.Optional(
        Type.Integer({ ...version, description: "The version after. Default: the current one." }),
      ),
      with: Type.Optional(
        Type.String({ minLength: 1, description: "The version after, as a ref to any record." }),
      ),
    }),
  },
  answers: { 200: { description: "Each member that differs", schema: recordDiff } },
  rows: { member: "changes", columns: ["pointer", "change", "before", "after"] },
  problems: [404, 409],
  async handle(exchange) {
    const { params, query } = exchange;
    const { from, to, with: other } = query;
    if (
      (from === undefined) === (other === undefined) ||
      (other !== undefined && to !== undefined)
    ) {
      throw new StoreError("request-invalid", "A diff takes from and to, or with.", {
        details: { part: "query" },
      });
    }
    const named = other === undefined ? wholeRefOf(params, query) : refOf(params, query);
    const instant = await instantOf(exchange, query);
    const ref = await instant.resolve(named);
    const versionOf = (asked: number | undefined): string =>
      asked === undefined ? ref : formatRef({ recordId: ref, version: asked });
    const after = other === undefined ? versionOf(to) : await instant.resolve(other);
    return { value: await instant.reader.diff(versionOf(from), after), ...instant.said };
  },
});

const getBlame = defineRoute({
  method: "GET",
  url: "/v1/records/:ref/blame",
  operationId: "getBlame",
  scope: "read",
  summary: "Which event set each field of a version",
  tag: "Records",
  shape: {
    params: refParams,
    query: Type.Object({ ...asOfQuery, ...refQuery, ...versionQuery }),
  },
  answers: { 200: { description: "The parts of the document", schema: blame } },
  rows: {
    member: "fields",
    columns: ["pointer", "value", "version", "position", "recordedAt", "eventId", "type", "actor"],
  },
  problems: [404],
  async handle(exchange) {
    const { params, query, signal } = exchange;
    const { instant, ref } = await recordAsked(exchange, params, query);
    return { value: await instant.reader.blame(ref, { signal }), ...instant.said };
  },
});

const getOutdatedSources = defineRoute({
  method: "GET",
  url: "/v1/records/:ref/outdated-sources",
  operationId: "getOutdatedSources",
  scope: "read",
  summary: "The sources that make a version stale",
  tag: "Lineage",
  shape: {
    params: refParams,
    query: Type.Object({ ...asOfQuery, ...refQuery, ...versionQuery }),
  },
  answers: { 200: { description: "None when it is not stale", schema: outdatedSources } },
  rows: { columns: ["source.recordId", "source.version", "now"] },
  problems: [404],
  async handle(exchange) {
    const { params, query } = exchange;
    const { instant, ref } = await recordAsked(exchange, params, query);
    return { value: await instant.reader.outdatedSources(ref), ...instant.said };
  },
});

export const historyRoutes: readonly Route[] = [
  getHistory,
  getRecordDiff,
  getBlame,
  getOutdatedSources,
];
