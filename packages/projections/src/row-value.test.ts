/** What a row may hold. */
import { decodeMessagePack, encodeMessagePack } from "@sennit/core/storage";
import { propertySettings } from "@sennit/core/testing";
import * as fc from "fast-check";
import { expect, test } from "vitest";

import { assertRowValue } from "./row-value.ts";

const json = fc.jsonValue({ noUnicodeString: false }).map((value) => dropPrototypes(value));

/** Zeros without a sign and members without the one refused name. */
function dropPrototypes(value: unknown): unknown {
  if (Object.is(value, -0)) return 0;
  if (typeof value === "string") return value.toWellFormed();
  if (Array.isArray(value)) return value.map(dropPrototypes);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value)
    .filter(([name]) => name !== "__proto__")
    .map(([name, member]) => [name.toWellFormed(), dropPrototypes(member)]);
  return Object.fromEntries(members);
}

test("JSON is taken, and comes back from its bytes as it went", () => {
  fc.assert(
    fc.property(json, (value) => {
      expect(() => assertRowValue(value)).not.toThrow();
      expect(decodeMessagePack(encodeMessagePack(value))).toEqual(value);
    }),
    propertySettings(300),
  );
});

test.each([
  undefined,
  Number.NaN,
  Infinity,
  1n,
  Symbol("a"),
  () => 1,
  new Date(0),
  new Map(),
  Buffer.from("a"),
  [undefined],
  // eslint-disable-next-line no-sparse-arrays -- a hole is what is refused
  [1, , 2],
  { a: undefined },
  { a: [{ b: Number.NaN }] },
  JSON.parse('{"__proto__":1}') as unknown,
  "\ud800",
  { "\udc00": 1 },
])("%s is refused", (value) => {
  expect(() => assertRowValue(value)).toThrow(TypeError);
});

test("what is nested too deep or in itself is refused", () => {
  const loop: unknown[] = [];
  loop.push(loop);
  expect(() => assertRowValue(loop)).toThrow(TypeError);
  let deep: unknown = 1;
  for (let level = 0; level < 101; level += 1) deep = [deep];
  expect(() => assertRowValue(deep)).toThrow(TypeError);
});
