/** RFC 3339 text to microseconds and back. */
import * as fc from "fast-check";
import { expect, test } from "vitest";

import { formatTimestamp, parseTimestamp } from "./timestamp.ts";

test("formatting and parsing are inverse, to the microsecond, before and after the epoch", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -60_000_000_000_000_000, max: 250_000_000_000_000_000 }),
      (us) => {
        fc.pre(Number.isSafeInteger(us));
        const text = formatTimestamp(us);
        expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
        expect(parseTimestamp(text)).toBe(us);
      },
    ),
  );
});

test.each([
  ["1970-01-01T00:00:00Z", 0],
  ["1970-01-01T00:00:00.000001Z", 1],
  ["1970-01-01T00:00:00.1Z", 100_000],
  ["1970-01-01T00:00:00.123456789Z", 123_456],
  ["1970-01-01T01:00:00+01:00", 0],
  ["1969-12-31T19:00-05:00", 0],
  ["1969-12-31T23:59:59.999999Z", -1],
  ["1970-01-01t00:00:00z", 0],
  ["2024-02-29T00:00:00Z", 1_709_164_800_000_000],
])("%s is %d microseconds", (text, us) => {
  expect(parseTimestamp(text)).toBe(us);
});

test.each([
  "",
  "now",
  "2026-03-02",
  "2026-03-02T10:00:00",
  "2026-03-02 10:00:00Z",
  "2026-02-30T10:00:00Z",
  "2026-13-01T10:00:00Z",
  "2025-02-29T10:00:00Z",
  "2026-03-02T24:00:00Z",
  "2026-03-02T10:60:00Z",
  "2026-03-02T10:00:60Z",
  "2026-03-02T10:00:00.Z",
  "2026-03-02T10:00:00+24:00",
  "2026-03-02T10:00:00+0100",
  "0050-03-02T10:00:00Z",
  "2026-03-02T10:00:00Z\n",
])("%j is no time", (text) => {
  expect(parseTimestamp(text)).toBeUndefined();
});
