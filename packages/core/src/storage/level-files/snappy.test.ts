/** Snappy is undone as its format describes it, and what is no Snappy is refused. */
import { expect, test } from "vitest";

import { unsnappy } from "./snappy.ts";

function text(...bytes: readonly (number | string)[]): string {
  const parts = bytes.map((part) =>
    typeof part === "string" ? Buffer.from(part) : Buffer.from([part]),
  );
  return Buffer.from(unsnappy(Buffer.concat(parts))).toString();
}

test("literals of every length and copies of every kind are put together", () => {
  expect(text(3, 2 << 2, "abc")).toBe("abc");
  // A literal whose length stands in one byte, in two bytes.
  expect(text(70, 60 << 2, 69, "x".repeat(70))).toBe("x".repeat(70));
  expect(text(0xac, 0x02, 61 << 2, 0x2b, 0x01, "y".repeat(300))).toBe("y".repeat(300));
  // Copies with the distance in eleven bits, in two bytes and in four bytes.
  expect(text(8, 3 << 2, "abcd", 1, 4)).toBe("abcdabcd");
  expect(text(8, 3 << 2, "abcd", (3 << 2) | 2, 4, 0)).toBe("abcdabcd");
  expect(text(8, 3 << 2, "abcd", (3 << 2) | 3, 4, 0, 0, 0)).toBe("abcdabcd");
  // A copy that reads what it has just written.
  expect(text(9, 0, "z", (7 << 2) | 2, 1, 0)).toBe("zzzzzzzzz");
});

test.each([
  ["a literal past the end", [5, 4 << 2, 97]],
  ["a copy from before the start", [8, 0, 97, (6 << 2) | 2, 2, 0]],
  ["a copy of nothing gone back", [8, 0, 97, (6 << 2) | 2, 0, 0]],
  ["more than it says", [1, 1 << 2, 97, 98]],
  ["less than it says", [5, 0, 97]],
  ["a size beyond any block", [0xff, 0xff, 0xff, 0xff, 0x0f]],
  ["nothing", []],
])("%s is refused", (_, bytes) => {
  expect(() => unsnappy(Buffer.from(bytes))).toThrow(RangeError);
});
