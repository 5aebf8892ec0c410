/** Queries as objects, also from outside the type system. */
import { codeOf } from "@sennit/core/testing";
import { expect, test } from "vitest";

import { compileQuery } from "./list-query.ts";
import { formatQuery } from "./search/format-query.ts";
import { parseListStatus } from "./search/status.ts";

test("an object and the text that asks the same are one tree", () => {
  const object = {
    kind: "model",
    status: "valid" as const,
    tags: { stage: "prod", loss: "0.10", draft: true, "my key": { text: "1" } },
    words: ["bragg*", "edge"],
  };
  const text =
    'kind:model tag.stage=prod tag.loss=0.10 tag.draft=true tag."my key"="1" status:valid bragg* edge';
  expect(compileQuery(object)).toEqual(compileQuery(text));
  expect(compileQuery({ where: text })).toEqual(compileQuery(text));
  expect(compileQuery({})).toEqual(compileQuery(""));
});

test("a text beside other members holds as a whole", () => {
  expect(compileQuery({ where: "a or b", kind: "model" })).toEqual(
    compileQuery("(a or b) kind:model"),
  );
});

test("a tag may have any key, also one that objects are born with", () => {
  const tags = Object.fromEntries([
    ["__proto__", "1"],
    ["constructor", "2"],
    ["a.b", "3"],
  ]);
  expect(compileQuery({ tags })).toEqual(
    compileQuery("tag.__proto__=1 tag.constructor=2 tag.a.b=3"),
  );
});

test("two values of one field are refused, whether in members or in text", async () => {
  expect(await codeOf(() => compileQuery({ where: "kind:a", kind: "b" }))).toBe("argument-invalid");
  expect(await codeOf(() => compileQuery({ where: "tag.x=1", tags: { x: "2" } }))).toBe(
    "argument-invalid",
  );
  expect(() => compileQuery({ where: "tag.x=1", tags: { x: "1.0" } })).not.toThrow();
});

test("two values of one field in text are refused at their place through either door", async () => {
  const text = "(kind:model x) kind:b";
  const refused = expect.objectContaining({
    code: "query-invalid",
    details: expect.objectContaining({ query: text, at: 15, length: 6 }),
  });
  expect(() => compileQuery(text)).toThrow(refused);
  expect(() => compileQuery({ where: text })).toThrow(refused);
});

test("a member's two dots are a text, and are written as one", () => {
  const node = compileQuery({ tags: { z: ".." } });
  expect(formatQuery(node)).toBe('tag.z=".."');
  expect(compileQuery(formatQuery(node))).toEqual(node);
});

test("a status is one of three", async () => {
  expect(parseListStatus("stale")).toBe("stale");
  expect(await codeOf(() => parseListStatus("Stale"))).toBe("argument-invalid");
});

test.each([
  null,
  [],
  3,
  { kin: "model" },
  { kind: 3 },
  { kind: "\ud800" },
  { status: "old" },
  { status: 1 },
  { tags: { a: null } },
  { tags: { a: Number.NaN } },
  { tags: { a: { text: 1 } } },
  { tags: { a: { text: "1", more: 1 } } },
  { tags: { "\ud800": "1" } },
  { tags: ["a"] },
  { words: "model" },
  { words: [1] },
  { where: 1 },
])("the value %j is no query", async (value) => {
  expect(await codeOf(() => compileQuery(value))).toBe("argument-invalid");
});

test("members may be left out or undefined", () => {
  expect(() => compileQuery({ kind: undefined, words: [] })).not.toThrow();
});
