/** The leaderboard: who is on it, since when, and that it holds the contract of projections. */
import { created, invalidated, replaced, updated } from "@sennit/core";
import { given, runProjectionContract } from "@sennit/projections/testing";
import { expect, test } from "vitest";

import { modelLeaderboard, readLeaderboard } from "./model-leaderboard.ts";
import { readAsOf, week } from "./open-example.ts";

const first = created("a", { kind: "model", name: "A", tags: { loss: 0.3 } });
const second = created("b", { kind: "model", name: "B", tags: { loss: 0.2 } });

runProjectionContract("model-leaderboard", modelLeaderboard, [[], week.map((event) => [event])]);

test("a model enters the board with its loss, and what is no model or has none does not", async () => {
  const rows = given(modelLeaderboard, first, second)
    .when(
      created("data", { kind: "dataset", name: "D", tags: { loss: 0.1 } }),
      created("c", { kind: "model", name: "C" }),
      created("d", { kind: "model", name: "D", tags: { loss: "0.1" } }),
    )
    .thenRows({
      board: [
        [
          [0.2, "b", 2],
          ["B", null],
        ],
        [
          [0.3, "a", 1],
          ["A", null],
        ],
      ],
    });
  await expect(rows).resolves.toBeUndefined();
});

test("a better loss moves a model, and its earlier stay ends there", async () => {
  const rows = given(modelLeaderboard, first)
    .when(updated("a", { tags: { loss: 0.1 } }), updated("a", { attributes: { note: 1 } }))
    .thenRows({
      board: [
        [
          [0.1, "a", 2],
          ["A", null],
        ],
        [
          [0.3, "a", 1],
          ["A", 2],
        ],
      ],
      model: [[["a"], ["A", 0.1, 3, 2]]],
    });
  await expect(rows).resolves.toBeUndefined();
});

test("a model leaves when it is withdrawn or loses its loss, and comes back with new content", async () => {
  const scenario = given(modelLeaderboard, first, second).when(
    invalidated("a", { cause: "wrong" }),
    updated("b", { tags: null }),
    updated("a", { name: "A2" }),
    replaced("b", { kind: "model", name: "B2", tags: { loss: 0.4 } }),
    invalidated("b", { cause: "the old ones", versions: { from: 1, to: 3 } }),
  );
  const rows = await scenario.rows();
  const boardAt = async (position: number) =>
    (await readLeaderboard(rows, position)).map(({ name, loss, since }) => [name, loss, since]);
  expect(await boardAt(2)).toEqual([
    ["B", 0.2, 2],
    ["A", 0.3, 1],
  ]);
  expect(await boardAt(3)).toEqual([["B", 0.2, 2]]);
  expect(await boardAt(4)).toEqual([]);
  expect(await boardAt(5)).toEqual([["A2", 0.3, 5]]);
  expect(await boardAt(7)).toEqual([["A2", 0.3, 5]]);
  expect(await readLeaderboard(rows, 6, 1)).toHaveLength(1);
});

test("the board of the week as of any position of it", async () => {
  const now = await readAsOf(modelLeaderboard, [], readLeaderboard);
  expect(now).toEqual([{ recordId: "wide", name: "wide", loss: 0.12, since: 7 }]);
  const rows = await given(modelLeaderboard, ...week).rows();
  const namesAsOf = async (position: number) =>
    (await readLeaderboard(rows, position)).map(({ name }) => name);
  expect(await namesAsOf(5)).toEqual(["deep", "wide", "first"]);
  expect(await namesAsOf(6)).toEqual(["wide", "first"]);
});
