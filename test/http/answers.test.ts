/** Over HTTP every question has the answer that it has in this process, and the answer has the shape that is declared. */
import { afterAll, beforeAll, expect, test } from "vitest";

import { allRoutes } from "../../packages/server/src/routes/index.ts";
import { questions } from "./questions.ts";
import { playStory, serve, type Served } from "./served-store.ts";

let served: Served;

beforeAll(async () => {
  served = await serve();
  await playStory(served);
});

afterAll(() => served.close());

test("every route that answers a question is asked", () => {
  const asked = new Set(questions.map(({ operationId }) => operationId));
  const reading = allRoutes.filter(({ method, scope }) => method === "GET" && scope === "read");
  const live = reading.filter(({ answers }) => answers[200]?.contentTypes !== undefined);
  const unasked = reading.filter((route) => !live.includes(route) && !asked.has(route.operationId));
  expect(unasked.map(({ operationId }) => operationId)).toEqual([]);
});

test.each(questions)("$path is answered as in this process", async ({ path, ask }) => {
  const expected = JSON.stringify(await ask(served));
  const response = await fetch(`${served.url}${path}`);
  expect([response.status, await response.text()]).toEqual([200, expected]);
});
