/** Ids and numbers: whatever the text, found again, and taken away newest first. */
import * as fc from "fast-check";
import { expect, test } from "vitest";

import { propertySettings } from "../testing/settings.ts";
import { IdTable } from "./id-table.ts";

const ids = fc.uniqueArray(
  fc.oneof(
    fc.string({ minLength: 1, maxLength: 20 }),
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 }),
    fc.nat().map((number) => `rec-${number}`),
    fc.integer({ min: 200, max: 512 }).map((length) => `${length}`.padEnd(length, "x")),
  ),
  { maxLength: 400 },
);

test("every id has the number of its turn, and is named by it, however many are taken away", () => {
  expect.hasAssertions();
  fc.assert(
    fc.property(ids, fc.nat({ max: 400 }), (all, kept) => {
      const table = new IdTable();
      const copy = new IdTable();
      for (const id of all) table.add(id);
      const expectAll = (wanted: readonly string[]) => {
        expect(table.count).toBe(wanted.length);
        for (const [number, id] of wanted.entries()) {
          expect(table.find(id)).toBe(number);
          expect(table.idAt(number)).toBe(id);
        }
      };
      expectAll(all);
      while (table.count > kept) table.removeNewest();
      expectAll(all.slice(0, kept));
      for (const id of all.slice(kept)) {
        expect(table.find(id)).toBeUndefined();
        table.add(id);
      }
      expectAll(all);
      for (const [number, id] of all.entries()) {
        copy.addBytes(Buffer.from(table.bytesAt(number)));
        expect(copy.find(id)).toBe(number);
      }
    }),
    propertySettings(60),
  );
});
