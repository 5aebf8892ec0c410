/** File names: each is one name of every file system, and no two texts share one. */
import * as fc from "fast-check";
import { expect, test } from "vitest";

import { propertySettings } from "@sennit/core/testing";

import { safeName } from "./safe-name.ts";

const hostile = [
  "",
  ".",
  "..",
  "../../x",
  "/etc/passwd",
  "C:\\x",
  "a/b",
  "a\\b",
  "CON",
  "con",
  "con.txt",
  "COM1",
  "lpt9.json",
  "nul",
  "a.",
  "a ",
  " a",
  ".a",
  "a:b",
  "a*b?",
  "A",
  "a",
  "ß",
  "SS",
  "\u00e9",
  "e\u0301",
  "\u{1f9f6}",
  "x".repeat(512),
  "x".repeat(511),
  "-",
  "a~b",
  `a~${"0".repeat(40)}`,
  "record.json",
];

test("plain names stay as they are", () => {
  for (const name of ["cfg-1", "model_3", "v1.2", "0198c2f0-7c3a", "-"]) {
    expect(safeName(name)).toBe(name);
  }
});

test("a name that is none still says what it can", () => {
  expect(safeName("Model/BraggNN v3")).toMatch(/^model-braggnn-v3~[0-9a-f]{40}$/);
  expect(safeName("../../x")).toMatch(/^x~[0-9a-f]{40}$/);
  expect(safeName("CON")).toMatch(/^~[0-9a-f]{40}$/);
});

/** What every file system takes as one name, alike in both cases. */
function expectOneName(name: string): void {
  expect(name).toMatch(/^[a-z0-9_~-]+(?:\.[a-z0-9_-]+)*$/);
  expect(name.length).toBeLessThanOrEqual(81);
  expect(name).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/);
}

test("hostile names neither lead elsewhere nor meet one another", () => {
  const names = hostile.map(safeName);
  for (const name of names) expectOneName(name);
  expect(new Set(names).size).toBe(hostile.length);
});

test("any two texts have two names", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 600 }),
    fc.string({ unit: fc.constantFrom("a", "A", ".", "~", "-", "/", "0"), maxLength: 5 }),
    fc.constantFrom(...hostile),
  );
  fc.assert(
    fc.property(text, text, (one, other) => {
      expectOneName(safeName(one));
      expect(safeName(one) === safeName(other)).toBe(one === other);
    }),
    propertySettings(2000),
  );
});
