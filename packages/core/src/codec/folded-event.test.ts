/** Events decoded for a fold, against the same ones decoded whole. */
import * as fc from "fast-check";
import { expect, test } from "vitest";

import type { RecordedEvent } from "../event/event.ts";
import { codeOf } from "../testing/storage-contract.ts";
import type { EntryHeader, EntryStructure } from "./entry-header.ts";
import { encodeEntry, Entry, sealed, type EntryPayload } from "./entry.ts";
import { decodeFoldedEvent } from "./folded-event.ts";
import { sealFrame } from "./frame.ts";

const eventId = "0198c2f0-7c3a-7b1e-8f00-5d2a9c1b4e77";
const salt = Buffer.alloc(16, 7);

const recordId = fc.oneof(
  fc.constantFrom("a", "ä/1"),
  fc.string({ minLength: 1, unit: "grapheme" }),
);
const version = fc.constantFrom(1, 127, 128, 300, 70_000, 4_000_000_000);
const edges = fc.array(
  fc.record({
    recordId,
    version,
    role: fc.option(fc.string()),
    relation: fc.constantFrom("wasDerivedFrom", "used"),
  }),
  { maxLength: 20 },
);
const structure = fc.oneof(
  fc.record({ type: fc.constant("record.created"), kind: fc.string(), edges }),
  fc.record({
    type: fc.constant("record.updated"),
    edges: fc.option(edges),
    restores: fc.option(version),
    documentDigest: fc.option(fc.constant(Buffer.alloc(32, 5))),
  }),
  fc.record({
    type: fc.constant("record.invalidated"),
    from: version,
    to: version,
    root: fc.option(fc.record({ eventId: fc.constant(eventId), recordId })),
    via: fc.option(fc.record({ recordId, version })),
  }),
);
const header = fc
  .record({
    position: fc.oneof(fc.integer({ min: 1, max: 100_000 }), fc.constant(2 ** 40)),
    recordedAtUs: fc.integer({ min: 0, max: 2 ** 52 }),
    origin: fc.constantFrom("given", "consequence", "placeholder"),
    id: fc.constant(eventId),
    recordId,
    version,
    structure,
  })
  .map((drawn): EntryHeader => ({ ...drawn, structure: drawn.structure as EntryStructure }));
const text = fc.option(fc.string({ unit: "grapheme", maxLength: 80 }), { nil: undefined });
const payload = fc
  .record({
    occurredAt: text,
    actor: text,
    causationId: text,
    correlationId: text,
    data: fc.dictionary(fc.string({ maxLength: 40 }), fc.jsonValue({ maxDepth: 4 })),
  })
  .map((drawn) => JSON.parse(JSON.stringify(drawn)) as EntryPayload);

/** The event with what is made on demand, and without what is not there. */
function whole(event: RecordedEvent): unknown {
  const { id, recordedAt, hash } = event;
  const members = Object.entries({ ...event, id, recordedAt, hash });
  return Object.fromEntries(members.filter(([, value]) => value !== undefined));
}

function folded(position: number, value: Uint8Array): RecordedEvent {
  // Entries stand between others.
  const bytes = Buffer.concat([salt, value, salt]);
  return decodeFoldedEvent(position, {
    bytes,
    start: salt.length,
    end: salt.length + value.length,
  });
}

test("an event decoded for a fold has the members of the one decoded whole", () => {
  fc.assert(
    fc.property(header, payload, (its, content) => {
      const { value } = encodeEntry(its, content, salt);
      const event = Entry.decode(its.position, value).event();
      expect(whole(folded(its.position, value))).toEqual(whole(event));
    }),
    { numRuns: 500 },
  );
});

const plainHeader: EntryHeader = {
  position: 5,
  recordedAtUs: 1_772_445_600_123_456,
  origin: "given",
  id: eventId,
  recordId: "r",
  version: 1,
  structure: { type: "record.created", kind: "k", edges: [] },
};
const plainPayload = { data: { name: "n", tags: { a: 1 } } };

test("an erased event decoded for a fold is empty and says by what", () => {
  const { entry } = encodeEntry(plainHeader, plainPayload, salt);
  const { value } = sealed(entry.erased({ erasedBy: 9, contentTag: salt }));
  const event = folded(5, value);
  expect(event).toEqual(Entry.decode(5, value).event());
  expect(event.erasedBy).toBe(9);
});

test("a member called __proto__ stays what decoding whole makes of it", () => {
  const data = JSON.parse('{"name":"n","attributes":{"__proto__":{"x":1}}}') as { name: string };
  const { value } = encodeEntry(plainHeader, { data }, salt);
  expect(whole(folded(5, value))).toEqual(whole(Entry.decode(5, value).event()));
});

test("every single flipped bit is noticed when an event is decoded for a fold", async () => {
  const { value } = encodeEntry(plainHeader, plainPayload, salt);
  const codes = new Set<string>();
  for (let bit = 0; bit < value.length * 8; bit += 1) {
    const damaged = Buffer.from(value);
    damaged.writeUInt8(damaged.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    codes.add(await codeOf(() => folded(5, damaged)));
  }
  expect([...codes]).toEqual(["checksum-mismatch"]);
});

test("a sealed entry that names another place or a newer format is refused as such", async () => {
  const { key, value } = encodeEntry(plainHeader, plainPayload, salt);
  const elsewhere = Buffer.from(value);
  sealFrame(encodeEntry({ ...plainHeader, position: 6 }, plainPayload, salt).key, elsewhere);
  expect(await codeOf(() => folded(6, elsewhere))).toBe("entry-unreadable");
  value[9] = 99;
  sealFrame(key, value);
  expect(await codeOf(() => folded(5, value))).toBe("format-too-new");
});
