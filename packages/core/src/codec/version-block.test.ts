/** Version blocks against a plain list of the same versions. */
import * as fc from "fast-check";
import { expect, test } from "vitest";

import { blockVersionsMax, VersionBlock, type VersionEntry } from "./version-block.ts";

const entries = fc
  .array(
    fc.record({
      gap: fc.integer({ min: 1, max: 5 }),
      isInvalidation: fc.boolean(),
      from: fc.nat({ max: 20 }),
      span: fc.nat({ max: 20 }),
      patched: fc.boolean(),
      erased: fc.boolean(),
      digest: fc.option(fc.uint8Array({ minLength: 16, maxLength: 16 }), { nil: undefined }),
    }),
    { minLength: 1, maxLength: blockVersionsMax },
  )
  .map((drafts) => {
    let position = 0;
    return drafts.map((draft, index): VersionEntry => {
      position += draft.gap;
      const isInvalidation = draft.isInvalidation && index > 0;
      const isBlank = draft.digest?.every((byte) => byte === 0) ?? true;
      return {
        version: index + 1,
        type: isInvalidation ? "record.invalidated" : "record.updated",
        position,
        recordedAtUs: 1_772_445_600_000_000 + position,
        contentVersion: index + 1,
        contentPosition: position,
        patched: draft.patched && !draft.erased,
        erased: draft.erased,
        digest: isBlank ? undefined : Buffer.from(draft.digest ?? []),
        from: isInvalidation ? draft.from : 0,
        to: isInvalidation ? draft.from + draft.span : 0,
      };
    });
  });

function blockOf(list: readonly VersionEntry[]): VersionBlock {
  const [first, ...rest] = list;
  if (first === undefined) throw new Error("a block has at least one version");
  let block = VersionBlock.first(first);
  for (const entry of rest) block = block.with(entry);
  return new VersionBlock(Buffer.from(block.bytes));
}

test("a block gives back its versions and finds the one at any position", () => {
  fc.assert(
    fc.property(entries, (list) => {
      const block = blockOf(list);
      expect(list.map(({ version }) => block.entry(version))).toEqual(list);
      expect(block.last()).toEqual(list.at(-1));
      expect(block.count).toBe(list.length);
      const last = list.at(-1)?.position ?? 0;
      for (let position = 0; position <= last + 1; position += 1) {
        const expected = list.findLast((entry) => entry.position <= position)?.version ?? 0;
        expect(block.versionAt(position)).toBe(expected);
      }
    }),
  );
});

test("a block finds the first invalidation that withdraws a version", () => {
  fc.assert(
    fc.property(entries, fc.nat({ max: 200 }), (list, position) => {
      const block = blockOf(list);
      for (const { version } of list) {
        const expected = list.find(
          (entry) =>
            entry.version > version &&
            entry.position <= position &&
            entry.type === "record.invalidated" &&
            entry.from <= version &&
            version <= entry.to,
        );
        expect(block.withdrawalOf(version, position)).toEqual(expected);
      }
    }),
  );
});

test("a full block continues in the next one, which knows the record's beginning", () => {
  const entry = {
    type: "record.updated",
    recordedAtUs: 9,
    contentVersion: 1,
    contentPosition: 1,
    patched: false,
    erased: false,
    digest: undefined,
    from: 0,
    to: 0,
  } as const;
  let block = VersionBlock.first({ ...entry, position: 11, recordedAtUs: 99 });
  for (let index = 1; index < blockVersionsMax; index += 1)
    block = block.with({ ...entry, position: 11 + index });
  expect(block.isFull).toBe(true);
  expect(() => block.with({ ...entry, position: 999 })).toThrow("full");
  const next = block.next({ ...entry, position: 1000 });
  expect([next.index, next.firstVersion, next.createdPosition, next.createdAtUs]).toEqual([
    1,
    blockVersionsMax + 1,
    11,
    99,
  ]);
});

test("a block knows the newest invalidation, also one in a block before it", () => {
  const entry = {
    recordedAtUs: 9,
    contentVersion: 1,
    contentPosition: 1,
    patched: false,
    erased: false,
    digest: undefined,
  };
  const update = { ...entry, type: "record.updated", from: 0, to: 0 } as const;
  const invalidation = { ...entry, type: "record.invalidated", from: 1, to: 1 } as const;
  let block = VersionBlock.first({ ...update, position: 1 });
  expect(block.lastInvalidation).toBe(0);
  block = block.with({ ...invalidation, position: 2 });
  expect(block.lastInvalidation).toBe(2);
  for (let version = 3; version <= blockVersionsMax; version += 1)
    block = block.with({ ...update, position: version });
  expect(block.lastInvalidation).toBe(2);
  expect(block.entry(3).from).toBe(0);
  const next = block.next({ ...update, position: 999 });
  expect([
    next.lastInvalidation,
    next.with({ ...invalidation, position: 1000 }).lastInvalidation,
  ]).toEqual([2, 66]);
});

test("adding a version leaves the block before as it was", () => {
  const block = blockOf([
    {
      version: 1,
      type: "record.created",
      position: 1,
      recordedAtUs: 1,
      contentVersion: 1,
      contentPosition: 1,
      patched: false,
      erased: false,
      digest: undefined,
      from: 0,
      to: 0,
    },
  ]);
  const before = Buffer.from(block.bytes);
  block.with({ ...block.last(), position: 2 });
  expect(block.bytes).toEqual(before);
});

test.each([
  ["a type", 24, 4],
  ["no type", 24, 0],
  ["a place of its content", 25, 3],
  ["a format", 0, 2],
])("%s that this version does not know is refused", (_what, offset, code) => {
  const row = { recordedAtUs: 1, contentVersion: 1, contentPosition: 1, from: 0, to: 0 };
  const content = { patched: false, erased: false, digest: undefined };
  const block = VersionBlock.first({ type: "record.created", position: 1, ...row, ...content });
  const bytes = Buffer.from(block.bytes);
  bytes[offset] = code;
  expect(() => new VersionBlock(bytes).entry(1)).toThrow(
    expect.objectContaining({ code: "format-too-new" }),
  );
});
