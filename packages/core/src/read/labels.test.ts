/** Labels: records of their own, with names that cannot be taken for anything else. */
import { expect, test } from "vitest";

import { created, invalidated } from "../event/event.ts";
import { openMemoryStore } from "../open-store.ts";
import { make } from "../testing/samples.ts";
import { codeOf } from "../testing/storage-contract.ts";

test("a label is a record whose history shows where it stood", async () => {
  const store = await openMemoryStore();
  await store.append([make("a"), make("b")]);
  const first = await store.label("paper", 1, { actor: "me" });
  expect(first).toMatchObject({ recordId: "label:paper", version: 1, position: 3 });
  await store.label("paper", 2);
  expect(await store.record("label:paper@1")).toMatchObject({
    kind: "label",
    name: "paper",
    actor: "me",
    attributes: { position: 1 },
  });
  expect((await store.record("label:paper")).attributes).toEqual({ position: 2 });
});

test.each([
  "",
  "a b",
  "a\n",
  "12",
  "2026-03-02",
  "2026-03-02T10:00:00Z",
  "v@1",
  "x".repeat(201),
  "a\ud800",
])("%j cannot be a label", async (name) => {
  const store = await openMemoryStore();
  expect(await codeOf(() => store.label(name, 0))).toBe("label-invalid");
  expect(await codeOf(() => store.at({ label: name }))).toBe("label-invalid");
});

test.each([
  [-1, "argument-invalid"],
  [0.5, "argument-invalid"],
  [1, "as-of-ahead-of-head"],
])("a label cannot name position %d", async (position, code) => {
  const store = await openMemoryStore();
  expect(await codeOf(() => store.label("x", position))).toBe(code);
  expect(store.head).toBe(0);
});

test("a withdrawn label is not found, and can be set again", async () => {
  const store = await openMemoryStore();
  await store.label("x");
  await store.append([invalidated("label:x", { cause: "c" })]);
  expect(await codeOf(() => store.at({ label: "x" }))).toBe("label-not-found");
  await store.label("x", 1);
  expect((await store.at({ label: "x" })).asOf).toBe(1);
});

test("a record that only looks like a label names no position", async () => {
  const store = await openMemoryStore();
  await store.append([
    created("label:x", { kind: "label", name: "x", attributes: { position: 99 } }),
    created("label:y", { kind: "label", name: "y" }),
  ]);
  expect(await codeOf(() => store.at({ label: "x" }))).toBe("label-invalid");
  expect(await codeOf(() => store.at({ label: "y" }))).toBe("label-invalid");
});

test("two callers who set the same new label at once both set it, one after the other", async () => {
  const store = await openMemoryStore();
  await store.append([make("a"), make("b")]);
  await Promise.all([store.label("here", 1), store.label("here", 2)]);
  expect((await store.history("label:here")).versions).toHaveLength(2);
  expect((await store.at({ label: "here" })).asOf).toBe(2);
});
