/** Queries as text, and as values from outside the type system. */
import { codeOf } from "@sennit/core/testing";
import { expect, test } from "vitest";

import { assertListQuery, matchesWords, parseListQuery, parseListStatus } from "./list-query.ts";

const nothing = { kind: undefined, status: undefined, tags: {}, words: [] };

test("terms become members, and everything else words", () => {
  expect(parseListQuery("kind:model tag.stage=prod status:valid name:bragg* edge")).toEqual({
    kind: "model",
    status: "valid",
    tags: { stage: "prod" },
    words: ["bragg*", "edge"],
  });
  expect(parseListQuery("")).toEqual(nothing);
});

test("quotes hold spaces together wherever they stand", () => {
  expect(parseListQuery('name:"two words" "more words" tag.note="a b=c"')).toEqual({
    ...nothing,
    tags: { note: "a b=c" },
    words: ["two words", "more words"],
  });
});

test("a tag may have any key, also one that objects are born with", () => {
  const { tags } = parseListQuery("tag.__proto__=1 tag.constructor=2 tag.a.b=3");
  expect(Object.entries(tags ?? {})).toEqual([
    ["__proto__", "1"],
    ["constructor", "2"],
    ["a.b", "3"],
  ]);
});

test.each(["kind:", "status:old", "loss:3", 'name:"open', "tag.a="])(
  "the query %s is refused",
  async (text) => {
    expect(await codeOf(() => parseListQuery(text))).toBe("argument-invalid");
  },
);

test("a refused term is named with its place", () => {
  expect(() => parseListQuery("kind:model loss:3")).toThrow(
    expect.objectContaining({ details: { term: "loss:3", at: 11 } }),
  );
});

test("a status is one of three", async () => {
  expect(parseListStatus("stale")).toBe("stale");
  expect(await codeOf(() => parseListStatus("Stale"))).toBe("argument-invalid");
});

test.each([
  null,
  [],
  { kin: "model" },
  { kind: 3 },
  { kind: "\ud800" },
  { status: "old" },
  { status: 1 },
  { tags: { a: 1 } },
  { tags: ["a"] },
  { words: "model" },
  { words: [1] },
])("the value %j is no query", async (value) => {
  expect(await codeOf(() => assertListQuery(value))).toBe("argument-invalid");
});

test("members may be left out or undefined", () => {
  expect(() => assertListQuery({ kind: undefined, words: [] })).not.toThrow();
});

test("words are found in name or id, in either case, and stars open an end", () => {
  const cases: readonly [string, boolean][] = [
    ["BRAGG", true],
    ["m-1", true],
    ["bragg*", true],
    ["*nn", true],
    ["*agg*", true],
    ["nn*", false],
    ["*bragg", false],
    ["x", false],
  ];
  for (const [word, fits] of cases)
    expect([word, matchesWords([word], "BraggNN", "m-1")]).toEqual([word, fits]);
  expect(matchesWords(["bragg", "m-"], "BraggNN", "m-1")).toBe(true);
  expect(matchesWords(["bragg", "x"], "BraggNN", "m-1")).toBe(false);
  expect(matchesWords([], "", "")).toBe(true);
});
