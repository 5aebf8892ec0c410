/** JSON text whose value would say something else, and text that only looks like it. */
import { expect, test } from "vitest";

import { readJson } from "./json-text.ts";

test.each([
  ["12345678901234567890", ""],
  ["-9007199254740993", ""],
  [`[1, ${"9".repeat(400)}]`, "/1"],
  ['{"a":[{},{"b/~":12345678901234567}]}', "/a/1/b~1~0"],
  ['{"a":1,"a":1}', "/a"],
  ['{"a":1 , "\\u0061" : 2}', "/a"],
  ['{"x":"\\":","o":{"a":[],"b":{"c":1},"a":2}}', "/o/a"],
  ['[{"a":1},{"a":1,"__proto__":1,"__proto__":2}]', "/1/__proto__"],
  ['{"":1,"":2}', "/"],
  ['{"a":"\\\\","b":[1,[2]],"b":0}', "/b"],
])("%s loses something at %s", (text, pointer) => {
  expect(readJson(text).loss?.pointer).toBe(pointer);
});

test.each([
  "9007199254740991",
  "-9007199254740992",
  "100000000000000000000",
  "0.1234567890123456789",
  "1e20",
  '"12345678901234567890"',
  '{"a":"12345678901234567890\\"","12345678901234567890":1}',
  '{"a":{"a":1},"b":[{"a":1},{"a":2}]}',
  '{"a":"\\"a\\":1, \\"a\\":2"}',
  '{"a":"b\\\\","c":["a","a"]}',
  '[{"__proto__":1}, null, true, "", -0, []]',
])("%s loses nothing", (text) => {
  expect(readJson(text)).toEqual({ value: JSON.parse(text), loss: undefined });
});

test("a text as deep as the parser takes is scanned to its end", () => {
  const text = `${"[".repeat(100_000)}12345678901234567890${"]".repeat(100_000)}`;
  expect(readJson(text).loss?.pointer).toBe("/0".repeat(100_000));
});

test("a text of more objects and arrays than memory is spent on is no JSON that is taken", () => {
  const many = (count: number) => `[${"{},".repeat(count - 2)}{}]`;
  expect(readJson(many(1_000_000)).loss).toBeUndefined();
  expect(() => readJson(many(1_000_001))).toThrow(SyntaxError);
  expect(() => readJson(`${"[".repeat(1_000_001)}${"]".repeat(1_000_001)}`)).toThrow(SyntaxError);
  expect(readJson(JSON.stringify(['\\"[{', "[{".repeat(1_000_000)])).loss).toBeUndefined();
});
