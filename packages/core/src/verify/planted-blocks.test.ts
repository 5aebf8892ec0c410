/** Damage to version blocks, planted with a checksum that is right: it is found, with its place. */
import { expect, test } from "vitest";

import { blockKey, olderBlockKey } from "../storage/keyspace.ts";
import {
  body,
  change,
  double,
  plantable,
  problemsOf,
  put,
  remove,
  type Plant,
} from "../testing/plant-damage.ts";

const rowStart = 24;
const rowBytes = 56;
/** Where a version's row begins in the newest block of `a`, whose first version is 65. */
const rowOf = (version: number) => rowStart + (version - 65) * rowBytes;
/** A wrong value in one column of version 70 of `a`, at position 70. */
function wrongRow(what: string, offset: number, wrong: Uint8Array): Plant {
  return {
    what: `a version row with another ${what}`,
    space: "block",
    plant: (storage) =>
      change(storage, blockKey("a"), (bytes) => bytes.set(wrong, rowOf(70) + offset)),
    found: ["70 versions entry-unreadable"],
  };
}

const wrongRows: readonly Plant[] = [
  wrongRow("type", 0, Buffer.from([1])),
  wrongRow("place of its content", 1, Buffer.from([0])),
  wrongRow("reserved byte", 2, Buffer.from([1])),
  wrongRow("content version", 4, Buffer.from([1])),
  wrongRow("position", 8, double(69)),
  wrongRow("time", 16, double(1)),
  wrongRow("content position", 24, double(1)),
  wrongRow("newest invalidation", 32, Buffer.from([1])),
  wrongRow("end of a range", 36, Buffer.from([1])),
  wrongRow("digest", 40, Buffer.from([0, 1])),
];

const blocks: readonly Plant[] = [
  ...wrongRows,
  {
    what: "a withdrawal with another range",
    space: "block",
    plant: (storage) =>
      change(storage, blockKey("a"), (bytes) => bytes.writeUInt32LE(1, rowOf(71) + 32)),
    found: ["71 versions entry-unreadable"],
  },
  {
    what: "a block that says another creation",
    space: "block",
    plant: (storage) => change(storage, blockKey("b"), (bytes) => bytes.writeDoubleLE(71, 8)),
    found: ["72 versions entry-unreadable"],
  },
  {
    what: "a block with bytes after its rows",
    space: "block",
    plant: (storage) =>
      change(storage, blockKey("b"), (bytes) => Buffer.concat([bytes, Buffer.alloc(56)])),
    found: ["72 versions entry-unreadable"],
  },
  {
    what: "a missing block",
    space: "block",
    plant: (storage) => remove(storage, blockKey("b")),
    found: ["72 versions log-gap"],
  },
  {
    what: "a block that lacks the last version",
    space: "block",
    plant: (storage) =>
      change(storage, blockKey("b"), (bytes) => {
        bytes.writeUInt16LE(1, 2);
        return bytes.subarray(0, rowStart + rowBytes);
      }),
    found: ["73 versions log-gap"],
  },
  {
    what: "a block of a record that the log does not create",
    space: "block",
    plant: (storage) => put(storage, blockKey("ghost"), body(storage, blockKey("r9"))),
    found: ["83 versions entry-unreadable"],
  },
  {
    what: "a block that cannot be read, of a record that the log does not create",
    space: "block",
    plant: (storage) => storage.write({ puts: [[blockKey("ghost"), Buffer.alloc(90)]] }),
    found: ["0 versions entry-unreadable"],
  },
  {
    what: "an older block with a wrong row",
    space: "olderBlock",
    plant: (storage) =>
      change(storage, olderBlockKey("a", 0), (bytes) =>
        bytes.writeDoubleLE(11, rowStart + 9 * rowBytes + 24),
      ),
    found: ["10 versions entry-unreadable"],
  },
  {
    what: "a missing older block",
    space: "olderBlock",
    plant: (storage) => remove(storage, olderBlockKey("a", 0)),
    found: ["1 versions log-gap"],
  },
  {
    what: "an older block that says another creation",
    space: "olderBlock",
    plant: (storage) =>
      change(storage, olderBlockKey("a", 0), (bytes) => bytes.writeDoubleLE(7, 16)),
    found: ["1 versions entry-unreadable", "1 versions entry-unreadable"],
  },
  {
    what: "an older block under an index of its own",
    space: "olderBlock",
    plant: (storage) => put(storage, olderBlockKey("a", 1), body(storage, olderBlockKey("a", 0))),
    found: ["1 versions entry-unreadable"],
  },
  {
    what: "an older block beside the same newest one",
    space: "olderBlock",
    plant: (storage) => put(storage, olderBlockKey("b", 0), body(storage, blockKey("b"))),
    found: ["72 versions entry-unreadable"],
  },
];

test("the store that damage is planted in is sound", async () => {
  expect(await problemsOf(await plantable())).toEqual([]);
});

test.each(blocks)("found: $what", async ({ plant, found }) => {
  const storage = await plantable();
  await plant(storage);
  expect(await problemsOf(storage)).toEqual(found);
});
