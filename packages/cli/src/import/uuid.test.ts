/** Ids that follow from what they name. */
import { isEventId } from "@sennit/core";
import { expect, test } from "vitest";

import { uuidFrom } from "./uuid.ts";

test("the same text gives the same id for ever", () => {
  // A stored id must be found again by every later version, so this value never changes.
  expect(uuidFrom("abc")).toBe("ba7816bf-8f01-8fea-8141-40de5dae2223");
  expect(uuidFrom("abd")).not.toBe(uuidFrom("abc"));
});

test("an id is a UUID of version 8 and the RFC's variant", () => {
  for (let index = 0; index < 100; index += 1) {
    const id = uuidFrom(String(index));
    expect(isEventId(id)).toBe(true);
    expect(id[14]).toBe("8");
    expect("89ab").toContain(id[19]);
  }
});
