/** Validation of untrusted events: every field, every way to be wrong, and the pointer to the place. */
import { expect, test } from "vitest";

import { isStoreError, type Issue } from "../errors.ts";
import { limits } from "../limits.ts";
import { validateEvent } from "./validate.ts";

const uuid = "0198c2f0-7c3a-7b1e-8f00-5d2a9c1b4e77";
const create = (data: object = {}, envelope: object = {}): unknown => ({
  type: "record.created",
  recordId: "a",
  data: { kind: "k", name: "n", ...data },
  ...envelope,
});
const patch = (members: object): unknown => ({
  type: "record.updated",
  recordId: "a",
  data: { patch: members },
});
const invalidate = (data: object): unknown => ({
  type: "record.invalidated",
  recordId: "a",
  data: { cause: "c", ...data },
});

function issuesOf(value: unknown, index?: number): readonly Issue[] {
  try {
    validateEvent(value, index);
  } catch (error) {
    if (!isStoreError(error) || error.code !== "event-invalid") throw error;
    return error.details["issues"] as Issue[];
  }
  return [];
}

const nested = (levels: number): unknown => {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = level % 2 === 0 ? [value] : { value };
  return value;
};
const many = <T>(count: number, item: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => item(index));

const full = create(
  {
    tags: { a: "", b: 1.5, c: false, "k/~": "v" },
    uris: ["file:///x"],
    attributes: nested(limits.attributesDepthMax),
    artifacts: [{ name: "f", uri: "u", mediaType: "m", sizeBytes: 0, sha256: "a".repeat(64) }],
    derivedFrom: [
      { recordId: "b" },
      { recordId: "b", version: 2, role: null, relation: "used" },
      { recordId: "b", role: "r" },
    ],
    onInvalidate: ["act"],
  },
  {
    id: uuid,
    occurredAt: "2026-03-02T09:58:00Z",
    actor: "me",
    causationId: uuid,
    correlationId: uuid,
    expectedVersion: "none",
    cascade: true,
    allowInvalidSources: false,
    unknownSources: "placeholder",
  },
);

test.each([
  ["a full creation", full],
  ["a short creation", create()],
  ["attributes null", create({ attributes: null })],
  ["members that are undefined", create({ tags: undefined, uris: undefined }, { id: undefined })],
  ["an empty patch", patch({})],
  ["a patch that removes", patch({ tags: null, derivedFrom: null, attributes: { a: null } })],
  ["a patch with an undefined member", patch({ name: "x", tags: undefined })],
  ["a patch as deep as a document", patch({ attributes: nested(limits.attributesDepthMax) })],
  [
    "a document",
    {
      type: "record.updated",
      recordId: "a",
      data: { document: { kind: "k", name: "n" }, restores: 1, reason: "r\nr" },
    },
  ],
  ["an invalidation", invalidate({})],
  ["an invalidation of a range", invalidate({ versions: { from: 1, to: 1 } })],
  ["an open range", invalidate({ versions: { from: 3 } })],
])("%s is valid", (_what, event) => {
  expect(issuesOf(event)).toEqual([]);
});

const sparse: unknown[] = [1, 2];
sparse.length = 3;
const protoKey = (text: string): unknown => JSON.parse(text);

const wrong: readonly (readonly [pointer: string, event: unknown])[] = [
  ["", null],
  ["", "text"],
  ["", []],
  ["", new Map()],
  ["/type", create({}, { type: "record.create" })],
  ["/type", create({}, { type: 1 })],
  ["/recordId", create({}, { recordId: undefined })],
  ["/recordId", create({}, { recordId: "" })],
  ["/recordId", create({}, { recordId: "a@1" })],
  ["/recordId", create({}, { recordId: "x".repeat(513) })],
  ["/id", create({}, { id: uuid.toUpperCase() })],
  ["/causationId", create({}, { causationId: "x" })],
  ["/correlationId", create({}, { correlationId: 1 })],
  ["/occurredAt", create({}, { occurredAt: "yesterday" })],
  ["/occurredAt", create({}, { occurredAt: 1 })],
  ["/actor", create({}, { actor: "" })],
  ["/actor", create({}, { actor: "x".repeat(513) })],
  ["/actor", create({}, { actor: "a\u0007" })],
  ["/position", create({}, { position: 1 })],
  ["/recordedAt", create({}, { recordedAt: "2026-03-02T09:58:00Z" })],
  ["/recordID", create({}, { recordID: "a" })],
  ["/a~1b~0c", create({}, { "a/b~c": 1 })],
  ["/expectedVersion", create({}, { expectedVersion: -1 })],
  ["/expectedVersion", create({}, { expectedVersion: 1.5 })],
  ["/expectedVersion", create({}, { expectedVersion: "some" })],
  ["/cascade", create({}, { cascade: "no" })],
  ["/allowInvalidSources", create({}, { allowInvalidSources: 1 })],
  ["/unknownSources", create({}, { unknownSources: "make" })],
  ["/data", create({}, { data: undefined })],
  ["/data", create({}, { data: [] })],
  ["/data/kind", create({ kind: undefined })],
  ["/data/kind", create({ kind: "x".repeat(129) })],
  ["/data/name", create({ name: "" })],
  ["/data/name", create({ name: "日".repeat(342) })],
  ["/data/name", create({ name: "half \ud83d" })],
  ["/data/tag", create({ tag: {} })],
  [
    "/data/__proto__",
    protoKey(
      '{"type":"record.created","recordId":"a","data":{"kind":"k","name":"n","__proto__":{}}}',
    ),
  ],
  [
    "/__proto__",
    protoKey(
      '{"type":"record.created","recordId":"a","__proto__":1,"data":{"kind":"k","name":"n"}}',
    ),
  ],
  ["/data/tags", create({ tags: [] })],
  ["/data/tags", create({ tags: Object.fromEntries(many(257, (index) => [`t${index}`, 1])) })],
  ["/data/tags/a", create({ tags: { a: null } })],
  ["/data/tags/a", create({ tags: { a: NaN } })],
  ["/data/tags/a", create({ tags: { a: "x".repeat(4097) } })],
  ["/data/tags/a", create({ tags: { a: "\udfff" } })],
  ["/data/tags/__proto__", create({ tags: protoKey('{"__proto__":1}') })],
  ["/data/tags/a~1b", create({ tags: { "a/b": {} } })],
  ["/data/uris", create({ uris: "u" })],
  ["/data/uris/1", create({ uris: ["u", 2] })],
  ["/data/uris/0", create({ uris: ["x".repeat(8193)] })],
  ["/data/uris", create({ uris: many(10_001, () => "u") })],
  ["/data/uris", create({ uris: sparse.map(String) })],
  ["/data/attributes", create({ attributes: NaN })],
  ["/data/attributes/a/0", create({ attributes: { a: [Infinity] } })],
  ["/data/attributes/a", create({ attributes: { a: undefined } })],
  ["/data/attributes/a", create({ attributes: { a: 1n } })],
  ["/data/attributes/a", create({ attributes: { a: new Date(0) } })],
  ["/data/attributes/a", create({ attributes: { a: () => 1 } })],
  ["/data/attributes/2", create({ attributes: sparse })],
  ["/data/attributes/a", create({ attributes: { a: "\ud800" } })],
  ["/data/attributes/\ud800", create({ attributes: { "\ud800": 1 } })],
  ["/data/attributes/a/__proto__", create({ attributes: protoKey('{"a":{"__proto__":{"x":1}}}') })],
  ["/data/artifacts/0/name", create({ artifacts: [{}] })],
  ["/data/artifacts/0", create({ artifacts: ["f"] })],
  ["/data/artifacts/0/size", create({ artifacts: [{ name: "f", size: 1 }] })],
  ["/data/artifacts/0/sizeBytes", create({ artifacts: [{ name: "f", sizeBytes: -1 }] })],
  ["/data/artifacts/0/sha256", create({ artifacts: [{ name: "f", sha256: "A".repeat(64) }] })],
  ["/data/derivedFrom", create({ derivedFrom: "b" })],
  ["/data/derivedFrom/0", create({ derivedFrom: ["b"] })],
  ["/data/derivedFrom/0/recordId", create({ derivedFrom: [{ recordId: "b@1" }] })],
  ["/data/derivedFrom/0/version", create({ derivedFrom: [{ recordId: "b", version: 0 }] })],
  [
    "/data/derivedFrom/0/relation",
    create({ derivedFrom: [{ recordId: "b", relation: "isFrom" }] }),
  ],
  ["/data/derivedFrom/0/role", create({ derivedFrom: [{ recordId: "b", role: "" }] })],
  ["/data/derivedFrom/0/roll", create({ derivedFrom: [{ recordId: "b", roll: "r" }] })],
  [
    "/data/derivedFrom/1",
    create({ derivedFrom: [{ recordId: "b" }, { recordId: "b", role: null }] }),
  ],
  [
    "/data/derivedFrom/1",
    create({ derivedFrom: [{ recordId: "b" }, { recordId: "b", relation: "wasDerivedFrom" }] }),
  ],
  [
    "/data/derivedFrom",
    create({ derivedFrom: many(10_001, (index) => ({ recordId: `r${index}` })) }),
  ],
  ["/data/onInvalidate/0", create({ onInvalidate: [""] })],
  ["/data", { type: "record.updated", recordId: "a", data: {} }],
  [
    "/data",
    {
      type: "record.updated",
      recordId: "a",
      data: { patch: {}, document: { kind: "k", name: "n" } },
    },
  ],
  ["/data/patch", patch([])],
  ["/data/patch/nam", patch({ nam: "x" })],
  ["/data/patch/derivedFrom", patch({ derivedFrom: "b" })],
  ["/data/patch/derivedFrom", patch({ derivedFrom: {} })],
  ["/data/patch/derivedFrom/0", patch({ derivedFrom: [null] })],
  ["/data/patch/attributes/a", patch({ attributes: { a: NaN } })],
  [
    "/data/document/name",
    { type: "record.updated", recordId: "a", data: { document: { kind: "k" } } },
  ],
  ["/data/restores", { type: "record.updated", recordId: "a", data: { patch: {}, restores: 0 } }],
  ["/data/reason", { type: "record.updated", recordId: "a", data: { patch: {}, reason: "" } }],
  ["/data/cause", { type: "record.invalidated", recordId: "a", data: {} }],
  ["/data/cause", invalidate({ cause: "x".repeat(16 * 1024 + 1) })],
  ["/data/root", invalidate({ root: { eventId: uuid, recordId: "b" } })],
  ["/data/via", invalidate({ via: { recordId: "b", version: 1 } })],
  ["/data/version", invalidate({ version: 1 })],
  ["/data/versions", invalidate({ versions: 1 })],
  ["/data/versions/from", invalidate({ versions: { to: 2 } })],
  ["/data/versions/to", invalidate({ versions: { from: 2, to: 1 } })],
  ["/data/versions/until", invalidate({ versions: { from: 2, until: 3 } })],
];
test.each(wrong)("%s is named as the place of what is wrong", (pointer, event) => {
  expect(issuesOf(event).map((issue) => issue.pointer)).toContain(pointer);
});

test("one level deeper than allowed is too deep, in documents and patches", () => {
  const attributes = nested(limits.attributesDepthMax + 1);
  expect(issuesOf(create({ attributes }))).toHaveLength(1);
  expect(issuesOf(patch({ attributes }))).toHaveLength(1);
});

test("an unknown field comes with the nearest known one", () => {
  expect(issuesOf(create({ derivedfrom: [] }))[0]?.message).toContain('"derivedFrom"');
  expect(issuesOf(create({}, { recordID: "a" }))[0]?.message).toContain('"recordId"');
  expect(issuesOf(create({}, { type: "record.create" }))[0]?.message).toContain('"record.created"');
  expect(issuesOf(create({ somethingElse: 1 }))[0]?.message).not.toContain("did you mean");
});

test("the place in the batch leads every pointer", () => {
  expect(issuesOf(create({ name: 1 }), 3)[0]?.pointer).toBe("/3/data/name");
});

test("all problems are counted and the first ones named", () => {
  try {
    validateEvent(create({ uris: many(100, () => 1) }));
    expect.unreachable();
  } catch (error) {
    expect(error).toMatchObject({ code: "event-invalid", details: { issueCount: 100 } });
  }
  expect(issuesOf(create({ uris: many(100, () => 1) }))).toHaveLength(limits.issuesMax);
});
