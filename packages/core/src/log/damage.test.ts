/** What is said of damage found at opening. */
import { expect, test } from "vitest";

import { missing } from "./damage.ts";

test("one missing position is not spoken of as a range", () => {
  expect(missing(4004, 4004)).toBe("position 4004 is missing");
  expect(missing(4003, 4004)).toBe("positions 4003 to 4004 are missing");
});
