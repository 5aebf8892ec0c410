/** Scenarios of a projection: they pass for the rows it makes, and for no others. */
import { AssertionError } from "node:assert";

import { created, invalidated, updated } from "@sennit/core";
import { expect, test } from "vitest";

import { defineProjection } from "../projection.ts";
import { given } from "./given-events.ts";

const names = defineProjection({
  name: "names",
  version: 1,
  tables: ["name", "changes"],
  apply(event, rows) {
    if (event.type === "record.invalidated") throw new Error("not this one");
    if (event.type === "record.created") rows.put("name", [event.data.name], event.recordId);
    else rows.put("changes", [event.recordId, event.position], null);
  },
});
const story = given(names, created("b", { kind: "k", name: "B" })).when(
  created("a", { kind: "k", name: "A" }),
);

test("the rows given and no others pass", async () => {
  await story.thenRows({
    name: [
      [["A"], "a"],
      [["B"], "b"],
    ],
    changes: [],
  });
  await story.when(updated("a", { name: "C" })).thenRows({ changes: [[["a", 3], null]] });
  expect((await story.rows()).get("name", ["B"])).toBe("b");
});

test("a row that is missing, another one or one too many fails", async () => {
  for (const name of [
    [],
    [[["A"], "a"]],
    [
      [["A"], "a"],
      [["B"], "a"],
    ],
  ] as const) {
    await expect(story.thenRows({ name })).rejects.toThrow(AssertionError);
  }
});

test("a projection is expected to fail where it does, and not elsewhere", async () => {
  const fails = story.when(invalidated("a", { cause: "wrong" }));
  await fails.thenFailsAt(3);
  await expect(fails.thenFailsAt(2)).rejects.toThrow(AssertionError);
  await expect(story.thenFailsAt(2)).rejects.toThrow(AssertionError);
});
