/** The activity report: counts that are those of any position, and the contract of projections. */
import { created, openStore } from "@sennit/core";
import { codeOf, withTemporaryDirectory } from "@sennit/core/testing";
import { given, runProjectionContract } from "@sennit/projections/testing";
import { expect, test } from "vitest";

import { actorActivity, readActivity } from "./actor-activity.ts";
import { readAsOf, week } from "./open-example.ts";

runProjectionContract("actor-activity", actorActivity, [[], week.map((event) => [event])]);

test("each event adds to the counts of its actor", async () => {
  const rows = given(actorActivity, created("a", { kind: "k", name: "a" }, { actor: "ana" }))
    .when(
      created("b", { kind: "k", name: "b" }),
      created("c", { kind: "k", name: "c" }, { actor: "ana" }),
    )
    .thenRows({
      counts: [
        [
          ["", 2],
          [1, 0, 0, 1, 2],
        ],
        [
          ["ana", 1],
          [1, 0, 0, 1, 1],
        ],
        [
          ["ana", 3],
          [2, 0, 0, 2, 1],
        ],
      ],
    });
  await expect(rows).resolves.toBeUndefined();
});

test("the report of the week as of any position of it", async () => {
  const rows = await given(actorActivity, ...week).rows();
  expect(await readActivity(rows, 3)).toMatchObject([
    { actor: "maria", created: 2, records: 2 },
    { actor: "otto", created: 1, firstPosition: 3, lastPosition: 3 },
  ]);
  expect(await readActivity(rows, 0)).toEqual([]);
  expect(await readAsOf(actorActivity, [], readActivity)).toEqual([
    {
      actor: "maria",
      created: 2,
      updated: 2,
      invalidated: 1,
      records: 3,
      firstPosition: 1,
      lastPosition: 8,
    },
    {
      actor: "otto",
      created: 2,
      updated: 1,
      invalidated: 0,
      records: 2,
      firstPosition: 3,
      lastPosition: 7,
    },
  ]);
});

test("a report of a store in a directory speaks for the instant asked for", async () => {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(directory);
    for (const event of week) await store.append([event]);
    await store.label("midweek", 3);
    await store.close();
    const report = await readAsOf(actorActivity, [directory, "midweek"], readActivity);
    expect(report.map(({ actor, lastPosition }) => [actor, lastPosition])).toEqual([
      ["maria", 2],
      ["otto", 3],
    ]);
    const refused = () => readAsOf(actorActivity, [directory, "never"], readActivity);
    expect(await codeOf(refused)).toBe("label-not-found");
  });
});
