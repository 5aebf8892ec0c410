/** Records: one of them, and those that fit a query. */
import { readJson } from "@sennit/core";
import { listStatuses, parseCursor, type ListQuery } from "@sennit/projections";
import { Type, type Static } from "typebox";

import { asOfQuery, instantOf, type Instant } from "../instant.ts";
import { recordAsked, refParams, refQuery, versionQuery } from "../record-ref.ts";
import { defineRoute, type Exchange, type Route } from "../route.ts";
import { explanation, record, recordPage } from "../schemas/record.ts";
import { recordColumns } from "./columns.ts";

const getRecord = defineRoute({
  method: "GET",
  url: "/v1/records/:ref",
  operationId: "getRecord",
  scope: "read",
  summary: "One record",
  tag: "Records",
  shape: {
    params: refParams,
    query: Type.Object({ ...asOfQuery, ...refQuery, ...versionQuery }),
  },
  answers: { 200: { description: "The record as it stood", schema: record } },
  problems: [404],
  async handle(exchange) {
    const { params, query } = exchange;
    const { instant, ref } = await recordAsked(exchange, params, query);
    const found = await instant.reader.record(ref);
    return { value: found, ...instant.said, version: found.version };
  },
});

const tagPrefix = "tag.";

type RecordsQuery = Pick<Static<typeof listQuery>, keyof typeof recordsQuery>;

/** Which records are asked for. */
export const recordsQuery = {
  where: Type.Optional(
    Type.String({ description: "A query.", examples: ["kind:model tag.loss<0.1 -tag.draft"] }),
  ),
  kind: Type.Optional(Type.String({ description: "Of this kind." })),
  status: Type.Optional(Type.Enum([...listStatuses], { description: "In this state." })),
  word: Type.Optional(
    Type.Array(Type.String(), {
      description: "A word in the name or the id, where `*` stands for any text.",
    }),
  ),
};

/** Beside `recordsQuery`: tags are asked for by parameters called after them. */
export const tagQuery = {
  patternProperties: {
    "^tag\\..": Type.String({
      description: "With this value of the tag KEY; in double quotes, as a text and nothing else.",
    }),
  },
};

const listQuery = Type.Object(
  {
    ...asOfQuery,
    ...recordsQuery,
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 10_000,
        description: "Records at most. Default: 100; in NDJSON and CSV without a cursor, all.",
      }),
    ),
    cursor: Type.Optional(Type.String({ description: "The `nextCursor` of the page before." })),
    explain: Type.Optional(
      Type.Boolean({ description: "Say how the page is found instead of giving it." }),
    ),
  },
  tagQuery,
);

const listRecords = defineRoute({
  method: "GET",
  url: "/v1/records",
  operationId: "listRecords",
  scope: "read",
  summary: "Records that fit a query",
  description: "Every page of a listing speaks for the instant of the first.",
  tag: "Records",
  shape: { query: listQuery },
  answers: {
    200: {
      description: "A page of records; with `explain`, how it was found",
      schema: Type.Union([recordPage, explanation]),
    },
  },
  rows: { member: "records", columns: recordColumns },
  problems: [404],
  async handle(exchange) {
    const { query, signal, form } = exchange;
    const asked = queryOf(query);
    const { limit, cursor } = query;
    const instant = await pageInstant(exchange, query, asked);
    const reader = await instant.views();
    const options = { limit, cursor, signal };
    if (query.explain === true) {
      return { value: await reader.explain(asked, options), ...instant.said };
    }
    const isPaged = form === "json" || form === "messagepack" || limit !== undefined;
    if (!isPaged && cursor === undefined) {
      const items = reader.records(asked, { signal });
      return { head: { asOf: instant.asOf }, items, ...instant.said };
    }
    const page = await reader.list(asked, options);
    const { nextCursor } = page;
    const next = () => (nextCursor === undefined ? undefined : { cursor: nextCursor });
    return { value: page, ...instant.said, next };
  },
});

/** What the parameters of `recordsQuery` and `tagQuery` ask for. */
export function queryOf(query: RecordsQuery): ListQuery {
  const { where, kind, status, word: words } = query;
  const tags = Object.entries(query).flatMap(([name, value]) =>
    name.startsWith(tagPrefix)
      ? [[name.slice(tagPrefix.length), tagCondition(String(value))] as const]
      : [],
  );
  return { where, kind, status, words, tags: Object.fromEntries(tags) };
}

/** A text in double quotes is a text and nothing else; without them `0.10` is the number too. */
function tagCondition(value: string): string | { readonly text: string } {
  if (!/^".*"$/s.test(value)) return value;
  try {
    const { value: text } = readJson(value);
    return typeof text === "string" ? { text } : value;
  } catch {
    return value;
  }
}

/** Every page of a listing speaks for the instant of the first, also when the store has grown since. */
function pageInstant(
  exchange: Exchange,
  query: Static<typeof listQuery>,
  asked: ListQuery,
): Promise<Instant> {
  if (query["as-of"] !== undefined || query.cursor === undefined) return instantOf(exchange, query);
  const { asOf } = parseCursor(query.cursor, asked, exchange.store.storeId);
  return instantOf(exchange, { "as-of": String(asOf) });
}

export const recordRoutes: readonly Route[] = [listRecords, getRecord];
