/** Lineage: what a version rests on, what rests on it, in which ways, and since when. */
import { relations } from "@sennit/core";
import { Type } from "typebox";

import { asOfQuery, bothFixed, instantParameter, positionOf } from "../instant.ts";
import { recordAsked, refParams, refQuery, versionQuery } from "../record-ref.ts";
import { defineRoute, type Route } from "../route.ts";
import {
  commonAncestors,
  lineage,
  lineageDiff,
  lineagePaths,
  lineageRefs,
} from "../schemas/lineage.ts";
import { StoreError } from "@sennit/core";

const about = { ...asOfQuery, ...refQuery, ...versionQuery };

export const filterQuery = {
  role: Type.Optional(
    Type.Array(Type.String(), { description: "Follow only edges with one of these roles." }),
  ),
  relation: Type.Optional(
    Type.Array(Type.Enum([...relations]), {
      description: "Follow only edges with one of these relations of PROV-DM.",
    }),
  ),
  kind: Type.Optional(
    Type.Array(Type.String(), {
      description: "Follow only edges that lead to a version of one of these kinds.",
    }),
  ),
};

const otherRef = (description: string) => Type.String({ minLength: 1, description });

interface LineageFilter {
  readonly role?: readonly string[];
  readonly relation?: readonly (typeof relations)[number][];
  readonly kind?: readonly string[];
}

export function filterOf({ role: roles, relation, kind: kinds }: LineageFilter) {
  return { roles, relations: relation, kinds };
}

const getLineage = defineRoute({
  method: "GET",
  url: "/v1/records/:ref/lineage",
  operationId: "getLineage",
  scope: "read",
  summary: "What a version rests on, or what rests on it",
  tag: "Lineage",
  shape: {
    params: refParams,
    query: Type.Object({
      ...about,
      direction: Type.Optional(
        Type.Enum(["ancestors", "descendants"], { description: "Default: ancestors." }),
      ),
      depth: Type.Optional(
        Type.Integer({ minimum: 1, description: "Steps at most. Default: all." }),
      ),
      ...filterQuery,
      refs: Type.Optional(
        Type.Boolean({ description: "Name the versions and no more: fast for large answers." }),
      ),
      since: Type.Optional(
        instantParameter("Only what has joined since this instant, or was withdrawn"),
      ),
    }),
  },
  answers: {
    200: {
      description: "The lineage; with `refs`, names alone; with `since`, what is new in it",
      schema: Type.Union([lineage, lineageRefs, lineageDiff]),
    },
  },
  rows: {
    member: "nodes",
    columns: ["recordId", "version", "kind", "name", "status", "depth", "change"],
  },
  problems: [404],
  async handle(exchange) {
    const { params, query, signal } = exchange;
    const { refs = false, since, depth } = query;
    if (refs && since !== undefined) {
      throw new StoreError("request-invalid", "refs and since do not go together.", {
        details: { part: "query" },
      });
    }
    const { instant, ref } = await recordAsked(exchange, params, query);
    const options = { direction: query.direction, depth, signal, ...filterOf(query) };
    if (since !== undefined) {
      const from = await positionOf(exchange, since);
      const value = await instant.reader.lineageDiff(ref, from.position, options);
      return { value, ...bothFixed(instant, from) };
    }
    const { reader } = instant;
    const value = refs
      ? await reader.lineageRefs(ref, options)
      : await reader.lineageParts(ref, options);
    return { value, ...instant.said };
  },
});

const getPaths = defineRoute({
  method: "GET",
  url: "/v1/records/:ref/paths",
  operationId: "getPaths",
  scope: "read",
  summary: "The ways in which one version rests on another",
  tag: "Lineage",
  shape: {
    params: refParams,
    query: Type.Object({
      ...about,
      to: otherRef("The other version. Which of the two came later is found out."),
      limit: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 10_000, description: "Paths at most. Default: 100." }),
      ),
      ...filterQuery,
    }),
  },
  answers: { 200: { description: "The paths, shortest first", schema: lineagePaths } },
  problems: [404],
  async handle(exchange) {
    const { params, query, signal } = exchange;
    const { instant, ref } = await recordAsked(exchange, params, query);
    const other = await instant.resolve(query.to);
    const options = { limit: query.limit, signal, ...filterOf(query) };
    return { value: await instant.reader.paths(ref, other, options), ...instant.said };
  },
});

const getCommonAncestors = defineRoute({
  method: "GET",
  url: "/v1/records/:ref/common-ancestors",
  operationId: "getCommonAncestors",
  scope: "read",
  summary: "What two versions both rest on",
  tag: "Lineage",
  shape: {
    params: refParams,
    query: Type.Object({ ...about, with: otherRef("The other version."), ...filterQuery }),
  },
  answers: { 200: { description: "Nearest to both first", schema: commonAncestors } },
  rows: {
    member: "nodes",
    columns: ["recordId", "version", "kind", "name", "status", "depths", "isNearest"],
  },
  problems: [404],
  async handle(exchange) {
    const { params, query, signal } = exchange;
    const { instant, ref } = await recordAsked(exchange, params, query);
    const other = await instant.resolve(query.with);
    const options = { signal, ...filterOf(query) };
    return { value: await instant.reader.commonAncestors(ref, other, options), ...instant.said };
  },
});

export const lineageRoutes: readonly Route[] = [getLineage, getPaths, getCommonAncestors];
