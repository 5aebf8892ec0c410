/** JSON in pieces is the JSON there is. */
import { LongList } from "@sennit/core";
import { expect, test } from "vitest";

import { jsonListPieces, jsonPieces } from "./json-pieces.ts";

test.each([
  [[]],
  [{ a: undefined, b: null, list: Array.from({ length: 999 }, (_, index) => ({ index })) }],
  [Array.from({ length: 999 }, (_, index) => (index === 7 ? undefined : [index]))],
  [{ ["__proto__"]: 1, list: [] }],
  ["text"],
])("the pieces of %# are the JSON as it is written in one", async (value) => {
  expect(await joined(jsonPieces(value))).toBe(JSON.stringify(value));
});

test.each<[unknown[][]]>([
  [[]],
  [[[]]],
  [[[1], [{ a: undefined }, undefined]]],
  [[[1, 2], [], [3]]],
])("a list that is read in the pieces %j is written as the list it is", async (pieces) => {
  const read = async function* () {
    yield* pieces;
  };
  const items = pieces.flat();
  const value = { before: 1, list: new LongList(items.length, read()), behind: null };
  expect(await joined(jsonPieces(value))).toBe(JSON.stringify({ ...value, list: items }));
});

test("a list is written in pieces as it is written in one", async () => {
  for (const items of [[], [1], [{ a: 1 }, null]]) {
    const all = async function* () {
      yield* items;
    };
    for (const tail of [{}, { next: 3 }]) {
      const text = await joined(jsonListPieces({ asOf: 1 }, "items", all(), () => tail));
      expect(text).toBe(JSON.stringify({ asOf: 1, items, ...tail }));
    }
  }
});

async function joined(pieces: AsyncIterable<string>): Promise<string> {
  let text = "";
  for await (const piece of pieces) text += piece;
  return text;
}
