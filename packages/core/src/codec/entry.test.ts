/** Log entries: what goes in comes out, and what was changed is noticed. */
import { unpack } from "msgpackr";
import { expect, test } from "vitest";

import { entryKey } from "../storage/keyspace.ts";
import { codeOf } from "../testing/storage-contract.ts";
import type { EntryHeader } from "./entry-header.ts";
import { encodeEntry, Entry, type EntryPayload } from "./entry.ts";
import { entryFormat } from "./upcast.ts";
import { frameHeaderBytes, sealFrame } from "./frame.ts";

const id = "0198c2f0-7c3a-7b1e-8f00-5d2a9c1b4e77";
const salt = Buffer.alloc(16, 7);
const place = { recordedAtUs: 1_772_445_600_123_456, id, recordId: "ä/1", version: 3 };
const edges = [
  { recordId: "b", version: 1, role: null, relation: "wasDerivedFrom" },
  { recordId: "c", version: 4_000_000_000, role: "training-data", relation: "used" },
] as const;

const headers: readonly EntryHeader[] = [
  {
    ...place,
    position: 1,
    origin: "given",
    structure: { type: "record.created", kind: "k", edges },
  },
  {
    ...place,
    position: 2 ** 40,
    origin: "placeholder",
    structure: { type: "record.created", kind: "unknown", edges: [] },
  },
  {
    ...place,
    position: 3,
    origin: "given",
    structure: {
      type: "record.updated",
      edges: null,
      restores: null,
      documentDigest: Buffer.alloc(32, 5),
    },
  },
  {
    ...place,
    position: 4,
    origin: "given",
    structure: { type: "record.updated", edges: [], restores: 2, documentDigest: null },
  },
  {
    ...place,
    position: 5,
    origin: "given",
    structure: { type: "record.invalidated", from: 1, to: 2, root: null, via: null },
  },
  {
    ...place,
    position: 6,
    origin: "consequence",
    structure: {
      type: "record.invalidated",
      from: 1,
      to: 2,
      root: { eventId: id, recordId: "r" },
      via: { recordId: "s", version: 9 },
    },
  },
];
const payload: EntryPayload = {
  occurredAt: "2026-03-02T09:58:00Z",
  actor: "me",
  causationId: id,
  correlationId: id,
  data: { name: "n", attributes: { deep: [null, { x: 1.5 }] }, patch: { tags: null } },
};

test.each(headers)(
  "an entry of $structure.type at $position comes back as it went in",
  (header) => {
    const { value, entry } = encodeEntry(header, payload, salt);
    const decoded = Entry.decode(header.position, value);
    expect(decoded.header).toEqual(header);
    expect(decoded.payload()).toEqual(payload);
    expect(decoded.event()).toEqual(entry.event());
    expect(decoded.leafHash()).toEqual(entry.leafHash());
    expect(decoded.payloadMatchesDigest()).toBe(true);
  },
);

const [first] = headers as [EntryHeader];

test("every single flipped bit is noticed", async () => {
  const { value } = encodeEntry(first, payload, salt);
  const codes = new Set<string>();
  for (let bit = 0; bit < value.length * 8; bit += 1) {
    const damaged = Buffer.from(value);
    damaged.writeUInt8(damaged.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    codes.add(await codeOf(() => Entry.decode(first.position, damaged)));
  }
  expect([...codes]).toEqual(["checksum-mismatch"]);
});

test("an entry under another key, cut short or lengthened is noticed", async () => {
  const { value } = encodeEntry(first, payload, salt);
  for (const damaged of [value.subarray(0, -1), value.subarray(0, 3), Buffer.concat([value, salt])])
    expect(await codeOf(() => Entry.decode(first.position, damaged))).toBe("checksum-mismatch");
  expect(await codeOf(() => Entry.decode(first.position + 1, value))).toBe("checksum-mismatch");
});

const headerStart = frameHeaderBytes + 4;

test("an entry of a newer format is refused as such", async () => {
  const { key, value } = encodeEntry(first, payload, salt);
  expect(value[headerStart + 1]).toBe(entryFormat);
  value[headerStart + 1] = entryFormat + 1;
  sealFrame(key, value);
  expect(await codeOf(() => Entry.decode(first.position, value))).toBe("format-too-new");
});

test("an entry whose header names another place is refused", async () => {
  const { value } = encodeEntry(first, payload, salt);
  sealFrame(entryKey(2), value);
  expect(await codeOf(() => Entry.decode(2, value))).toBe("entry-unreadable");
});

test("content that is not what the header commits to is told apart", () => {
  const { key, value } = encodeEntry(first, payload, salt);
  value[value.length - 1] = (value.at(-1) ?? 0) ^ 1;
  sealFrame(key, value);
  expect(Entry.decode(first.position, value).payloadMatchesDigest()).toBe(false);
});

test("header and payload are plain MessagePack that any decoder reads", () => {
  const { value } = encodeEntry(first, payload, salt);
  const headerEnd = headerStart + value.readUInt32LE(frameHeaderBytes);
  const header: readonly unknown[] = unpack(value.subarray(headerStart, headerEnd));
  expect(header.slice(0, 5)).toEqual([entryFormat, 1, place.recordedAtUs, 1, 0]);
  expect(unpack(value.subarray(headerEnd))).toEqual([salt, payload]);
});

test("the leaf hash covers the structure and not the content's salt alone", () => {
  const hash = encodeEntry(first, payload, salt).entry.leafHash().toString("hex");
  const other = encodeEntry({ ...first, version: 4 }, payload, salt).entry.leafHash();
  expect(other.toString("hex")).not.toBe(hash);
  const salted = encodeEntry(first, payload, Buffer.alloc(16, 8)).entry.leafHash();
  expect(salted.toString("hex")).not.toBe(hash);
});
