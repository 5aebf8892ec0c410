/** Damage to everything but version blocks, planted with a checksum that is right: it is found, with its place. */
import { expect, test } from "vitest";

import { Entry } from "../codec/entry.ts";
import { decodeMessagePack, encodeMessagePack } from "../codec/msgpack.ts";
import {
  commitKey,
  documentKey,
  entryKey,
  eventIdKey,
  idempotencyKey,
  keySpaces,
  tileKey,
} from "../storage/keyspace.ts";
import {
  body,
  change,
  changeCommit,
  changeEntry,
  double,
  head,
  plantable,
  problemsOf,
  put,
  remove,
  type Plant,
} from "../testing/plant-damage.ts";
import { eventId } from "../testing/samples.ts";
import { spaceOf } from "./key-check.ts";

const entries: readonly Plant[] = [
  {
    what: "an entry of another record",
    space: "entry",
    plant: (storage) => changeEntry(storage, 100, { recordId: "r27" }),
    found: [
      "1 tile root-mismatch",
      "1 tile root-mismatch",
      "100 versions entry-unreadable",
      "100 entry root-mismatch",
    ],
  },
  {
    what: "an entry of an earlier time",
    space: "entry",
    plant: (storage) => changeEntry(storage, 600, { recordedAtUs: 1 }),
    found: [
      "593 entry root-mismatch",
      "600 entry entry-unreadable",
      "600 versions entry-unreadable",
      "600 commit head-mismatch",
    ],
  },
  {
    what: "an entry with the content of another",
    space: "entry",
    plant: async (storage) => {
      const [one, other] = [80, 81].map((position) => {
        const value = storage.get(entryKey(position)) ?? Buffer.alloc(0);
        return Entry.decode(position, value);
      });
      const headerBytes = Buffer.from(one?.headerBytes ?? []);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(headerBytes.length);
      await put(
        storage,
        entryKey(80),
        Buffer.concat([length, headerBytes, other?.payloadBytes ?? Buffer.alloc(0)]),
      );
    },
    found: ["80 entry checksum-mismatch"],
  },
  {
    what: "an entry erased by an event that records no erasure",
    space: "entry",
    plant: async (storage) => {
      const entry = Entry.decode(80, storage.get(entryKey(80)) ?? Buffer.alloc(0));
      const { headerBytes, payloadBytes } = entry.erased({ erasedBy: 90, contentTag: null });
      const length = Buffer.alloc(4);
      length.writeUInt32LE(headerBytes.length);
      await put(storage, entryKey(80), Buffer.concat([length, headerBytes, payloadBytes]));
    },
    found: ["80 entry entry-unreadable"],
  },
  {
    what: "an entry that is no entry",
    space: "entry",
    plant: (storage) => put(storage, entryKey(80), Buffer.from("nonsense")),
    found: ["80 entry entry-unreadable"],
  },
  {
    what: "entries that are missing",
    space: "entry",
    plant: async (storage) => {
      await remove(storage, entryKey(300));
      await remove(storage, entryKey(301));
    },
    found: ["300 entry log-gap"],
  },
  {
    what: "an entry after the head",
    space: "entry",
    plant: (storage) => put(storage, entryKey(head + 1), body(storage, entryKey(head))),
    found: ["601 commit head-mismatch"],
  },
  {
    what: "an entry at position 0",
    space: "entry",
    plant: (storage) => put(storage, entryKey(0), body(storage, entryKey(1))),
    found: ["0 commit head-mismatch"],
  },
];

const others: readonly Plant[] = [
  {
    what: "a document that its patch does not make",
    space: "document",
    plant: (storage) =>
      change(storage, documentKey(5), (bytes) => {
        const [salt, document] = decodeMessagePack(bytes) as [Uint8Array, object];
        return encodeMessagePack([salt, { ...document, name: "another" }]);
      }),
    found: ["5 document entry-unreadable"],
  },
  {
    what: "a document behind another salt",
    space: "document",
    plant: (storage) =>
      change(storage, documentKey(5), (bytes) => {
        const [, document] = decodeMessagePack(bytes) as [Uint8Array, object];
        return encodeMessagePack([Buffer.alloc(16), document]);
      }),
    found: ["5 document entry-unreadable"],
  },
  {
    what: "a missing document",
    space: "document",
    plant: (storage) => remove(storage, documentKey(5)),
    found: ["5 document log-gap"],
  },
  {
    what: "a document where no patch made one",
    space: "document",
    plant: (storage) => put(storage, documentKey(100), body(storage, documentKey(5))),
    found: ["100 document entry-unreadable"],
  },
  {
    what: "a document of a whole update",
    space: "document",
    plant: (storage) => put(storage, documentKey(73), body(storage, documentKey(5))),
    found: ["73 document entry-unreadable"],
  },
  {
    what: "an event id that names another position",
    space: "eventId",
    plant: (storage) => put(storage, eventIdKey(eventId(1)), double(2)),
    found: ["1 event-id entry-unreadable"],
  },
  {
    what: "a missing event id",
    space: "eventId",
    plant: (storage) => remove(storage, eventIdKey(eventId(1))),
    found: ["1 event-id entry-unreadable"],
  },
  {
    what: "an event id that no event has",
    space: "eventId",
    plant: (storage) => put(storage, eventIdKey(eventId(2)), double(2)),
    found: ["2 event-id entry-unreadable"],
  },
  {
    what: "an event id that carries its position",
    space: "eventId",
    plant: async (storage) => {
      const { header } = Entry.decode(9, storage.get(entryKey(9)) ?? Buffer.alloc(0));
      await put(storage, eventIdKey(header.id), double(9));
    },
    found: ["9 event-id entry-unreadable"],
  },
  {
    what: "an idempotency key that is no batch",
    space: "idempotency",
    plant: (storage) => put(storage, idempotencyKey("first"), encodeMessagePack(["x", 1])),
    found: ["0 idempotency-key entry-unreadable"],
  },
  {
    what: "an idempotency key that names a position after the head",
    space: "idempotency",
    plant: (storage) =>
      put(storage, idempotencyKey("second"), encodeMessagePack([Buffer.alloc(32), [1, head + 1]])),
    found: ["0 idempotency-key entry-unreadable"],
  },
  {
    what: "an idempotency key that cannot be read",
    space: "idempotency",
    plant: (storage) => storage.write({ puts: [[idempotencyKey("first"), Buffer.alloc(9)]] }),
    found: ["0 idempotency-key checksum-mismatch"],
  },
  {
    what: "a tile with another hash",
    space: "tile",
    plant: (storage) => change(storage, tileKey(0, 1), (bytes) => bytes.fill(1, 0, 32)),
    found: ["257 tile root-mismatch"],
  },
  {
    what: "a tile of a higher level with another hash",
    space: "tile",
    plant: (storage) => change(storage, tileKey(1, 0), (bytes) => bytes.fill(1, 32)),
    found: ["1 tile root-mismatch"],
  },
  {
    what: "a tile with a hash too many",
    space: "tile",
    plant: (storage) =>
      change(storage, tileKey(1, 0), (bytes) => Buffer.concat([bytes, Buffer.alloc(32)])),
    found: ["1 tile root-mismatch"],
  },
  {
    what: "a missing tile",
    space: "tile",
    plant: (storage) => remove(storage, tileKey(0, 0)),
    found: ["1 tile log-gap"],
  },
  {
    what: "a tile of the tree that is not full yet",
    space: "tile",
    plant: (storage) => put(storage, tileKey(0, 2), Buffer.alloc(32)),
    found: ["0 tile entry-unreadable"],
  },
  {
    what: "a tile of a level that is not there",
    space: "tile",
    plant: (storage) => put(storage, tileKey(2, 0), Buffer.alloc(32)),
    found: ["0 tile entry-unreadable"],
  },
  {
    what: "a commit record with another frontier",
    space: "commit",
    plant: (storage) =>
      changeCommit(storage, { frontier: Array.from({ length: 4 }, () => Buffer.alloc(32)) }),
    found: ["1 entry root-mismatch"],
  },
  {
    what: "a commit record with another count",
    space: "commit",
    plant: (storage) => changeCommit(storage, { recordCount: 1 }),
    found: ["600 commit head-mismatch"],
  },
  {
    what: "a commit record with another time",
    space: "commit",
    plant: (storage) => changeCommit(storage, { recordedAtUs: 1 }),
    found: ["600 commit head-mismatch"],
  },
  {
    what: "a missing commit record",
    space: "commit",
    plant: (storage) => remove(storage, commitKey),
    found: ["0 commit head-mismatch"],
  },
  {
    what: "a key in a space that is none",
    space: "none",
    plant: (storage) => put(storage, Buffer.from("X"), Buffer.alloc(4)),
    found: ["0 unknown-key entry-unreadable"],
  },
  {
    what: "a key that is too long for its space",
    space: "none",
    plant: (storage) =>
      put(storage, Buffer.concat([documentKey(5), Buffer.alloc(1)]), Buffer.alloc(4)),
    found: ["0 unknown-key entry-unreadable"],
  },
];

const plants: readonly Plant[] = [...entries, ...others];

test.each(plants)("found: $what", async ({ plant, found }) => {
  const storage = await plantable();
  await plant(storage);
  expect(await problemsOf(storage)).toEqual(found);
});

test("damage is planted in every space that a store writes, and beside them", async () => {
  const storage = await plantable();
  const written = new Set<string | undefined>();
  for await (const chunk of storage.scan({ from: Buffer.alloc(0), until: Buffer.alloc(9, 0xff) })) {
    for (const [key] of chunk) written.add(spaceOf(key));
  }
  expect(written).toEqual(new Set(Object.keys(keySpaces)));
  const planted = new Set<string | undefined>(plants.map(({ space }) => space));
  // Those of version blocks stand in a file of their own.
  planted.add("block").add("olderBlock").delete("none");
  expect(planted).toEqual(written);
});
