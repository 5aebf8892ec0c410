/** Blame: each field is traced to the event that made it what it is, and a naive fold of the log says the same. */
import * as fc from "fast-check";
import { expect, test } from "vitest";

import { must } from "../assert.ts";
import { pointerSegment } from "../event/checker.ts";
import { documentMembers } from "../event/document.ts";
import {
  created,
  invalidated,
  replaced,
  updated,
  type DocumentPatch,
  type NewEvent,
} from "../event/event.ts";
import { canonicalJson, isPlainObject } from "../event/json.ts";
import type { Position, Version } from "../ids.ts";
import { openMemoryStore } from "../open-store.ts";
import type { Store } from "../store.ts";
import { histories } from "../testing/arbitraries.ts";
import { appendToBoth } from "../testing/compare.ts";
import { memoryStoreOf } from "../testing/fill-store.ts";
import { Oracle } from "../testing/oracle.ts";
import { codeOf } from "../testing/storage-contract.ts";
import { propertySettings } from "../testing/settings.ts";
import type { Blame } from "./reader.ts";

/** Pointer and version of each field. */
async function linesOf(store: Pick<Store, "blame">, ref: string): Promise<string[]> {
  const { fields } = await store.blame(ref);
  return fields.map(({ pointer, version }) => `${pointer} ${version}`);
}

test("each field names the event since which it stands, with its actor and reason", async () => {
  const store = await openMemoryStore();
  const attributes = { optimizer: { lr: 0.1, name: "adam" }, epochs: 5 };
  await store.append([
    created(
      "m",
      { kind: "model", name: "m", tags: { stage: "dev" }, attributes },
      { actor: "ana" },
    ),
  ]);
  await store.append([
    {
      type: "record.updated",
      recordId: "m",
      actor: "ben",
      data: { patch: { attributes: { optimizer: { lr: 0.01 } } }, reason: "too coarse" },
    },
  ]);
  await store.append([invalidated("m", { cause: "wrong" }), updated("m", { tags: { loss: 1 } })]);
  expect(await linesOf(store, "m")).toEqual([
    "/kind 1",
    "/name 1",
    "/tags/stage 1",
    "/tags/loss 4",
    "/uris 1",
    "/attributes/optimizer/lr 2",
    "/attributes/optimizer/name 1",
    "/attributes/epochs 1",
    "/artifacts 1",
    "/derivedFrom 1",
    "/onInvalidate 1",
  ]);
  const { of, asOf, fields } = await store.blame("m@3");
  const [event] = (await store.history("m")).events.slice(1, 2);
  expect({ of, asOf }).toEqual({ of: { recordId: "m", version: 3 }, asOf: 4 });
  expect(fields.find(({ pointer }) => pointer === "/attributes/optimizer/lr")).toEqual({
    pointer: "/attributes/optimizer/lr",
    value: 0.01,
    version: 2,
    position: 2,
    recordedAt: event?.recordedAt,
    eventId: event?.id,
    type: "record.updated",
    actor: "ben",
    reason: "too coarse",
    restores: null,
  });
});

test("a value that is set again as it was stands since the first time, and one that came back since it came back", async () => {
  const store = await openMemoryStore();
  const first = { kind: "k", name: "one", attributes: { a: 1, b: [1, 2] } };
  await store.append([created("r", first), replaced("r", { ...first, name: "two" })]);
  await store.append([
    { type: "record.updated", recordId: "r", data: { document: first, restores: 1 } },
  ]);
  const { fields } = await store.blame("r");
  expect(fields.map(({ pointer, version }) => [pointer, version])).toContainEqual(["/name", 3]);
  expect(fields.find(({ pointer }) => pointer === "/attributes")).toMatchObject({ version: 1 });
  expect(fields.find(({ pointer }) => pointer === "/name")).toMatchObject({ restores: 1 });
});

test("an object that lost a member is told by the members that stayed, an empty one by who emptied it", async () => {
  const store = await openMemoryStore();
  await store.append([
    created("r", {
      kind: "k",
      name: "n",
      tags: { "a/b": 1, "c~d": 2 },
      attributes: { x: { y: 1 } },
    }),
    updated("r", { tags: { "c~d": null }, attributes: { x: { y: null } } }),
  ]);
  const lines = await linesOf(store, "r");
  expect(lines).toContain("/tags/a~1b 1");
  expect(lines).toContain("/attributes 2");
});

test("a later instant changes nothing about a version, and an earlier one does not have it", async () => {
  const store = await openMemoryStore();
  await store.append([created("r", { kind: "k", name: "one" })]);
  const then = await store.at({ position: 1 });
  const before = await then.blame("r");
  await store.append([updated("r", { name: "two" })]);
  expect(await then.blame("r")).toEqual(before);
  expect(await codeOf(() => then.blame("r@2"))).toBe("version-not-found");
  expect(await codeOf(() => store.blame("nothing"))).toBe("record-not-found");
  const signal = AbortSignal.abort();
  expect(await codeOf(() => store.blame("r", { signal }))).toBe("aborted");
});

test("erased content is said to be erased, and what stood before it is not guessed", async () => {
  const store = await openMemoryStore();
  await store.append([created("s", { kind: "k", name: "s" })]);
  const document = { kind: "k", name: "secret", derivedFrom: [{ recordId: "s" }] };
  await store.append([created("r", document, { actor: "maria" })]);
  await store.append([replaced("r", { ...document, tags: { open: true } }, { actor: "otto" })]);
  const { recordId } = await store.erase(["r@1"], { cause: "consent withdrawn" });
  const gone = await store.blame("r@1");
  expect(gone.erased).toMatchObject({ recordId, cause: "consent withdrawn" });
  expect(gone.fields).toMatchObject([
    { pointer: "/kind", version: 1, actor: null, isErased: true },
    { pointer: "/derivedFrom", version: 1, actor: null, isErased: true },
  ]);
  const left = await store.blame("r@2");
  expect(left).not.toHaveProperty("erased");
  const bySome = (pointer: string) => left.fields.find((field) => field.pointer === pointer);
  expect(bySome("/name")).toMatchObject({ version: 2, actor: "otto", isErasedBefore: true });
  expect(bySome("/derivedFrom")).toMatchObject({ version: 1, isErased: true });
  expect(bySome("/derivedFrom")).not.toHaveProperty("isErasedBefore");
});

/** What the naive fold says: pointer, and the first version since which the value stands. */
function foldedBlame(documents: ReadonlyMap<Version, object>): Readonly<Record<string, Version>> {
  const last = must([...documents.values()].at(-1), "a document");
  const found: Record<string, Version> = {};
  const sinceWhen = (path: readonly string[]): Version => {
    const now = canonicalJson(valueAt(last, path));
    let since = 0;
    for (const [version, document] of documents) {
      const then = valueAt(document, path);
      const isSame = then !== undefined && canonicalJson(then) === now;
      if (!isSame) since = 0;
      else if (since === 0) since = version;
    }
    return since;
  };
  const visit = (path: readonly string[]): void => {
    const since = sinceWhen(path);
    const leaves = leavesUnder(valueAt(last, path), path);
    if (leaves.every((leaf) => sinceWhen(leaf) === since)) {
      found[path.map((key) => `/${pointerSegment(key)}`).join("")] = since;
      return;
    }
    const value = valueAt(last, path);
    for (const key of Object.keys(isPlainObject(value) ? value : {})) visit([...path, key]);
  };
  for (const member of documentMembers) visit([member]);
  return found;
}

function valueAt(document: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (isPlainObject(value) && Object.hasOwn(value, key) ? value[key] : undefined),
    document,
  );
}

function leavesUnder(value: unknown, path: readonly string[]): (readonly string[])[] {
  if (!isPlainObject(value) || Object.keys(value).length === 0) return [path];
  return Object.entries(value).flatMap(([key, member]) => leavesUnder(member, [...path, key]));
}

function toLines({ fields }: Blame): Readonly<Record<string, Version>> {
  const lines = fields.map(({ pointer, version }) => [pointer, version] as const);
  expect(new Set(lines.map(([pointer]) => pointer)).size).toBe(lines.length);
  return Object.fromEntries(lines);
}

/** Compares the blame of every version as of a position with the fold of the events up to it. */
async function expectFolded(store: Store, oracle: Oracle, position: Position): Promise<void> {
  const reader = await store.at({ position });
  const model = oracle.at(position);
  for (const recordId of model.recordIds()) {
    const events = oracle.events.filter((event) => event.recordId === recordId);
    const documents = new Map<Version, object>();
    for (const event of events.filter((item) => item.position <= position)) {
      if (event.content !== null) documents.set(event.version, event.content.document);
      const blame = await reader.blame(`${recordId}@${event.version}`);
      expect(toLines(blame)).toEqual(foldedBlame(documents));
      for (const field of blame.fields) {
        const setter = events.find(({ version }) => version === field.version);
        expect(field).toMatchObject({
          position: setter?.position,
          type: setter?.type,
          actor: setter?.actor,
          reason: setter?.data["reason"] ?? null,
          restores: setter?.data["restores"] ?? null,
          eventId: oracle.idAt(field.position),
        });
      }
    }
  }
}

test("blame of any history is what a fold of its events says, as of every position", async () => {
  expect.hasAssertions();
  await fc.assert(
    fc.asyncProperty(histories(8), async (steps) => {
      const { store, oracle } = await memoryStoreOf(steps);
      for (let position = 0; position <= oracle.head; position += 1) {
        await expectFolded(store, oracle, position);
      }
    }),
    propertySettings(25),
  );
});

const nested = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom(0, 1, "x", null, true),
    fc.array(fc.constantFrom(0, 1), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom("a", "b", "c/d"), tie("value"), { maxKeys: 3 }),
  ),
})).value;

const change: fc.Arbitrary<NewEvent> = fc.oneof(
  nested.map((attributes) => updated("r", { attributes } as DocumentPatch)),
  fc
    .dictionary(fc.constantFrom("a", "b"), fc.constantFrom(1, 2, null), { maxKeys: 2 })
    .map((tags) => updated("r", { tags })),
  nested.map((attributes) =>
    replaced("r", { kind: "k", name: "n", attributes } as Parameters<typeof replaced>[1]),
  ),
  fc.constant(invalidated("r", { cause: "wrong" })),
);

test("blame of nested attributes is what a fold of their patches says", async () => {
  expect.hasAssertions();
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 12 }), async (changes) => {
      const store = await openMemoryStore();
      const oracle = new Oracle();
      for (const event of [created("r", { kind: "k", name: "n" }), ...changes]) {
        await appendToBoth(store, oracle, [event]);
      }
      await expectFolded(store, oracle, oracle.head);
    }),
    propertySettings(120),
  );
});
