/** Ids and refs: what is one, what is none, and what ids made by the store carry. */
import * as fc from "fast-check";
import { expect, test } from "vitest";

import {
  decodeUuid,
  encodeUuid,
  formatRef,
  idTail,
  isEventId,
  newEventId,
  parseRef,
  positionOfStoreId,
  recordIdProblem,
  storeEventId,
} from "./ids.ts";
import { codeOf } from "./testing/storage-contract.ts";

test.each([
  "a",
  "RUN/STREAM",
  "ä",
  "a@b",
  "a@",
  "@",
  "a b",
  "x".repeat(512),
  "日".repeat(170),
  "a@1b",
])("%s is a record id", (id) => {
  expect(recordIdProblem(id)).toBeUndefined();
});

test.each([
  ["", 1, null, undefined, {}, ["a"]],
  ["a\n", "a\u0000", "a\u007f", "a\u009f", "a\ud800", "\udc00a"],
  ["x".repeat(513), "日".repeat(171), "a@1", "a@007"],
])("what is empty, ill-formed, too long or ends like a version is no record id", (...values) => {
  for (const value of values) expect(recordIdProblem(value)).toBeTypeOf("string");
});

test("a ref is an id with or without a version", () => {
  expect(parseRef("a")).toEqual({ target: "a" });
  expect(parseRef("a@3")).toEqual({ target: "a", version: 3 });
  expect(parseRef("a@b@12")).toEqual({ target: "a@b", version: 12 });
  expect(parseRef("model/braggnn")).toEqual({ target: "model/braggnn" });
  expect(formatRef({ recordId: "a@b", version: 4 })).toBe("a@b@4");
});

test.each(["", "@1", "a@0", "a@4294967296", "a@1@2", "a\n"])("%j is no ref", async (text) => {
  expect(await codeOf(() => parseRef(text))).toBe("ref-invalid");
});

test("an event id is a UUID in lower case", () => {
  expect(isEventId("0198c2f0-7c3a-7b1e-8f00-5d2a9c1b4e77")).toBe(true);
  for (const value of [
    "0198C2F0-7c3a-7b1e-8f00-5d2a9c1b4e77",
    "0198c2f07c3a7b1e8f005d2a9c1b4e77",
    "",
    1,
    null,
  ])
    expect(isEventId(value)).toBe(false);
});

test("new event ids are UUIDv7 of their time, and differ", () => {
  const ids = Array.from({ length: 1000 }, () => newEventId(1_772_445_600_123));
  expect(new Set(ids).size).toBe(1000);
  for (const id of ids) {
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16)).toBe(1_772_445_600_123);
  }
});

test("an id made by the store carries its position and its tail", () => {
  fc.assert(
    fc.property(
      fc.nat({ max: 2 ** 47 }),
      fc.integer({ min: 1, max: 2 ** 48 - 1 }),
      fc.nat({ max: 2 ** 26 - 1 }),
      (timeMs, position, tail) => {
        const id = storeEventId(timeMs, position, tail);
        expect(isEventId(id)).toBe(true);
        expect(id[14]).toBe("7");
        expect("89ab").toContain(id[19]);
        expect(positionOfStoreId(id)).toBe(position);
        expect(idTail(id)).toBe(tail);
        expect(decodeUuid(encodeUuid(id))).toBe(id);
      },
    ),
  );
});

test("ids that the store cannot have made carry no position", () => {
  expect(positionOfStoreId("00000000-0000-4000-8000-000000000001")).toBeUndefined();
  expect(positionOfStoreId("00000000-0000-7000-0000-000000000001")).toBeUndefined();
  expect(positionOfStoreId("00000000-0000-7000-c000-000000000001")).toBeUndefined();
  expect(positionOfStoreId("00000000-0000-7000-8000-000000000001")).toBeUndefined();
});
