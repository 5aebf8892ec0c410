/** The name read out of a stored creation, against the entry decoded whole. */
import { expect, test } from "vitest";

import { readCreatedName } from "./created-name.ts";
import type { EntryStructure } from "./entry-header.ts";
import { encodeEntry, sealed, type EntryPayload } from "./entry.ts";

const created: EntryStructure = { type: "record.created", kind: "k", edges: [] };

function encoded(payload: EntryPayload, structure: EntryStructure = created) {
  const header = {
    position: 7,
    recordedAtUs: 1_772_445_600_000_000,
    origin: "given",
    id: "0198c2f0-7c3a-7b1e-8f00-5d2a9c1b4e77",
    recordId: "a",
    version: 1,
    structure,
  } as const;
  return encodeEntry(header, payload, Buffer.alloc(16, 7));
}

test.each(["", "run-1", "Größe 日本 🎈", "x".repeat(70_000), "__proto__"])(
  "the name is read wherever it stands",
  (name) => {
    const attributes = { data: { name: "no" }, list: [1, -1.5, null, { name: "no" }] };
    for (const data of [{ name }, { attributes, name, tags: {} }]) {
      const { value } = encoded({ actor: "name", data });
      expect(readCreatedName(7, value)).toBe(name);
    }
  },
);

test("whatever is no plain creation, or is damaged, is left to who decodes it whole", () => {
  const { value, entry } = encoded({ data: { name: "n" } });
  const erased = sealed(entry.erased({ erasedBy: 9, contentTag: Buffer.alloc(16) }));
  const updated = { type: "record.updated", edges: null, restores: null } as const;
  const update = encoded({ data: { name: "n" } }, { ...updated, documentDigest: null });
  const changed = Buffer.from(value);
  changed[changed.length - 1] = 0x6d;
  for (const other of [erased.value, update.value, changed, value.subarray(0, 3)]) {
    expect(readCreatedName(7, other)).toBe(undefined);
  }
  expect([readCreatedName(8, value), readCreatedName(7, value)]).toEqual([undefined, "n"]);
});
