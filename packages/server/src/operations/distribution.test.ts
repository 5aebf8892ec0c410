/** What a distribution tells: buckets that each hold those before, in the text format of Prometheus. */
import { expect, test } from "vitest";

import { Distribution } from "./distribution.ts";

test("a value counts in every bucket whose bound it does not exceed, and with its labels alone", () => {
  const sizes = new Distribution("sizes", "How large", [1, 2.5]);
  const even = sizes.series('is="even"');
  for (const value of [0, 2, 4]) even.observe(value);
  sizes.series('is="odd"').observe(1);
  expect(sizes.series('is="even"')).toBe(even);
  expect(sizes.text().split("\n")).toEqual([
    "# HELP sizes How large",
    "# TYPE sizes histogram",
    'sizes_bucket{is="even",le="1"} 1',
    'sizes_bucket{is="even",le="2.5"} 2',
    'sizes_bucket{is="even",le="+Inf"} 3',
    'sizes_sum{is="even"} 6',
    'sizes_count{is="even"} 3',
    'sizes_bucket{is="odd",le="1"} 1',
    'sizes_bucket{is="odd",le="2.5"} 1',
    'sizes_bucket{is="odd",le="+Inf"} 1',
    'sizes_sum{is="odd"} 1',
    'sizes_count{is="odd"} 1',
    "",
  ]);
});

test("without labels there are figures before there is a value", () => {
  const sizes = new Distribution("sizes", "How large", [1]);
  sizes.series("");
  expect(sizes.text()).toContain(
    'sizes_bucket{le="1"} 0\nsizes_bucket{le="+Inf"} 0\nsizes_sum 0\nsizes_count 0\n',
  );
});
