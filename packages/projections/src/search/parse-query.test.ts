/** Queries as text: what each term means, and where a wrong one is wrong. */
import { isStoreError, limits } from "@sennit/core";
import { propertySettings } from "@sennit/core/testing";
import * as fc from "fast-check";
import { expect, test } from "vitest";

import { fieldNames } from "./fields.ts";
import { parseQuery } from "./parse-query.ts";

function field(name: string, accepts: unknown, path: readonly string[] = [], isOther = false) {
  return { type: "field", field: name, path, isOther, accepts };
}

function equal(text: string, other?: number | boolean | null) {
  return { type: "equal", text, ...(other !== undefined && { other }) };
}

test("terms beside each other must all hold, or binds less, and parentheses bind most", () => {
  const [a, b, c] = ["a", "b", "c"].map((word) => ({ type: "word", pieces: ["", word, ""] }));
  expect(parseQuery("a b")).toEqual({ type: "and", parts: [a, b] });
  expect(parseQuery("a and b")).toEqual(parseQuery("a b"));
  expect(parseQuery("a b OR c")).toEqual({
    type: "or",
    parts: [{ type: "and", parts: [a, b] }, c],
  });
  expect(parseQuery("a (b or c)")).toEqual({
    type: "and",
    parts: [a, { type: "or", parts: [b, c] }],
  });
  expect(parseQuery("((a))")).toEqual(a);
  expect(parseQuery("-a")).toEqual({ type: "not", part: a });
  expect(parseQuery("not -a")).toEqual(a);
  expect(parseQuery("-(a b)")).toEqual({ type: "not", part: { type: "and", parts: [a, b] } });
  expect(parseQuery("  ")).toEqual({ type: "and", parts: [] });
});

test.each([
  ["kind:model", field("kind", equal("model"))],
  ["name:bragg*", field("name", { type: "like", pieces: ["bragg", ""] })],
  ["name:*nn", field("name", { type: "like", pieces: ["", "nn"] })],
  ["name:*agg*", field("name", { type: "like", pieces: ["", "agg", ""] })],
  ['name:"two *"*', field("name", { type: "like", pieces: ["two *", ""] })],
  ["tag.draft", field("tag", { type: "any" }, ["draft"])],
  ["tag.loss=0.10", field("tag", equal("0.10", 0.1), ["loss"])],
  ['tag.loss="0.10"', field("tag", equal("0.10"), ["loss"])],
  ["tag.run=007", field("tag", equal("007"), ["run"])],
  ["tag.a.b=true", field("tag", equal("true", true), ["a.b"])],
  ['tag."my key"!=x', field("tag", equal("x"), ["my key"], true)],
  ["attr.a.0=null", field("attr", equal("null", null), ["a", "0"])],
  ['attr.a."b.c".d', field("attr", { type: "any" }, ["a", "b.c", "d"])],
  ["tag.n=1..2", field("tag", interval([1, true], [2, true]), ["n"])],
  ["tag.n=..2", field("tag", interval(undefined, [2, true]), ["n"])],
  ["tag.n=-1..", field("tag", interval([-1, true], undefined), ["n"])],
  ["tag.n=a..b", field("tag", equal("a..b"), ["n"])],
  ['tag.n=".."', field("tag", equal(".."), ["n"])],
  ["id:..", field("id", equal(".."))],
  ["tag.n<2", field("tag", interval(undefined, [2, false]), ["n"])],
  ['tag.n>="2"', field("tag", interval(["2", true], undefined), ["n"])],
  ["version>1", field("version", interval([1, false], undefined))],
  ["position:7", field("position", interval([7, true], [7, true]))],
  ["from:a@2", field("from", { type: "source", ref: "a", version: 2 })],
  ["status!=stale", { type: "not", part: field("status", equal("stale")) }],
  ["tag.note=a=b:c", field("tag", equal("a=b:c"), ["note"])],
  ['name:"say \\"hi\\""', field("name", equal('say "hi"'))],
  ['"or"', { type: "word", pieces: ["", "or", ""] }],
  ["x*Y", { type: "word", pieces: ["x", "y"] }],
])("%s", (text, expected) => {
  expect(parseQuery(text)).toEqual(expected);
});

function interval(from?: [number | string, boolean], to?: [number | string, boolean]) {
  const bound = (end: [number | string, boolean]) => ({ value: end[0], isInclusive: end[1] });
  return { type: "interval", ...(from && { from: bound(from) }), ...(to && { to: bound(to) }) };
}

test("a date is the whole day, a time one instant", () => {
  const day = Date.UTC(2026, 2, 1) * 1000;
  const lastUs = day + 86_400_000_000 - 1;
  const cases: [string, unknown][] = [
    ["recorded:2026-03-01", interval([day, true], [lastUs, true])],
    ["recorded<2026-03-01", interval(undefined, [day, false])],
    ["recorded<=2026-03-01", interval(undefined, [lastUs, true])],
    ["recorded>2026-03-01", interval([lastUs, false], undefined)],
    ["recorded>=2026-03-01", interval([day, true], undefined)],
    ["recorded:2026-03-01..2026-03-01", interval([day, true], [lastUs, true])],
    ["recorded=2026-03-01T00:00:00Z", interval([day, true], [day, true])],
  ];
  for (const [text, accepts] of cases) expect(parseQuery(text)).toEqual(field("recorded", accepts));
});

function problemOf(text: string): { readonly at: number; readonly length: number } {
  try {
    parseQuery(text);
  } catch (error) {
    if (isStoreError(error) && error.code === "query-invalid") {
      return error.details as unknown as { at: number; length: number };
    }
    throw error;
  }
  throw new Error(`${text} was taken`);
}

test.each([
  ["kind:model knd:x", 11, 3],
  ["loss:3", 0, 4],
  ["tag:x", 0, 3],
  ["=5", 0, 1],
  ["kind>5", 4, 1],
  ["status<valid", 6, 1],
  ["uri!=x", 3, 2],
  ["from!=x", 4, 2],
  ["kind:", 5, 0],
  ["tag.=1", 0, 4],
  ["attr.a..b=1", 0, 9],
  ["status:old", 7, 3],
  ["recorded>=banana", 10, 6],
  ["recorded>=2026-02-30", 10, 10],
  ["version>abc", 8, 3],
  ["position=1..x", 9, 4],
  ["tag.loss<true", 9, 4],
  ["tag.loss<.5", 9, 2],
  ["tag.loss<a*", 9, 2],
  ["from:a*", 5, 2],
  ['name:"open', 5, 5],
  ["(a", 0, 1],
  ["a (", 2, 1],
  ["a)", 1, 1],
  ["()", 1, 1],
  ["a or", 4, 1],
  ["or a", 0, 2],
  ["a -", 3, 1],
  ["a - b", 2, 1],
  ["name:f(x)", 0, 7],
  ["kind:a kind:b", 7, 6],
  ["kind:a (tag.x=1 tag.x=2)", 16, 7],
  ["(kind:a x) kind:b", 11, 6],
  ["kind:a (x (y kind:b))", 13, 6],
  ["kind:a -(-(x kind:b))", 13, 6],
  ["tag.z:..", 6, 2],
  ["attr.z!=..", 8, 2],
  ["tag.z<..", 6, 2],
  ["position:..", 9, 2],
  ["recorded=..", 9, 2],
])("in %s the place is %i, %i long", (text, at, length) => {
  expect(problemOf(text)).toMatchObject({ query: text, at, length });
});

test("a message shows the query with carets under the place, also behind wide characters", () => {
  expect(() => parseQuery("kind:モデル version>abc")).toThrow(
    ["  kind:モデル version>abc", "                      ^^^"].join("\n"),
  );
  expect(() => parseQuery("a\tb version>abc")).toThrow(
    ["  a b version>abc", "              ^^^"].join("\n"),
  );
});

test("a long query is shown around the place", () => {
  const long = "word ".repeat(40);
  expect(() => parseQuery(`${long}version>abc ${long}`)).toThrow(
    /\n {2}….*version>abc.*…\n +\^{3}$/,
  );
});

test("the nearest field is named", () => {
  expect(() => parseQuery("knd:model")).toThrow(
    expect.objectContaining({ hint: expect.stringContaining("Did you mean kind?") }),
  );
  expect(() => parseQuery("tags:model")).toThrow(
    expect.objectContaining({ hint: expect.stringContaining("Did you mean tag.?") }),
  );
});

test("a query may be as long and as deep as the limits say, and no more", () => {
  const deep = (levels: number) => `${"(".repeat(levels)}a${")".repeat(levels)}`;
  expect(parseQuery(deep(limits.queryDepthMax))).toEqual(parseQuery("a"));
  expect(problemOf(deep(limits.queryDepthMax + 1)).at).toBe(limits.queryDepthMax);
  const long = (bytes: number) => "é".repeat(bytes / 2);
  expect(() => parseQuery(long(limits.queryBytesMax))).not.toThrow();
  expect(problemOf(long(limits.queryBytesMax + 2)).at).toBe(0);
  expect(problemOf("-".repeat(limits.queryBytesMax)).at).toBe(limits.queryBytesMax);
  expect(problemOf("(".repeat(limits.queryBytesMax)).at).toBe(limits.queryDepthMax);
  expect(problemOf(`a \ud800`)).toMatchObject({ at: 2 });
});

test("any text is a query or refused at a place inside it", async () => {
  const piece = fc.constantFrom(
    ...fieldNames,
    ...["(", ")", "-", " ", '"', "*", "..", "=", "!=", "<", ">=", ":", "!", "or", "and"],
    ...["not", "1", "2026-03-01", "a", "\\", "\u0000", "😀", "\ud800", "."],
  );
  const text = fc.oneof(
    fc.array(piece).map((pieces) => pieces.join("")),
    fc.string({ unit: "binary" }),
  );
  await fc.assert(
    fc.asyncProperty(text, async (query) => {
      try {
        parseQuery(query);
      } catch (error) {
        if (!isStoreError(error)) throw error;
        const { at, length } = error.details as { at: number; length: number };
        expect(error.code).toBe("query-invalid");
        expect(at).toBeGreaterThanOrEqual(0);
        expect(length).toBeGreaterThanOrEqual(0);
        expect(at).toBeLessThanOrEqual(query.length);
      }
    }),
    propertySettings(1000),
  );
});

test("a term without a value is told with the whole of its field", () => {
  const refusal = (query: string) => {
    try {
      return parseQuery(query);
    } catch (error) {
      return isStoreError(error) ? error.message : error;
    }
  };
  expect(refusal("tag.loss<")).toContain("tag.loss<");
});
