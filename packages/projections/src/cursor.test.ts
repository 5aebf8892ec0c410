/** Cursors speak for one query and one position, and nothing else is one. */
import { codeOf, propertySettings } from "@sennit/core/testing";
import * as fc from "fast-check";
import { expect, test } from "vitest";

import { formatCursor, parseCursor } from "./cursor.ts";
import { compileQuery, type ListQuery } from "./list-query.ts";

const query = { kind: "model", tags: { stage: "prod" } };
const cursor = { asOf: 12, after: 7 };
const storeId = "0198";

function cursorOf(asked: string | ListQuery): string {
  return formatCursor(cursor, { query: compileQuery(asked), storeId });
}

test("a cursor is read back with its query, whether empty members are left out or not", () => {
  const text = cursorOf(query);
  expect(parseCursor(text, query, storeId)).toEqual(cursor);
  expect(parseCursor(text, { ...query, words: [], status: undefined }, storeId)).toEqual(cursor);
});

test.each([
  { kind: "model" },
  { kind: "model", tags: { stage: "test" } },
  { ...query, words: ["a"] },
  { ...query, status: "valid" as const },
  {},
  "kind:model",
  "kind:model or tag.stage=prod",
])("a cursor is refused with the other query %j", async (other) => {
  const text = cursorOf(query);
  expect(await codeOf(() => parseCursor(text, other, storeId))).toBe("cursor-invalid");
});

test("the text and the object that ask the same share their cursors", () => {
  expect(parseCursor(cursorOf(query), "kind:model  tag.stage:prod", storeId)).toEqual(cursor);
});

test("a cursor is refused with another store", async () => {
  const text = cursorOf(query);
  expect(await codeOf(() => parseCursor(text, query, "0199"))).toBe("cursor-invalid");
});

test("text that is no cursor is refused", async () => {
  const digest = JSON.parse(Buffer.from(cursorOf(query), "base64url").toString())[2];
  const forged = [
    [-1, 0, digest],
    [1.5, 0, digest],
    ["1", 0, digest],
    [1, 0],
    { asOf: 1 },
    null,
  ].map((value) => Buffer.from(JSON.stringify(value)).toString("base64url"));
  for (const text of ["", "no cursor", "W10", "ff", ...forged]) {
    expect([text, await codeOf(() => parseCursor(text, query, storeId))]).toEqual([
      text,
      "cursor-invalid",
    ]);
  }
});

test("no random text is taken for a cursor", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "binary" }), async (text) => {
      expect(await codeOf(() => parseCursor(text, query, storeId))).toBe("cursor-invalid");
    }),
    propertySettings(200),
  );
});
