/** Deciding: what the values of an update become. */
import { expect, test } from "vitest";

import { created, updated, type NewEvent } from "../event/event.ts";
import { openMemoryStore } from "../open-store.ts";
import { limits } from "../limits.ts";
import { eventId, make, revise } from "../testing/samples.ts";
import { codeOf } from "../testing/storage-contract.ts";

const tags = (prefix: string): Record<string, number> =>
  Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`${prefix}${index}`, 1]));
const big = (bytes: number): NewEvent =>
  created(`r-${bytes}`, { kind: "k", name: "n", attributes: "x".repeat(bytes) });

test("an undefined member of a patch leaves the document's member as it is", async () => {
  const store = await openMemoryStore();
  await store.append([created("a", { kind: "k", name: "n", tags: { t: 1 } })]);
  await store.append([updated("a", { name: "m", tags: undefined, derivedFrom: undefined })]);
  expect(await store.record("a")).toMatchObject({ name: "m", tags: { t: 1 } });
});

test("undefined members of artifacts are not stored, and the event sent again is the same", async () => {
  const store = await openMemoryStore();
  const artifacts = [{ name: "f", uri: undefined }];
  const batch = [
    created("a", { kind: "k", name: "n", artifacts }, { id: eventId(1) }),
    updated(
      "a",
      { artifacts: [...artifacts, { name: "g", mediaType: undefined }] },
      { id: eventId(2) },
    ),
  ];
  await store.append(batch);
  const { artifacts: stored } = await store.record("a@1");
  expect(Object.keys(stored[0] ?? {})).toEqual(["name"]);
  expect((await store.append(batch)).events.map(({ status }) => status)).toEqual([
    "duplicate",
    "duplicate",
  ]);
});

test.each([
  { name: null },
  { kind: null },
  { tags: { a: { b: 1 } } },
  { tags: 1 },
  { uris: [1] },
  { artifacts: [{}] },
  { onInvalidate: "x" },
  { attributes: { a: { b: NaN } } },
])("a patch that would make the document malformed is refused: %j", async (patch) => {
  const store = await openMemoryStore();
  await store.append([created("a", { kind: "k", name: "n", tags: { t: 1 } })]);
  const event = updated("a", patch as Parameters<typeof updated>[1]);
  expect(await codeOf(() => store.append([event]))).toBe("event-invalid");
  expect(store.head).toBe(1);
});

test("a patch that would make the document too large is refused", async () => {
  const store = await openMemoryStore();
  await store.append([created("a", { kind: "k", name: "n", tags: tags("a") })]);
  expect(await codeOf(() => store.append([updated("a", { tags: tags("b") })]))).toBe(
    "event-invalid",
  );
});

test("an event and a batch above their limits are refused", async () => {
  const store = await openMemoryStore();
  expect(await codeOf(() => store.append([big(limits.eventBytesMax)]))).toBe("event-too-large");
  const almost = Array.from({ length: 17 }, (_, index) => big(limits.eventBytesMax - 1000 - index));
  expect(await codeOf(() => store.append(almost))).toBe("batch-too-large");
  const many = Array.from({ length: limits.batchEventsMax + 1 }, (_, index) => make(`r-${index}`));
  expect(await codeOf(() => store.append(many))).toBe("batch-too-large");
  expect(store.head).toBe(0);
  await store.append(almost.slice(0, 2));
  expect(store.head).toBe(2);
});

test("two names of one source are refused once they turn out to be the same", async () => {
  const store = await openMemoryStore();
  await store.append([make("s"), make("a", ["s"])]);
  const twice = make("b", ["s", "s@1"]);
  expect(await codeOf(() => store.append([twice]))).toBe("event-invalid");
  await store.append([revise("s", 1), twice]);
  expect((await store.record("b")).derivedFrom.map(({ version }) => version)).toEqual([2, 1]);
});
