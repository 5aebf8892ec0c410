/** Which index a query is answered from, and how much is read for it. */
import {
  created,
  invalidated,
  openMemoryStore,
  updated,
  type EmbeddedStore,
  type NewEvent,
} from "@sennit/core";
import { codeOf, FakeClock } from "@sennit/core/testing";
import { expect, test } from "vitest";

import { openViews, type Views } from "../views.ts";

const records = 600;

function record(number: number): NewEvent {
  const tags = { serial: number, stage: number < 10 ? "rare" : "common" };
  const kind = number % 2 === 0 ? "even" : "odd";
  return created(`r-${number}`, { kind, name: `name ${number}`, tags, attributes: { number } });
}

async function withRecords(
  use: (views: Views, store: EmbeddedStore) => Promise<void>,
): Promise<void> {
  const clock = new FakeClock("2026-03-01T00:00:00Z");
  const store = await openMemoryStore({ clock });
  const views = await openViews(store);
  await store.append(Array.from({ length: records }, (_, number) => record(number)));
  clock.advance(86_400_000_000);
  await store.append([updated("r-7", { attributes: { again: true } }), record(records)]);
  await use(views, store);
  await views.close();
  await store.close();
}

test.each([
  ["id:r-3", "id", "", 1, 1],
  ["kind:even id:r-3", "id", "kind:even", 1, 0],
  ["tag.serial=5", "tag.serial, one value", "", 1, 1],
  ["tag.serial<5 kind:even", "tag.serial, a range of values", "kind:even", 5, 3],
  ["tag.serial=5..9", "tag.serial, a range of values", "", 5, 5],
  ["tag.stage=common tag.serial<5", "tag.serial, a range of values", "tag.stage=common", 5, 0],
  ["tag.stage=rar*", "tag.stage, a range of values", "", 10, 10],
  ["tag.stage!=common", "tag.stage, all values", "", 10, 10],
  ['name:"name 59"*', "name, a range of values", "", 11, 11],
  ["name:*99", "name, all values", "", 6, 6],
  ['AME"5"', "name, all values or id, all values", "", 0, 0],
  ["r-59", "name, all values or id, all values", "", 11, 11],
  ["tag.serial=1 or id:r-2", "tag.serial, one value or id", "", 2, 2],
  ["tag.serial=1 or attr.number=2", "all records", "tag.serial=1 or attr.number=2", 601, 2],
  ["(kind:odd tag.serial<3) or id:r-2", "tag.serial, a range of values or id", "", 3, 2],
  ["position>600", "position, by position", "", 2, 2],
  ["recorded>=2026-03-02 status:valid", "recorded, by position", "status:valid", 2, 2],
  ["created>=2026-03-02", "created, by position", "", 1, 1],
  ["recorded<2026-03-02 attr.number=7", "recorded, by position", "attr.number=7", 600, 0],
  ["-tag.serial", "all records", "-tag.serial", 601, 0],
])("%s is looked up in %s", async (query, index, filter, examined, found) => {
  await withRecords(async (views) => {
    const reader = await views.at();
    const explanation = await reader.explain(query, { limit: 10_000 });
    expect(explanation).toMatchObject({ index, filter, examined, found });
  });
});

test("what is invalid is looked up among what was withdrawn, now and as of before", async () => {
  await withRecords(async (views, store) => {
    await store.append([
      invalidated("r-3", { cause: "wrong" }),
      invalidated("r-5", { cause: "wrong" }),
    ]);
    await store.append([updated("r-5", { name: "again" }), invalidated("r-3", { cause: "more" })]);
    const explain = async (query: string, position?: number) => {
      const reader = await views.at(position === undefined ? undefined : { position });
      const { index, examined, found } = await reader.explain(query);
      return [index, examined, found];
    };
    expect(await explain("status:invalid")).toEqual(["what was withdrawn", 2, 1]);
    expect(await explain("status:invalid kind:odd", 604)).toEqual(["what was withdrawn", 2, 2]);
    expect(await explain("status:invalid", 603)).toEqual(["what was withdrawn", 1, 1]);
    expect(await explain("status:invalid", 602)).toEqual(["what was withdrawn", 0, 0]);
    expect(await explain("status!=invalid")).toEqual(["all records", 102, 100]);
  });
});

test("an or of many wide parts is not looked up part by part", async () => {
  await withRecords(async (views) => {
    const reader = await views.at();
    const or = (term: (number: number) => string, count: number) =>
      Array.from({ length: count }, (_, number) => term(number)).join(" or ");
    const indexOf = async (query: string) => (await reader.explain(query)).index;
    expect(await indexOf(or((number) => `tag.serial>${number}`, 8))).not.toBe("all records");
    expect(await indexOf(or((number) => `tag.serial>${number}`, 9))).toBe("all records");
    expect(await indexOf(or((number) => `word${number}`, 1000))).toBe("all records");
    expect(await indexOf(or((number) => `tag.serial=${number}`, 500))).not.toBe("all records");
  });
});

test("sources and staleness are looked up in the lineage", async () => {
  const store = await openMemoryStore();
  const views = await openViews(store);
  const from = (recordId: string) => ({ kind: "k", name: "n", derivedFrom: [{ recordId }] });
  const plain = Array.from({ length: 300 }, (_, number) => record(number));
  await store.append([...plain, created("d-1", from("r-1")), created("d-2", from("r-2"))]);
  await store.append([updated("r-1", { attributes: { new: true } }), created("e-1", from("r-1"))]);
  await store.append([updated("r-2", { tags: { only: "a tag" } })]);
  const explain = async (query: string, position = store.head) => {
    const { index, examined, found } = await (await views.at({ position })).explain(query);
    return [index, examined, found];
  };
  expect(await explain("from:r-1")).toEqual(["lineage", 2, 2]);
  expect(await explain("from:r-1@2")).toEqual(["lineage", 1, 1]);
  expect(await explain("from:r-1", 302)).toEqual(["lineage", 1, 1]);
  expect(await explain('from:"odd/name 1"')).toEqual(["lineage", 2, 2]);
  expect(await explain("from:nothing")).toEqual(["lineage", 0, 0]);
  expect(await explain("status:stale")).toEqual(["lineage of what has changed", 2, 1]);
  expect(await explain("status:stale", 302)).toEqual(["lineage of what has changed", 0, 0]);
  await views.close();
  await store.close();
});

test("what has ended since is examined as of an old position, and nothing of it now", async () => {
  const store = await openMemoryStore();
  const views = await openViews(store);
  const tagged = (turn: number) =>
    Array.from({ length: 50 }, (_, number) =>
      turn === 0
        ? created(`r-${number}`, { kind: "k", name: "n", tags: { turn } })
        : updated(`r-${number}`, { tags: { turn } }),
    );
  for (let turn = 0; turn < 5; turn += 1) await store.append(tagged(turn));
  const examined = async (query: string, position: number): Promise<[number, number]> => {
    const explanation = await (await views.at({ position })).explain(query);
    return [explanation.examined, explanation.found];
  };
  expect(await examined("tag.turn=0", 50)).toEqual([50, 50]);
  expect(await examined("tag.turn=0", 75)).toEqual([25, 25]);
  expect(await examined("tag.turn=0", 250)).toEqual([0, 0]);
  expect(await examined("tag.turn<=2", 250)).toEqual([0, 0]);
  expect(await examined("tag.turn=1..2", 150)).toEqual([50, 50]);
  await views.close();
  await store.close();
});

test.each(["tag.stage=common", "kind:even or kind:odd", "tag.serial>=0", "name:name*"])(
  "records leave the index of %s while it is read, and are found all the same",
  async (query) => {
    await withRecords(async (views, store) => {
      const reader = await views.at();
      const expected = (await reader.list(query, { limit: 10_000 })).records.map(({ id }) => id);
      const seen: string[] = [];
      for await (const { id } of reader.records(query)) {
        seen.push(id);
        if (seen.length % 100 !== 1) continue;
        // Both what has been read and what has not leaves, and the views have got there before the next is read.
        const moved = Array.from(
          { length: 100 },
          (_, index) => `r-${(index * 7 + seen.length) % records}`,
        );
        await store.append(moved.map((recordId) => updated(recordId, { name: "x", tags: null })));
        await views.caughtUp();
      }
      expect(expected.length).toBeGreaterThan(500);
      expect(seen).toEqual(expected);
    });
  },
);

test("a search that is no longer wanted stops", async () => {
  await withRecords(async (views) => {
    const reader = await views.at();
    const signal = AbortSignal.abort();
    expect(await codeOf(() => reader.list("kind:even", { signal }))).toBe("aborted");
    expect(await codeOf(() => reader.list("attr.number=3", { signal }))).toBe("aborted");
    expect(await codeOf(() => reader.stale({ signal }))).toBe("aborted");
  });
});
