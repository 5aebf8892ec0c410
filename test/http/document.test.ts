/** The OpenAPI document is one, it says what the routes do, and it is read without anything from elsewhere. */
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { afterAll, beforeAll, expect, test } from "vitest";

import { examples } from "../../packages/server/src/document/examples.ts";
import { allRoutes } from "../../packages/server/src/routes/index.ts";
import { strictSchema } from "./strict-schema.ts";
import { serve, type Served } from "./served-store.ts";

interface Operation {
  readonly operationId: string;
}

interface OpenApi {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

let served: Served;
let document: OpenApi;

beforeAll(async () => {
  served = await serve();
  document = (await (await fetch(`${served.url}/openapi.json`)).json()) as OpenApi;
});

afterAll(() => served.close());

test("it is valid", async () => {
  expect(document.openapi).toBe("3.1.0");
  const { valid, errors } = await new Validator().validate({ ...document });
  expect([valid, errors]).toEqual([true, undefined]);
});

test("every route is in it, under a name of its own", () => {
  const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
  const names = operations.map(({ operationId }) => operationId);
  expect(new Set(names).size).toBe(names.length);
  expect(names.toSorted()).toEqual(allRoutes.map(({ operationId }) => operationId).toSorted());
});

test("the examples have the shapes of the answers that they are examples of", () => {
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
  addFormats.default(ajv);
  const unfit = Object.entries(examples).filter(([operationId, example]) => {
    const route = allRoutes.find((one) => one.operationId === operationId);
    return !ajv.validate(strictSchema(route?.answers[200]?.schema), example);
  });
  expect(unfit.map(([operationId]) => operationId)).toEqual([]);
});

test.each([
  "/docs/",
  "/docs/static/swagger-initializer.js",
  "/docs/static/index.css",
  "/docs/errors",
])("%s names no other host", async (path) => {
  const response = await fetch(`${served.url}${path}`);
  expect(response.status).toBe(200);
  expect((await response.text()).match(/["'(=]\s*(?:https?:)?\/\/[a-z][\w.-]+/gi)).toBeNull();
});

test("a browser is told to load nothing from elsewhere for the page", async () => {
  const { headers } = await fetch(`${served.url}/docs/`);
  expect(headers.get("content-security-policy")).toMatch(/^default-src 'none'/);
});

test("the type of a problem leads to the word on its code", async () => {
  const response = await fetch(`${served.url}/v1/records/nothing`);
  const { type } = (await response.json()) as { readonly type: string };
  const { pathname, hash } = new URL(type, served.url);
  const page = await (await fetch(`${served.url}${pathname}`)).text();
  expect(page).toContain(`<tr id="${hash.slice(1)}">`);
});
