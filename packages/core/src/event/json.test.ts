/** JSON values: merge patch, equality, canonical text. */
import * as fc from "fast-check";
import { expect, test } from "vitest";

import { canonicalJson, isPlainObject, jsonEqual, mergePatch } from "./json.ts";

// The test cases of RFC 7396, appendix A: original, patch, result.
test.each([
  [{ a: "b" }, { a: "c" }, { a: "c" }],
  [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
  [{ a: "b" }, { a: null }, {}],
  [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
  [{ a: ["b"] }, { a: "c" }, { a: "c" }],
  [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
  [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
  [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
  [
    ["a", "b"],
    ["c", "d"],
    ["c", "d"],
  ],
  [{ a: "b" }, ["c"], ["c"]],
  [{ a: "foo" }, null, null],
  [{ a: "foo" }, "bar", "bar"],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: "b", c: null }, { a: "b" }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
])("the merge patch of %j with %j is %j", (target, patch, result) => {
  const before = structuredClone({ target, patch });
  expect(mergePatch(target, patch)).toEqual(result);
  expect({ target, patch }).toEqual(before);
});

test("members named like those every object inherits are members like any other", () => {
  expect(mergePatch({}, { constructor: { a: 1 }, toString: 2 })).toEqual({
    constructor: { a: 1 },
    toString: 2,
  });
  expect(jsonEqual({ toString: 1 }, {})).toBe(false);
});

test("canonical text does not depend on the order of members, and is JSON", () => {
  const shuffled = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(shuffled);
    if (!isPlainObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value)
        .toReversed()
        .map(([key, member]) => [key, shuffled(member)]),
    );
  };
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value);
      expect(canonicalJson(shuffled(value))).toBe(text);
      expect(jsonEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)))).toBe(true);
    }),
  );
});

test("canonical text is sorted and dense", () => {
  expect(canonicalJson({ b: [1, { d: null, c: "ä\n" }], a: true, x: undefined })).toBe(
    '{"a":true,"b":[1,{"c":"ä\\n","d":null}]}',
  );
});

test("equality and canonical text agree", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 2 }), fc.jsonValue({ maxDepth: 2 }), (a, b) => {
      expect(jsonEqual(a, b)).toBe(canonicalJson(a) === canonicalJson(b));
      expect(jsonEqual(a, structuredClone(a))).toBe(true);
    }),
  );
});

test("an absent member equals an undefined one, and differs from null", () => {
  expect(jsonEqual({ a: 1, b: undefined }, { a: 1 })).toBe(true);
  expect(jsonEqual({ a: 1 }, { a: 1, b: undefined })).toBe(true);
  expect(jsonEqual({ b: undefined }, { c: undefined })).toBe(true);
  expect(jsonEqual({ b: null }, {})).toBe(false);
});

test("only plain objects are plain", () => {
  expect([{}, Object.create(null)].every(isPlainObject)).toBe(true);
  expect([null, [], new Date(0), new Map(), "a", 1, Buffer.alloc(1)].some(isPlainObject)).toBe(
    false,
  );
});
