/** Keys: byte order is the order of the parts, and decoding gives the parts back. */
import { propertySettings } from "@sennit/core/testing";
import * as fc from "fast-check";
import { expect, test } from "vitest";

import { decodeKey, encodeKey, type KeyPart } from "./keys.ts";

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 6 }),
  fc.string({
    unit: fc.constantFrom("\0", "\u{1}", "a", "ÿ", "\uffff", "\u{10ffff}"),
    maxLength: 6,
  }),
);
const number = fc.oneof(
  fc.double({ noNaN: true }),
  fc.integer(),
  fc.constantFrom(0, -0, Infinity, -Infinity, 5e-324, -5e-324, Number.MAX_SAFE_INTEGER),
);
const part: fc.Arbitrary<KeyPart> = fc.oneof(fc.boolean(), number, text);
const key = fc.array(part, { maxLength: 4 });

function rank(value: KeyPart): number {
  return { boolean: 0, number: 1, string: 2 }[typeof value as "boolean" | "number" | "string"];
}

function compareParts(a: KeyPart, b: KeyPart): number {
  if (rank(a) !== rank(b)) return rank(a) - rank(b);
  if (typeof a === "string") return Buffer.compare(Buffer.from(a), Buffer.from(String(b)));
  return Number(a) < Number(b) ? -1 : Number(a) > Number(b) ? 1 : 0;
}

function compareKeys(a: readonly KeyPart[], b: readonly KeyPart[]): number {
  for (const [index, value] of a.entries()) {
    const other = b[index];
    if (other === undefined) return 1;
    const order = compareParts(value, other);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

test("the bytes of keys sort as their parts do", () => {
  fc.assert(
    fc.property(key, key, (a, b) => {
      const bytes = Math.sign(Buffer.compare(encodeKey(a), encodeKey(b)));
      expect(bytes).toBe(Math.sign(compareKeys(a, b)));
    }),
    propertySettings(2000),
  );
});

test("keys that begin alike sort by what follows", () => {
  fc.assert(
    fc.property(key, key, key, (start, a, b) => {
      const bytes = Buffer.compare(encodeKey([...start, ...a]), encodeKey([...start, ...b]));
      expect(Math.sign(bytes)).toBe(Math.sign(compareKeys(a, b)));
    }),
    propertySettings(500),
  );
});

test("decoding gives the parts back, the zeros as one", () => {
  fc.assert(
    fc.property(key, (parts) => {
      const same = parts.map((value) => (Object.is(value, -0) ? 0 : value));
      expect(decodeKey(encodeKey(parts))).toEqual(same);
    }),
    propertySettings(1000),
  );
});

test("a prefix stands before the key as it is", () => {
  const prefix = Buffer.from("ff00", "hex");
  expect(encodeKey(["a", 2], prefix)).toEqual(Buffer.concat([prefix, encodeKey(["a", 2])]));
  expect(encodeKey(["a", 2]).toString("hex")).toBe("3061000020c000000000000000");
});

test("long keys are whole", () => {
  const long = "\0é".repeat(5000);
  expect(decodeKey(encodeKey([long, 1]))).toEqual([long, 1]);
});

test("what has no place in an order is refused", () => {
  expect(() => encodeKey([Number.NaN])).toThrow(TypeError);
  expect(() => encodeKey(["\ud800"])).toThrow(TypeError);
  expect(() => encodeKey([null as unknown as string])).toThrow(TypeError);
});

test("bytes that are no key are refused", () => {
  for (const hex of ["00", "3061", "306100", "2000", "306100ff", "ff"]) {
    expect(() => decodeKey(Buffer.from(hex, "hex"))).toThrow(TypeError);
  }
});
