/** Values no honest caller sends: each is refused with a code, and nothing is stored. */
import { expect, test } from "vitest";

import { created, replaced, type NewEvent } from "./event/event.ts";
import { openMemoryStore } from "./open-store.ts";
import type { EmbeddedStore } from "./store.ts";
import { FakeClock } from "./testing/fake-clock.ts";
import { make, revise } from "./testing/samples.ts";
import { codeOf } from "./testing/storage-contract.ts";
import { isStoreError } from "./errors.ts";

function deep(levels: number): unknown {
  let value: unknown = "x";
  for (let level = 0; level < levels; level += 1) value = [value];
  return value;
}

const cyclic: Record<string, unknown> = {};
cyclic["self"] = cyclic;

test.each([
  ["a source nested a hundred thousand deep", { recordId: deep(100_000) }],
  ["a role that holds itself", { recordId: "a", role: cyclic }],
  ["a version that is a bigint", { recordId: "a", version: 1n }],
])("%s is refused like any other wrong source", async (_what, source) => {
  const store = await openMemoryStore();
  await store.append([make("a")]);
  const data = { kind: "k", name: "n", derivedFrom: [source, { recordId: "a" }] };
  const event = { type: "record.created", recordId: "b", data } as unknown as NewEvent;
  expect(await codeOf(() => store.append([event]))).toBe("event-invalid");
  expect(store.head).toBe(1);
});

test("a refusal stays small however large what is refused is", async () => {
  const store = await openMemoryStore();
  const name = "x".repeat(5_000_000);
  const event = { ...make("a"), [name]: 1 } as unknown as NewEvent;
  const error = await store.append([event]).catch((reason: unknown) => reason);
  expect(isStoreError(error)).toBe(true);
  expect(JSON.stringify(error).length).toBeLessThan(5000);
});

test("attributes that are null are null, and those a patch removes are empty", async () => {
  const store = await openMemoryStore();
  await store.append([created("a", { kind: "k", name: "n", attributes: null })]);
  expect((await store.record("a")).attributes).toBeNull();
  await store.append([replaced("a", { kind: "k", name: "n", attributes: null })]);
  expect((await store.record("a")).attributes).toBeNull();
  await store.append([{ ...revise("a", 1), data: { patch: { attributes: null } } } as NewEvent]);
  expect((await store.record("a")).attributes).toEqual({});
});

test("whatever a patch makes can be restored", async () => {
  const store = await openMemoryStore();
  const text = "x".repeat(490_000);
  await store.append([created("a", { kind: "k", name: "n", attributes: { first: text } })]);
  const patch = (second: string): NewEvent => ({
    type: "record.updated",
    recordId: "a",
    data: { patch: { attributes: { second } } },
  });
  expect(await codeOf(() => store.append([patch(text + text)]))).toBe("event-too-large");
  await store.append([patch(text)]);
  await store.append([created("b", { kind: "k", name: "n" }), revise("a", 2)]);
  const { kind, name, attributes } = await store.record("a@2");
  const reason = "r".repeat(16_000);
  const restore: NewEvent = {
    type: "record.updated",
    recordId: "a",
    data: { document: { kind, name, attributes }, restores: 2, reason },
  };
  await store.append([restore]);
  expect((await store.diff("a@2", "a@4")).changes).toEqual([]);
});

test("a hole in a batch is a missing event", async () => {
  const store = await openMemoryStore();
  const batch: NewEvent[] = [];
  batch[0] = make("a");
  batch[2] = make("c");
  expect(await codeOf(() => store.append(batch))).toBe("event-invalid");
  expect(store.head).toBe(0);
});

test.each([Number.NaN, Infinity, -5, 1e300])(
  "a clock that reads %s stamps no such time",
  async (reading) => {
    const store = await openMemoryStore({ clock: { nowUs: () => reading } });
    const { events } = await store.append([make("a")]);
    expect(events[0]?.recordedAt).toBe("1970-01-01T00:00:00.000001Z");
  },
);

test("a clock between two microseconds stamps the earlier one", async () => {
  const store = await openMemoryStore({ clock: { nowUs: () => 1_700_000_000_000_000.25 } });
  const { events } = await store.append([make("a")]);
  expect(events[0]?.recordedAt).toBe("2023-11-14T22:13:20.000000Z");
});

test("options of the wrong form are refused by name", async () => {
  const store = await openMemoryStore({ clock: new FakeClock("2026-03-02T10:00:00Z") });
  await store.append([make("a")]);
  const wrong = (value: unknown) => value as never;
  const calls: [string, () => Promise<unknown>][] = [
    ["as-of-invalid", () => store.at(wrong(null))],
    ["as-of-invalid", () => store.at(wrong("x"))],
    ["argument-invalid", () => store.append([make("b")], wrong(null))],
    ["argument-invalid", () => store.lineage("a", { direction: wrong("up") })],
    ["argument-invalid", () => readFrom(store, Number.NaN)],
    [
      "argument-invalid",
      () => store.append([make("b")], { unchangedSince: { position: 9, records: [] } }),
    ],
  ];
  for (const [code, call] of calls) expect(await codeOf(call)).toBe(code);
  expect(store.head).toBe(1);
});

async function readFrom(store: EmbeddedStore, from: number): Promise<void> {
  for await (const event of store.events({ from })) expect(event.position).toBeGreaterThan(0);
}

test("errors about one event of several lead with its place", async () => {
  const store = await openMemoryStore();
  const error = await store
    .append([make("a"), make("b", ["ghost"])])
    .catch((reason: unknown) => reason);
  expect(isStoreError(error) && error.details["pointer"]).toBe("/1/data/derivedFrom/0");
});
