/** The OpenAPI 3.1 document, made from the declared routes. */
import { isPlainObject } from "@sennit/core";
import type { TObject, TSchema } from "typebox";

import { formTypes, offersOf } from "../forms/negotiate.ts";
import type { Route } from "../route.ts";
import { namedShapes } from "../schemas/named-shapes.ts";
import { problem } from "../schemas/problem.ts";
import { examples } from "./examples.ts";
import { headers, minPositionParameter, noneMatchParameter } from "./headers.ts";
import { problemStatuses, problemTitles } from "./statuses.ts";

/** The document of some routes, as JSON. */
export function openApiDocument(routes: readonly Route[]): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = route.url.replaceAll(/:([A-Za-z]+)/g, "{$1}");
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Sennit",
      version: "1",
      description: "A provenance store: append events, ask as of any instant.",
    },
    servers: [{ url: "/" }],
    paths,
    components: {
      schemas: Object.fromEntries(
        Object.entries(namedShapes).map(([name, shape]) => [name, inner(shape)]),
      ),
      headers,
      parameters: { MinPosition: minPositionParameter, IfNoneMatch: noneMatchParameter },
      securitySchemes: { bearer: { type: "http", scheme: "bearer" } },
    },
  };
}

function operation(route: Route): Record<string, unknown> {
  const { params, query, body } = route.shape;
  const scope = route.scope === "none" ? [] : [`Needs the scope \`${route.scope}\`.`];
  const about = [...(route.description === undefined ? [] : [route.description]), ...scope];
  return {
    operationId: route.operationId,
    summary: route.summary,
    ...(about.length > 0 && { description: about.join("\n\n") }),
    tags: [route.tag],
    security: route.scope === "none" ? [] : [{ bearer: [] }, {}],
    parameters: [
      ...parameters(params, "path"),
      ...parameters(query, "query"),
      ...patternParameters(query),
      ...(route.scope === "none" ? [] : [refTo("parameters", "MinPosition")]),
      ...(isQuestion(route) ? [refTo("parameters", "IfNoneMatch")] : []),
    ],
    ...(body !== undefined && {
      requestBody: { required: true, content: contentOf(route.bodyTypes ?? formTypes.json, body) },
    }),
    responses: responses(route),
  };
}

/** Whether an answer of it may be kept and asked for again. */
function isQuestion(route: Route): boolean {
  return route.method === "GET" && offersOf(route).every(([, form]) => form !== "own");
}

function responses(route: Route): Record<string, unknown> {
  const said = refTo("headers", "Sennit-Position");
  const given = Object.entries(route.answers).map(([status, answer]) => [
    status,
    {
      description: answer.description,
      headers: {
        "Sennit-Position": said,
        ...(isQuestion(route) && {
          ETag: refTo("headers", "ETag"),
          "Cache-Control": refTo("headers", "Cache-Control"),
          Vary: refTo("headers", "Vary"),
        }),
        ...(route.rows !== undefined && { Link: refTo("headers", "Link") }),
      },
      ...(answer.schema !== undefined && {
        content:
          answer.contentTypes === undefined
            ? forms(route, answer.schema)
            : contentOf(answer.contentTypes, answer.schema),
      }),
    },
  ]);
  const problems = problemStatuses(route).map((status) => [
    String(status),
    {
      description: problemTitles[status] ?? "",
      ...(status === 429 || status === 503
        ? { headers: { "Retry-After": refTo("headers", "Retry-After") } }
        : {}),
      content: contentOf(["application/problem+json"], problem),
    },
  ]);
  const notModified = {
    description: "What the caller has is what it would get",
    headers: { "Sennit-Position": said, ETag: refTo("headers", "ETag") },
  };
  return Object.fromEntries([
    ...given,
    ...(isQuestion(route) ? [["304", notModified]] : []),
    ...problems,
  ]);
}

function contentOf(types: readonly string[], shape: TSchema): Record<string, unknown> {
  return Object.fromEntries(types.map((type) => [type, { schema: schema(shape) }]));
}

/** An answer in each form. In NDJSON each line has the shape of an item. */
function forms(route: Route, shape: TSchema): Record<string, unknown> {
  const example = examples[route.operationId];
  const ofRoute = new Set(offersOf(route).map(([, form]) => form));
  return {
    [formTypes.json[0] ?? ""]: {
      schema: schema(shape),
      ...(example !== undefined && { example }),
    },
    ...(ofRoute.has("messagepack") && {
      [formTypes.messagepack[0] ?? ""]: { schema: schema(shape) },
    }),
    ...(ofRoute.has("ndjson") && {
      [formTypes.ndjson[0] ?? ""]: { schema: {} },
      [formTypes.csv[0] ?? ""]: { schema: { type: "string" } },
    }),
  };
}

function parameters(shape: TObject | undefined, place: "path" | "query"): unknown[] {
  if (shape === undefined) return [];
  const required = new Set((shape as { readonly required?: readonly string[] }).required ?? []);
  return Object.entries(shape.properties).map(([name, property]) => ({
    name,
    in: place,
    required: required.has(name),
    ...(isPlainObject(property) &&
      typeof property["description"] === "string" && { description: property["description"] }),
    schema: schema(property),
  }));
}

/** Parameters whose names have a pattern: an object, each member of which is a parameter. */
function patternParameters(shape: TObject | undefined): unknown[] {
  const { patternProperties = {} } = (shape ?? {}) as {
    readonly patternProperties?: Readonly<Record<string, { readonly description?: string }>>;
  };
  return Object.entries(patternProperties).map(([pattern, property]) => ({
    name: "tags",
    in: "query",
    style: "form",
    explode: true,
    description: `\`tag.KEY\`: ${property.description ?? ""}`,
    schema: {
      type: "object",
      propertyNames: { pattern },
      additionalProperties: schema(property),
    },
  }));
}

function refTo(kind: string, name: string): Record<string, string> {
  return { $ref: `#/components/${kind}/${name}` };
}

const names: ReadonlyMap<unknown, string> = new Map(
  Object.entries(namedShapes).map(([name, shape]) => [shape, name]),
);

/** A shape as JSON, where shapes that have a name are referred to by it. */
function schema(value: unknown): unknown {
  const name = names.get(value);
  return name === undefined ? inner(value) : refTo("schemas", name);
}

function inner(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(schema);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, schema(member)]));
}
