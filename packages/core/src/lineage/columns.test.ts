/** Columns refuse what they cannot hold instead of holding something else. */
import { expect, test } from "vitest";

import { Uint32Column } from "./columns.ts";

test("a column holds the largest 32-bit number and refuses the next one", () => {
  const column = new Uint32Column();
  column.set(5000, 0xffff_ffff);
  expect(column.get(5000)).toBe(0xffff_ffff);
  expect(column.get(4999)).toBe(0);
  expect(() => column.set(0, 2 ** 32)).toThrow(
    expect.objectContaining({ code: "lineage-too-large" }),
  );
  expect(column.get(0)).toBe(0);
});

test("a column says that there is no room for more", () => {
  expect(() => new Uint32Column().reserve(2 ** 40)).toThrow(
    expect.objectContaining({ code: "lineage-too-large" }),
  );
});
