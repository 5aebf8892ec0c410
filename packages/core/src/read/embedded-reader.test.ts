/** The reader's answers in the cases DESIGN speaks of: staleness, replay, impact, differences. */
import { expect, test } from "vitest";

import type { NewDocument } from "../event/document.ts";
import { created, replaced, updated } from "../event/event.ts";
import { openMemoryStore } from "../open-store.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { derive, eventId, make, readAll, revise, withdraw } from "../testing/samples.ts";
import { codeOf } from "../testing/storage-contract.ts";

test("S5: a restored version has the content of the old one, and the versions between stay", async () => {
  const store = await openMemoryStore();
  await store.append([created("a", { kind: "k", name: "one", attributes: { v: 1 } })]);
  await store.append([updated("a", { name: "two", attributes: { v: 2 } })]);
  const { kind, name, attributes } = await store.record("a@1");
  await store.append([
    {
      type: "record.updated",
      recordId: "a",
      data: { document: { kind, name, attributes }, restores: 1 },
    },
  ]);
  expect((await store.diff("a@1", "a@3")).changes).toEqual([]);
  expect((await store.record("a@2")).name).toBe("two");
  expect((await store.history("a")).versions).toHaveLength(3);
});

test("S5: an update that says it restores a version must hold that version's content", async () => {
  const store = await openMemoryStore();
  await store.append([make("a"), revise("a", 1)]);
  const restore = (document: NewDocument) =>
    store.append([{ type: "record.updated", recordId: "a", data: { document, restores: 1 } }]);
  const other = { kind: "thing", name: "a", attributes: { value: 2 } };
  expect(await codeOf(() => restore(other))).toBe("event-invalid");
  expect(store.head).toBe(2);
  await restore({ kind: "thing", name: "renamed", tags: { back: true } });
  expect((await store.record("a")).version).toBe(3);
});

test("S10: two stores given the same events have the same consequences and the same answers", async () => {
  const batches = [
    [make("a", [], { id: eventId(1) }), make("b", ["a"], { id: eventId(2) })],
    [make("c", ["b", "ghost"], { id: eventId(3), unknownSources: "placeholder" })],
    [withdraw("a", { id: eventId(4) }), make("d", ["c"], { id: eventId(5) })],
  ] as const;
  const stores = await Promise.all(
    [1, 2].map(() => openMemoryStore({ clock: new FakeClock("2026-03-02T10:00:00Z") })),
  );
  for (const batch of batches) for (const store of stores) await store.append(batch);
  const [first, second] = await Promise.all(
    stores.map(async (store) => ({
      given: (await readAll(store.log)).map(({ hash: _hash, ...event }) => event),
      views: [await store.record("c"), await store.record("d"), await store.lineage("c")],
    })),
  );
  expect(first).toEqual(second);
});

const content = { uris: ["u"], artifacts: [{ name: "f" }], attributes: { v: 1 } };
test.each([
  ["uris", { uris: [] }, true],
  ["artifacts", { artifacts: [] }, true],
  ["attributes", { attributes: { v: 2 } }, true],
  ["derivedFrom", { derivedFrom: [{ recordId: "other" }] }, true],
  ["name", { name: "other" }, false],
  ["tags", { tags: { t: 2 } }, false],
  ["onInvalidate", { onInvalidate: ["act"] }, false],
  ["nothing", {}, false],
])(
  "S11: a source's new %s makes what derives from it stale or not",
  async (_what, patch, stale) => {
    const store = await openMemoryStore();
    await store.append([
      make("other"),
      created("s", { kind: "k", name: "n", ...content }),
      make("d", ["s"]),
    ]);
    expect((await store.record("d")).stale).toBe(false);
    await store.append([updated("s", patch)]);
    expect(await store.record("d")).toMatchObject({ stale, status: "valid" });
  },
);

test("S11: content that comes back makes nothing stale, and a withdrawn version is not stale", async () => {
  const store = await openMemoryStore();
  await store.append([created("s", { kind: "k", name: "n", ...content }), make("d", ["s"])]);
  await store.append([revise("s", 9)]);
  expect((await store.record("d")).stale).toBe(true);
  await store.append([replaced("s", { kind: "k", name: "n", ...content })]);
  expect((await store.record("d")).stale).toBe(false);
  await store.append([revise("s", 10), withdraw("d")]);
  expect(await store.record("d")).toMatchObject({ stale: false, status: "invalid" });
});

test("S11: a placeholder is compared as the version that filled it", async () => {
  const store = await openMemoryStore();
  await store.append([make("d", ["p"], { unknownSources: "placeholder" })]);
  await store.append([created("p", { kind: "k", name: "n", ...content })]);
  expect((await store.record("d")).stale).toBe(false);
  await store.append([revise("p", 2)]);
  expect((await store.record("d")).stale).toBe(true);
});

test("S12: a replay gives the closure as it stood, and a verdict for each input", async () => {
  const store = await openMemoryStore();
  await store.append([make("same"), make("super"), make("later"), make("before"), make("unused")]);
  await store.append([withdraw("before")]);
  const inputs = ["same", "super", "later", "before"];
  await store.append([make("decision", inputs, { allowInvalidSources: true })]);
  const then = await store.replay("decision");
  await store.append([revise("super", 1), withdraw("later"), revise("decision", 5)]);
  const now = await store.replay("decision@1");
  expect(now.closure).toEqual(then.closure);
  expect(now.digest).toBe(then.digest);
  expect(now.decidedAt).toBe(7);
  const verdicts = (replay: typeof now) =>
    Object.fromEntries(replay.verdicts.map((item) => [item.recordId, [item.verdict, item.now]]));
  expect(verdicts(now)).toEqual({
    same: ["same", 1],
    super: ["superseded", 2],
    later: ["withdrawn-since", 2],
    before: ["already-withdrawn", 2],
  });
  expect(verdicts(then)).toMatchObject({ super: ["same", 1], later: ["same", 1] });
});

test("S12: sources stand before what derives from them, each once", async () => {
  const store = await openMemoryStore();
  await store.append([
    make("a"),
    make("b", ["a"]),
    make("c", ["a"]),
    make("d", ["c", "b"]),
    make("x"),
  ]);
  const { closure, edges, decision } = await store.replay("d");
  expect(closure.map(({ id }) => id)).toEqual(["a", "b", "c", "d"]);
  expect(edges).toHaveLength(4);
  expect(decision.id).toBe("d");
});

test("S12: the digest changes with the content of an input", async () => {
  const digests = new Set<string>();
  for (const value of [1, 2]) {
    const store = await openMemoryStore();
    await store.append([
      created("a", { kind: "k", name: "n", attributes: { value } }),
      make("d", ["a"]),
    ]);
    digests.add((await store.replay("d")).digest ?? "none");
  }
  expect(digests.size).toBe(2);
});

test("an impact names what would fall and what would be done, and changes nothing", async () => {
  const store = await openMemoryStore();
  await store.append([
    make("act"),
    created("a", { kind: "k", name: "n", onInvalidate: ["act", "gone"] }),
    make("b", ["a"]),
    revise("a", 1),
  ]);
  const impact = await store.impact("a@1");
  expect(impact).toMatchObject({ of: { recordId: "a", version: 1 }, asOf: 4 });
  expect(
    impact.withdrawn.map(({ recordId, versions }) => [recordId, versions.from, versions.to]),
  ).toEqual([
    ["a", 1, 1],
    ["b", 1, 1],
  ]);
  expect(impact.actions.map(({ actionId, verdict }) => [actionId, verdict])).toEqual([
    ["act", "known"],
    ["gone", "unknown"],
  ]);
  expect((await store.impact("a@1", { since: true })).withdrawn[0]?.versions).toEqual({
    from: 1,
    to: 2,
  });
  expect((await store.impact("a", { cascade: false })).withdrawn).toHaveLength(1);
  expect(store.head).toBe(4);
});

test("lineage stops at the depth asked for, and refuses what is no depth", async () => {
  const store = await openMemoryStore();
  await store.append([make("a"), make("b", ["a"]), make("c", ["b"])]);
  const ids = async (ref: string, options: Parameters<typeof store.lineage>[1]) =>
    (await store.lineage(ref, options)).nodes.map(({ recordId }) => recordId);
  expect(await ids("c", { depth: 1 })).toEqual(["b"]);
  expect(await ids("a", { depth: 1, direction: "descendants" })).toEqual(["b"]);
  expect(await ids("a", { direction: "descendants" })).toEqual(["b", "c"]);
  for (const depth of [0, -1, 1.5]) {
    expect(await codeOf(() => store.lineage("a", { depth }))).toBe("argument-invalid");
  }
});

test("changes between two instants are told record by record", async () => {
  const store = await openMemoryStore();
  await store.append([make("a"), make("b", ["a"]), make("c"), make("d")]);
  await store.append([withdraw("a"), revise("c", 1), make("e"), updated("d", {})]);
  await store.append([derive("b", [])]);
  const changes = async (from: number) =>
    (await store.changesSince(from)).records.map((row) => [row.recordId, ...row.changes]);
  expect(await changes(4)).toEqual([
    ["a", "withdrawn"],
    ["b", "updated"],
    ["c", "updated"],
    ["e", "created"],
    ["d", "touched"],
  ]);
  expect(await changes(9)).toEqual([["b", "updated", "restored"]]);
  expect(await changes(store.head)).toEqual([]);
  await store.append([make("f"), make("g", ["f"]), make("h")]);
  await store.append([withdraw("f")]);
  expect(await changes(10)).toEqual([
    ["f", "created", "withdrawn"],
    ["g", "created", "withdrawn"],
    ["h", "created"],
  ]);
  expect(await codeOf(() => store.changesSince(-1))).toBe("argument-invalid");
  expect(await codeOf(() => store.changesSince(store.head + 1))).toBe("argument-invalid");
});

test("a record's own events come in ranges and both directions", async () => {
  const store = await openMemoryStore();
  await store.append([make("a"), make("b"), revise("a", 1), revise("b", 1), withdraw("a")]);
  const positions = async (options: Parameters<typeof store.events>[0]) => {
    const found: number[] = [];
    for await (const event of store.events(options)) found.push(event.position);
    return found;
  };
  expect(await positions({ recordId: "a" })).toEqual([1, 3, 5]);
  expect(await positions({ recordId: "a", from: 2, limit: 1 })).toEqual([3]);
  expect(await positions({ recordId: "a", reverse: true, from: 4 })).toEqual([3, 1]);
  expect(await positions({ recordId: "a", until: 4 })).toEqual([1, 3]);
  expect(await positions({ recordId: "a@1" })).toEqual([1, 3, 5]);
  expect(await codeOf(() => positions({ recordId: "x" }))).toBe("record-not-found");
});

test("a record of more versions than one block holds is read at every version", async () => {
  const store = await openMemoryStore();
  await store.append([make("a")]);
  for (let value = 2; value <= 200; value += 1) {
    await store.append([value % 50 === 0 ? withdraw(`a@${value - 3}`) : revise("a", value)]);
  }
  const { versions } = await store.history("a");
  expect(versions.map(({ version }) => version)).toEqual(
    Array.from({ length: 200 }, (_, index) => index + 1),
  );
  expect(
    versions.filter(({ status }) => status === "invalid").map(({ version }) => version),
  ).toEqual([47, 97, 147, 197]);
  for (const position of [1, 64, 65, 128, 129, 150, 199]) {
    const then = await store.at({ position });
    expect((await then.record("a")).version).toBe(position);
  }
});
