/** The OpenAPI document is one, it says what the routes do, and it is read without anything from elsewhere. */
import { Validator } from "@seriousme/openapi-schema-validator";
import { afterAll, beforeAll, expect, test } from "vitest";

import { allRoutes } from "../../packages/server/src/routes/index.ts";
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
