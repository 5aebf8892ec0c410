/** Records: one of them, and those that fit a query. */
import { formatRef, parseRef } from "@sennit/core";
import { Type } from "typebox";

import { asOfQuery, readerOf } from "../instant.ts";
import { defineRoute, type Route } from "../route.ts";
import { record, recordPage, version } from "../schemas/record.ts";

const refParams = Type.Object({
  ref: Type.String({ description: "ID, ID@VERSION or KIND/NAME, percent-encoded", minLength: 1 }),
});

const getRecord = defineRoute({
  method: "GET",
  url: "/v1/records/:ref",
  operationId: "getRecord",
  scope: "read",
  summary: "One record",
  tag: "Records",
  shape: {
    params: refParams,
    query: Type.Object({ ...asOfQuery, version: Type.Optional(version) }),
  },
  answers: { 200: { description: "The record as it stood", schema: record } },
  problems: [404],
  async handle(exchange) {
    const { params, query } = exchange;
    const { reader, isFixed } = await readerOf(exchange, query);
    const asked = query.version;
    const ref =
      asked === undefined
        ? params.ref
        : formatRef({ recordId: parseRef(params.ref).target, version: asked });
    const found = await reader.record(ref);
    return { value: found, position: reader.asOf, isFixed, version: found.version };
  },
});

const listRecords = defineRoute({
  method: "GET",
  url: "/v1/records",
  operationId: "listRecords",
  scope: "read",
  summary: "Records that fit a query",
  tag: "Records",
  shape: {
    query: Type.Object({
      ...asOfQuery,
      where: Type.Optional(Type.String({ description: "A query: kind:model tag.loss<0.1" })),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, default: 100 })),
      cursor: Type.Optional(Type.String()),
    }),
  },
  answers: { 200: { description: "A page of records", schema: recordPage } },
  problems: [],
  async handle(exchange) {
    const { query, signal } = exchange;
    const { reader, isFixed } = await readerOf(exchange, query);
    const { where = "", limit, cursor } = query;
    const page = await reader.list(where, { limit, cursor, signal });
    return { value: page, position: reader.asOf, isFixed, rows: "records" };
  },
});

export const recordRoutes: readonly Route[] = [listRecords, getRecord];
