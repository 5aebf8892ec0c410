/** JSON in pieces is the JSON there is. */
import { expect, test } from "vitest";

import { jsonListPieces, jsonPieces } from "./json-pieces.ts";

test.each([
  [[]],
  [{ a: undefined, b: null, list: Array.from({ length: 999 }, (_, index) => ({ index })) }],
  [Array.from({ length: 999 }, (_, index) => (index === 7 ? undefined : [index]))],
  [{ ["__proto__"]: 1, list: [] }],
  ["text"],
])("the pieces of %# are the JSON as it is written in one", (value) => {
  expect([...jsonPieces(value)].join("")).toBe(JSON.stringify(value));
});

test("a list is written in pieces as it is written in one", async () => {
  for (const items of [[], [1], [{ a: 1 }, null]]) {
    const all = async function* () {
      yield* items;
    };
    for (const tail of [{}, { next: 3 }]) {
      let text = "";
      for await (const piece of jsonListPieces({ asOf: 1 }, "items", all(), () => tail))
        text += piece;
      expect(text).toBe(JSON.stringify({ asOf: 1, items, ...tail }));
    }
  }
});
