/** Resolving instants: positions, times, labels, and what is still ahead. */
import { expect, test } from "vitest";

import { created } from "../event/event.ts";
import { openMemoryStore, openStore } from "../open-store.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { make, revise, withdraw } from "../testing/samples.ts";
import { codeOf } from "../testing/storage-contract.ts";
import { withTemporaryDirectory } from "../testing/temporary-directory.ts";
import { parseAsOf } from "./as-of.ts";
import type { AsOf } from "./reader.ts";

const second = 1_000_000;

/** A store with batches at 10:00:00, 10:00:10 (two events) and, the clock having stepped back, just after. */
async function storeInTime() {
  const clock = new FakeClock("2026-03-02T10:00:00Z");
  const store = await openMemoryStore({ clock });
  await store.append([make("a")]);
  clock.advance(10 * second);
  await store.append([revise("a", 1), make("b")]);
  clock.advance(-3600 * second);
  await store.append([make("c")]);
  const position = async (asOf: AsOf): Promise<number> => (await store.at(asOf)).asOf;
  return { clock, store, position };
}

test("S6: a position stands for itself, from 0 to the head", async () => {
  const { position } = await storeInTime();
  for (const value of [0, 1, 3, 4]) expect(await position({ position: value })).toBe(value);
  expect(await codeOf(() => position({ position: 5 }))).toBe("as-of-ahead-of-head");
  for (const value of [-1, 1.5, NaN, Infinity, 2 ** 53])
    expect(await codeOf(() => position({ position: value }))).toBe("as-of-invalid");
});

test("S6: a time resolves to the last position recorded at or before it", async () => {
  const { position } = await storeInTime();
  expect(await position({ time: "2026-03-02T09:59:59.999999Z" })).toBe(0);
  expect(await position({ time: "2026-03-02T10:00:00Z" })).toBe(1);
  expect(await position({ time: "2026-03-02T10:00:05Z" })).toBe(1);
  expect(await position({ time: "2026-03-02T10:00:09.999999Z" })).toBe(1);
  expect(await position({ time: "2026-03-02T10:00:10Z" })).toBe(3);
  expect(await position({ time: "2026-03-02T11:00:10+01:00" })).toBe(3);
});

test("S6: a clock that stepped back moves no event before another", async () => {
  const { position } = await storeInTime();
  expect(await position({ time: "2026-03-02T10:00:10.000001Z" })).toBe(4);
});

test("S6: a time that has not come is refused, and what is no time too", async () => {
  const { clock, position } = await storeInTime();
  expect(await codeOf(() => position({ time: "2026-03-02T10:00:10.000002Z" }))).toBe(
    "as-of-ahead-of-head",
  );
  clock.advance(7200 * second);
  expect(await position({ time: "2026-03-02T11:00:10Z" })).toBe(4);
  expect(await codeOf(() => position({ time: "2026-03-02T11:00:10.000001Z" }))).toBe(
    "as-of-ahead-of-head",
  );
  expect(await codeOf(() => position({ time: "soon" }))).toBe("as-of-invalid");
  expect(await codeOf(() => position({} as AsOf))).toBe("as-of-invalid");
});

test("S6: a time equal to now keeps its answer, whatever is appended while the clock stands still", async () => {
  const clock = new FakeClock("2026-03-02T10:00:00Z");
  const store = await openMemoryStore({ clock });
  const now = { time: "2026-03-02T10:00:00Z" };
  expect((await store.at(now)).asOf).toBe(0);
  await store.append([make("a")]);
  expect((await store.at(now)).asOf).toBe(0);
  expect((await store.record("a")).recordedAt).toBe("2026-03-02T10:00:00.000001Z");
  clock.advance(-second);
  await store.append([make("b")]);
  expect((await store.at(now)).asOf).toBe(0);
});

test("S6: a time of a batch that is being written is answered when that batch is durable", async () => {
  const clock = new FakeClock("2026-03-02T10:00:00Z");
  const store = await openMemoryStore({ clock });
  const writing = store.append([make("a")]);
  expect((await store.at({ time: "2026-03-02T10:00:00Z" })).asOf).toBe(1);
  await writing;
});

test("S6: a reader keeps its instant, and later events do not exist in it", async () => {
  const { store } = await storeInTime();
  const reader = await store.at({ position: 3 });
  const before = [await reader.history("a"), await reader.lineage("a"), await reader.replay("b")];
  await store.append([withdraw("a"), revise("b", 1)]);
  expect([await reader.history("a"), await reader.lineage("a"), await reader.replay("b")]).toEqual(
    before,
  );
  expect(await codeOf(() => reader.record("c"))).toBe("record-not-found");
  expect(await codeOf(() => reader.record("a@3"))).toBe("version-not-found");
  expect(await reader.findRecord("c")).toBeUndefined();
  const events = [];
  for await (const event of reader.events()) events.push(event.position);
  expect(events).toEqual([1, 2, 3]);
});

test("S6: a position inside a batch is an instant like any other", async () => {
  const { store } = await storeInTime();
  const reader = await store.at({ position: 2 });
  expect((await reader.record("a")).version).toBe(2);
  expect(await reader.findRecord("b")).toBeUndefined();
});

test("S6: a label names a position and keeps naming it until it is moved", async () => {
  const { store, position } = await storeInTime();
  await store.label("submitted", 2);
  expect(await position({ label: "submitted" })).toBe(2);
  await store.append([make("d")]);
  expect(await position({ label: "submitted" })).toBe(2);
  await store.label("submitted");
  expect(await position({ label: "submitted" })).toBe(6);
  expect(await codeOf(() => position({ label: "nothing" }))).toBe("label-not-found");
});

test("an instant as a person writes it is a position, a time or a label", async () => {
  expect(parseAsOf("812")).toEqual({ position: 812 });
  expect(parseAsOf("2026-03-02T10:00:00Z")).toEqual({ time: "2026-03-02T10:00:00Z" });
  expect(parseAsOf("submitted-paper")).toEqual({ label: "submitted-paper" });
  expect(await codeOf(() => parseAsOf("2026-03-02"))).toBe("as-of-invalid");
  expect(await codeOf(() => parseAsOf(""))).toBe("as-of-invalid");
});

test("what reads as a number or begins with a minus is neither a position nor a label", async () => {
  const { store } = await storeInTime();
  for (const text of ["-1", "+1", "1.0", "1e2", "0x1", "-", "-x", "9".repeat(20), "Infinity"]) {
    expect(await codeOf(() => parseAsOf(text)), text).toBe("as-of-invalid");
    expect(await codeOf(() => store.label(text, 1)), text).toBe("label-invalid");
  }
  for (const text of ["v1", "1st", "x-1", "NaN"]) {
    await store.label(text, 1);
    expect((await store.at(parseAsOf(text))).asOf).toBe(1);
  }
});

test("a label that could not be set any more leaves the others readable", async () => {
  const { store, position } = await storeInTime();
  const document = { kind: "label", name: "-1", attributes: { position: 1 } };
  await store.append([created("label:-1", document)]);
  await store.label("good", 2);
  expect(await position({ label: "good" })).toBe(2);
  expect((await store.summary()).labels.map(({ name }) => name)).toEqual(["-1", "good"]);
});

test("as-of with more than one member, or with one of another type, is refused", async () => {
  const { position } = await storeInTime();
  const asOfs: unknown[] = [
    { position: 1, time: "2026-03-02T10:00:00Z" },
    { position: 1, label: "x" },
    { time: "2026-03-02T10:00:00Z", label: "x" },
    { position: "1" },
    { position: 1n },
    { time: 1 },
    { label: 1 },
    null,
  ];
  for (const asOf of asOfs) {
    expect(await codeOf(() => position(asOf as AsOf))).toBe("as-of-invalid");
  }
  expect(await position({ position: 1, time: undefined })).toBe(1);
});

test("S6: a time answered once keeps its answer when the store is opened again with a clock that stepped back", async () => {
  await withTemporaryDirectory(async (directory) => {
    const clock = new FakeClock("2026-03-02T10:00:00Z");
    const store = await openStore(directory, { clock });
    await store.append([make("a")]);
    clock.advance(3600 * second);
    const time = "2026-03-02T10:30:00Z";
    expect((await store.at({ time })).asOf).toBe(1);
    await store.close();
    clock.advance(-3000 * second);
    const again = await openStore(directory, { clock });
    expect((await again.at({ time })).asOf).toBe(1);
    await again.append([make("b")]);
    expect((await again.at({ time })).asOf).toBe(1);
    await again.close();
  });
});
