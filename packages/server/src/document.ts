/** The OpenAPI 3.1 document, made from the declared routes. */
import { isPlainObject } from "@sennit/core";
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { FastifyInstance } from "fastify";
import type { TObject } from "typebox";

import { docsPolicy } from "./access/security-headers.ts";
import type { Route } from "./route.ts";
import { allRoutes } from "./routes/index.ts";
import { problem } from "./schemas/problem.ts";
import { namedShapes } from "./schemas/named-shapes.ts";

/** Statuses any route may answer with: a request that cannot be right, no or too little credential, too much, trouble. */
const problemsOfAll = [400, 401, 403, 429, 500, 503];

const problemTitles: Readonly<Record<number, string>> = {
  400: "The request cannot be right",
  401: "No credential, or one that does not count",
  403: "The credential does not allow it",
  404: "It is not there, or was not at that instant",
  406: "None of the forms asked for can be given",
  409: "The store is in another state than the caller relied on",
  412: "A condition of the request does not hold",
  413: "Too large",
  415: "A body of a type that is not taken",
  429: "Too many requests",
  499: "The caller has gone",
  500: "A defect, or damage of what is stored",
  501: "Not possible here",
  503: "Not at present; try again after Retry-After",
};

/** The document of the routes: JSON as OpenAPI 3.1 has it. */
function openApiDocument(routes: readonly Route[] = allRoutes): Record<string, unknown> {
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
    paths,
    components: {
      schemas: Object.fromEntries(
        Object.entries(namedShapes).map(([name, shape]) => [name, inner(shape)]),
      ),
      securitySchemes: { bearer: { type: "http", scheme: "bearer" } },
    },
  };
}

function operation(route: Route): Record<string, unknown> {
  const { params, query, body } = route.shape;
  const statuses = [...problemsOfAll, ...route.problems]
    .filter((status) => route.answers[status] === undefined)
    .toSorted((one, other) => one - other);
  return {
    operationId: route.operationId,
    summary: route.summary,
    ...(route.description !== undefined && { description: route.description }),
    tags: [route.tag],
    ...(route.scope !== "none" && { security: [{ bearer: [] }, {}] }),
    parameters: [...parameters(params, "path"), ...parameters(query, "query")],
    ...(body !== undefined && {
      requestBody: {
        required: true,
        content: Object.fromEntries(
          (route.bodyTypes ?? ["application/json"]).map((type) => [type, { schema: schema(body) }]),
        ),
      },
    }),
    responses: {
      ...Object.fromEntries(
        Object.entries(route.answers).map(([status, answer]) => [
          status,
          {
            description: answer.description,
            ...(answer.schema !== undefined && {
              content: Object.fromEntries(
                (answer.contentTypes ?? ["application/json"]).map((type) => [
                  type,
                  { schema: schema(answer.schema) },
                ]),
              ),
            }),
          },
        ]),
      ),
      ...Object.fromEntries(
        statuses.map((status) => [
          status,
          {
            description: problemTitles[status] ?? "",
            content: { "application/problem+json": { schema: schema(problem) } },
          },
        ]),
      ),
    },
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

const names: ReadonlyMap<unknown, string> = new Map(
  Object.entries(namedShapes).map(([name, shape]) => [shape, name]),
);

/** A shape as JSON, where shapes that have a name are referred to by it. */
function schema(value: unknown): unknown {
  const name = names.get(value);
  return name === undefined ? inner(value) : { $ref: `#/components/schemas/${name}` };
}

function inner(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(schema);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, schema(member)]));
}

/** Serves the document, and a page to read it in that needs nothing from elsewhere. */
export async function registerDocument(app: FastifyInstance): Promise<void> {
  const document = openApiDocument();
  await app.register(swagger, {
    mode: "static",
    specification: { document: document as never },
  });
  await app.register(swaggerUi, { routePrefix: "/docs", staticCSP: docsPolicy });
  app.get("/openapi.json", () => document);
}
