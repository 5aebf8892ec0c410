/** Over HTTP every question has the answer that it has in this process, and the answer has the shape that is declared. */
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { afterAll, beforeAll, expect, test } from "vitest";

import { allRoutes } from "../../packages/server/src/routes/index.ts";
import { questions } from "./questions.ts";
import { strictSchema } from "./strict-schema.ts";
import { playStory, serve, type Served } from "./served-store.ts";

let served: Served;

beforeAll(async () => {
  served = await serve();
  await playStory(served);
});

afterAll(() => served.close());

test("every route that answers a question about the store is asked", () => {
  const asked = new Set(questions.map(({ operationId }) => operationId));
  const unasked = allRoutes.filter(
    ({ method, scope, tag, answers, operationId }) =>
      method === "GET" &&
      scope === "read" &&
      // What a server keeps for its callers is no answer of the store.
      tag !== "Subscriptions" &&
      answers[200]?.contentTypes === undefined &&
      !asked.has(operationId),
  );
  expect(unasked.map(({ operationId }) => operationId)).toEqual([]);
});

test.each(questions)("$path is answered as in this process", async ({ path, ask }) => {
  const expected = JSON.stringify(await ask(served));
  const response = await fetch(`${served.url}${path}`);
  expect([response.status, await response.text()]).toEqual([200, expected]);
});

const ajv = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true });
addFormats.default(ajv);
const validators = new Map(
  allRoutes.map(({ operationId, answers }) => [
    operationId,
    ajv.compile(strictSchema(answers[200]?.schema ?? {})),
  ]),
);

test.each(questions)("$path is answered in the shape declared", async ({ operationId, path }) => {
  const validate = validators.get(operationId);
  const value: unknown = await (await fetch(`${served.url}${path}`)).json();
  validate?.(value);
  expect(validate?.errors ?? []).toEqual([]);
});

test("an answer with a member that is not declared is found", async () => {
  const validate = validators.get("getLabel");
  expect(validate?.({ name: "first", position: 3 })).toBe(true);
  expect(validate?.({ name: "first", position: 3, more: 1 })).toBe(false);
});
