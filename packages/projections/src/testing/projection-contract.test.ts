/** The contract, held by every built-in projection and by one of a user's; and broken by one that cheats. */
import { created, invalidated, updated, type RecordedEvent } from "@sennit/core";
import { expect, test } from "vitest";

import { defineProjection, type ProjectionDefinition } from "../projection.ts";
import { builtInProjections } from "../read-models/built-in.ts";
import { givenEvents } from "./given-events.ts";
import { runProjectionContract, type ProjectionHistory } from "./projection-contract.ts";
import { sampleHistories } from "./samples.ts";
import { foldInPieces } from "./split-fold.ts";

/** Valid records per actor and type, and the last record of each: rows that are read, replaced and deleted. */
const activity = defineProjection({
  name: "activity",
  version: 1,
  tables: ["count", "last"],
  apply({ type, recordId, position, actor = "nobody" }, rows) {
    const count = rows.get("count", [actor, type]) as { readonly events: number } | undefined;
    rows.put("count", [actor, type], { events: (count?.events ?? 0) + 1 });
    if (type === "record.invalidated") rows.delete("last", [recordId]);
    else rows.put("last", [recordId], [position, type]);
  },
});

const story: ProjectionHistory = [
  [created("a", { kind: "k", name: "a", tags: { constructor: 1, n: 1 } }, { actor: "x" })],
  [
    updated("a", { name: "b", tags: { n: "1", toString: true } }),
    updated("a", { tags: { n: null, constructor: 2 } }),
    created(
      "c",
      { kind: "k", name: "b", derivedFrom: [{ recordId: "d" }] },
      {
        unknownSources: "placeholder",
      },
    ),
  ],
  [created("d", { kind: "late", name: "d" }), updated("a", { tags: null })],
  [
    invalidated("d", { cause: "wrong" }),
    created("e", { kind: "k", name: "\u{1f9f6}", tags: { z: "" } }),
  ],
];
const histories = [[], story, ...(await sampleHistories(6))];

for (const definition of builtInProjections) {
  runProjectionContract(definition.name, definition, histories);
}
runProjectionContract("activity", activity, histories);

test("the rows made of events can be looked at", async () => {
  const rows = await givenEvents(activity, story.flat());
  expect(rows.get("count", ["x", "record.created"])).toEqual({ events: 1 });
  expect(rows.get("last", ["a"])).toEqual([7, "record.updated"]);
  expect(rows.get("last", ["d"])).toBeUndefined();
});

test("the state hash tells apart rows, their order, and rows from their absence", async () => {
  const all = [[], ["a1"], ["b1"], ["a2"], ["a1", "a2"], ["a2", "a1"], ["-1"], ["a1", "-1"]];
  const hashes = await Promise.all(all.map(hashOf));
  expect(new Set(hashes).size).toBe(all.length);
  expect(await hashOf(["a1", "a2"])).toBe(hashes[4]);
});

test("a projection that changes its event breaks the contract", async () => {
  const cheat: ProjectionDefinition = {
    ...activity,
    apply: (event) => {
      (event as { version: number }).version = 2;
    },
  };
  await expect(foldInPieces(cheat, [eventAt(1)], new Set(), "one by one")).rejects.toThrow(
    TypeError,
  );
});

/** The state hash after putting rows, or deleting those with a minus. */
async function hashOf(keys: readonly string[]): Promise<string> {
  const definition: ProjectionDefinition = {
    name: "keys",
    version: 1,
    tables: ["a", "b"],
    apply: (_event, rows) => {
      for (const key of keys) {
        if (key.startsWith("-")) rows.delete("a", [key.slice(1)]);
        else rows.put(key.startsWith("b") ? "b" : "a", [key.slice(1)], null);
      }
    },
  };
  return (await foldInPieces(definition, [eventAt(1)], new Set(), "one by one")).stateHash;
}

function eventAt(position: number): RecordedEvent {
  return {
    position,
    id: `00000000-0000-7000-8000-00000000000${position}`,
    recordId: `r-${position}`,
    version: 1,
    recordedAt: "2026-03-02T10:00:00.000000Z",
    hash: "",
    type: "record.created",
    data: { kind: "k", name: "n" },
  };
}
