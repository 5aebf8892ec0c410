/** The candidates created first, against all of them in order. */
import * as fc from "fast-check";
import { expect, test } from "vitest";

import { inOrder } from "../read-models/record-spans.ts";
import { FirstCandidates } from "./first-candidates.ts";

test("none is missing up to where it says, however many come, in whatever order and how often", () => {
  const numbers = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 200 });
  fc.assert(
    fc.property(numbers, fc.integer({ min: 1, max: 20 }), (created, most) => {
      const all = created.map((position) => ({ recordId: `r-${position}`, created: position }));
      const first = new FirstCandidates(most);
      for (const candidate of all) first.add(candidate);
      const found = first.inOrder();
      expect(found).toEqual(inOrder(all).filter(({ created: at }) => at <= first.until));
      expect(found.length).toBeLessThan(2 * most);
      if (first.until < Infinity) expect(found.length).toBeGreaterThanOrEqual(most);
    }),
  );
});
