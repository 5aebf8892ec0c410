/** A copy of a log holds every stored byte of it, and nothing gets into one that does not follow from what is there. */
import { cpSync } from "node:fs";
import { join } from "node:path";

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { encodeEntry, Entry } from "../codec/entry.ts";
import { encodeMessagePack } from "../codec/msgpack.ts";
import { created, invalidated, replaced, updated, type NewEvent } from "../event/event.ts";
import { openMemoryStore, openStoreOn } from "../open-store.ts";
import { openLevelStorage } from "../storage/level-storage.ts";
import { openMemoryStorage } from "../storage/memory-storage.ts";
import type { Storage } from "../storage/storage.ts";
import type { EmbeddedStore } from "../store.ts";
import { histories } from "../testing/arbitraries.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { contentsOf, fillStore } from "../testing/fill-store.ts";
import { propertySettings } from "../testing/settings.ts";
import { codeOf } from "../testing/storage-contract.ts";
import { withTemporaryDirectory } from "../testing/temporary-directory.ts";
import { copyLog } from "./copy-log.ts";
import { LogCopy } from "./log-copy.ts";

const image = join(import.meta.dirname, "../../../../test/fixtures/stores/format-1-entry-1/store");

async function withStore(
  fill: (store: EmbeddedStore) => Promise<void>,
  use: (storage: Storage, store: EmbeddedStore) => Promise<void>,
): Promise<void> {
  const storage = openMemoryStorage();
  const store = await openStoreOn(storage, { clock: new FakeClock("2026-03-02T10:00:00Z") });
  await fill(store);
  await use(storage, store);
  await store.close();
}

async function entriesOf(store: EmbeddedStore): Promise<Entry[]> {
  const all: Entry[] = [];
  for await (const entries of store.log.readEntries()) all.push(...entries);
  return all;
}

const dataset = (name: string) => ({ kind: "dataset", name });

async function fillFew(store: EmbeddedStore): Promise<void> {
  await store.append([created("a", dataset("a")), created("b", dataset("b"))]);
  await store.append([updated("a", { tags: { x: 1 } })], { idempotencyKey: "third" });
  await store.append([invalidated("b", { cause: "wrong" })], { idempotencyKey: "fourth" });
}

test("a copy of any history holds every stored byte of it", async () => {
  expect.hasAssertions();
  await fc.assert(
    fc.asyncProperty(histories(), async (steps) => {
      const source = openMemoryStorage();
      const clock = new FakeClock("2026-03-02T10:00:00Z", -250_000);
      const store = await openStoreOn(source, { clock });
      await fillStore(store, steps);
      const target = openMemoryStorage();
      const { root } = await copyLog(source, target);
      expect(root).toEqual(store.log.proofs.treeHead().root);
      expect(await contentsOf(target)).toEqual(await contentsOf(source));
    }),
    propertySettings(60),
  );
});

test("a copy holds full version blocks and full tiles, written in several writes", async () => {
  const fill = async (store: EmbeddedStore) => {
    await store.append([created("counter", { kind: "counter", name: "n" })]);
    const patches = Array.from({ length: 2300 }, (_, value): NewEvent =>
      updated("counter", { attributes: { value } }),
    );
    await store.append(patches, { idempotencyKey: "all" });
  };
  await withStore(fill, async (source) => {
    const target = openMemoryStorage();
    const reached: number[] = [];
    await copyLog(source, target, { onProgress: (position) => reached.push(position) });
    expect(reached).toEqual([1000, 2000, 2301]);
    expect(await contentsOf(target)).toEqual(await contentsOf(source));
  });
});

test("a copy of a store that an earlier version wrote, and this one went on with, holds every stored byte", async () => {
  await withTemporaryDirectory(async (directory) => {
    cpSync(image, directory, { recursive: true });
    const source = await openLevelStorage(join(directory, "log"), { create: false });
    const store = await openStoreOn(source);
    await store.append([updated("counter", { attributes: { value: "new" } })]);
    const target = openMemoryStorage();
    await copyLog(source, target);
    expect(await contentsOf(target)).toEqual(await contentsOf(source));
    await store.close();
  });
});

test("a copy goes on where an earlier one ended", async () => {
  await withStore(fillFew, async (source, store) => {
    const target = openMemoryStorage();
    await copyLog(source, target);
    await store.append([updated("a", { name: "again" })], { idempotencyKey: "fifth" });
    await copyLog(source, target);
    expect(await contentsOf(target)).toEqual(await contentsOf(source));
  });
});

test("a copy of a beginning leaves out the keys that name what is cut off", async () => {
  await withStore(fillFew, async (source) => {
    const target = openMemoryStorage();
    const { head, keysLeftOut } = await copyLog(source, target, { until: 3 });
    expect({ head, keysLeftOut }).toEqual({ head: 3, keysLeftOut: 1 });
    const copy = await openStoreOn(target);
    expect(await copy.verify()).toMatchObject({ ok: true, head: 3 });
    expect(Object.keys(await contentsOf(target, "K"))).toEqual([`K ${hexOf("third")}`]);
    await copy.close();
  });
});

test("an entry out of its place is refused, and what was written before it stays sound", async () => {
  await withStore(fillFew, async (_source, store) => {
    const [first, second, third] = await entriesOf(store);
    if (first === undefined || second === undefined || third === undefined) throw new Error();
    const target = openMemoryStorage();
    const copy = LogCopy.open(target);
    await copy.add([first]);
    await copy.finish();
    expect(await codeOf(() => LogCopy.open(target).add([third]))).toBe("log-gap");
    expect(await codeOf(() => LogCopy.open(target).add([first]))).toBe("log-gap");
    const sound = await openStoreOn(target);
    expect(await sound.verify()).toMatchObject({ ok: true, head: 1 });
    await sound.close();
  });
});

/** What a log would have to hold for the last of these entries to be taken, and what is wrong with it. */
const wrongEntries: readonly [what: string, code: string, make: (entry: Entry) => Entry][] = [
  [
    "content that its header does not commit to",
    "checksum-mismatch",
    (entry) => Entry.fromParts(3, Buffer.from(entry.headerBytes), otherPayload()),
  ],
  ["a version that is no next one", "entry-unreadable", (entry) => again(entry, { version: 5 })],
  ["a time before the last", "entry-unreadable", (entry) => again(entry, { recordedAtUs: 1 })],
  [
    "a record that does not begin with a creation",
    "entry-unreadable",
    (entry) => again(entry, { recordId: "new", version: 1 }),
  ],
  [
    "a patch that makes another document than it commits to",
    "checksum-mismatch",
    (entry) =>
      again(entry, {
        structure: {
          type: "record.updated",
          edges: null,
          restores: null,
          documentDigest: Buffer.alloc(32),
        },
      }),
  ],
  [
    "a source that is not there",
    "entry-unreadable",
    (entry) =>
      again(entry, {
        structure: {
          type: "record.updated",
          edges: [{ recordId: "b", version: 7, role: null, relation: "used" }],
          restores: null,
          documentDigest: null,
        },
      }),
  ],
  [
    "a withdrawal of what is not there",
    "entry-unreadable",
    (entry) =>
      again(entry, {
        structure: { type: "record.invalidated", from: 1, to: 2, root: null, via: null },
      }),
  ],
  [
    "a record id that is none",
    "entry-unreadable",
    (entry) => again(entry, { recordId: 7 as unknown as string }),
  ],
];

test.each(wrongEntries)("%s is refused", async (_what, code, make) => {
  await withStore(fillFew, async (_source, store) => {
    const [first, second, third] = await entriesOf(store);
    if (first === undefined || second === undefined || third === undefined) throw new Error();
    const copy = LogCopy.open(openMemoryStorage());
    expect(await codeOf(() => copy.add([first, second, make(third)]))).toBe(code);
  });
});

test("an event id that stands in the log twice is refused", async () => {
  await withStore(fillFew, async (_source, store) => {
    const [first, second] = await entriesOf(store);
    if (first === undefined || second === undefined) throw new Error();
    const twice = again(second, { id: first.header.id });
    expect(await codeOf(() => LogCopy.open(openMemoryStorage()).add([first, twice]))).toBe(
      "entry-unreadable",
    );
  });
});

test("erased content is taken when the log records the erasure, and the copy is the same to the byte", async () => {
  const fill = async (store: EmbeddedStore) => {
    await store.append([created("a", dataset("a"))], { idempotencyKey: "made" });
    await store.append([updated("a", { attributes: 1 })]);
    await store.append([invalidated("a", { cause: "personal" })]);
    await store.erase(["a"], { cause: "withdrawn consent" });
  };
  await withStore(fill, async (source) => {
    const target = openMemoryStorage();
    await copyLog(source, target);
    expect(await contentsOf(target)).toEqual(await contentsOf(source));
  });
});

test("content said to be erased by what is no erasure is refused", async () => {
  await withStore(fillFew, async (_source, store) => {
    const entries = await entriesOf(store);
    const erasedBy = (position: number) =>
      entries.map((entry) =>
        entry.header.position === 1
          ? entry.erased({ erasedBy: position, contentTag: Buffer.alloc(16) })
          : entry,
      );
    const add = async (erased: readonly Entry[]) => {
      const copy = LogCopy.open(openMemoryStorage());
      await copy.add(erased);
      await copy.finish();
    };
    expect(await codeOf(() => add(erasedBy(2)))).toBe("checksum-mismatch");
    expect(await codeOf(() => add(erasedBy(1)))).toBe("checksum-mismatch");
    expect(await codeOf(() => add(erasedBy(99)))).toBe("checksum-mismatch");
  });
});

async function fillAndErase(store: EmbeddedStore): Promise<void> {
  await store.append([created("a", dataset("secret a")), created("b", dataset("secret b"))], {
    idempotencyKey: "made",
  });
  await store.append([updated("a", { tags: { x: 1 } }), invalidated("b", { cause: "secret" })]);
  await store.erase(["a@1"], { cause: "private" });
  await store.erase(["b@1"], { cause: "private" });
}

const tag = Buffer.alloc(16, 7);

test.each([
  ["of another record", 2, 5, tag],
  ["of another version", 4, 6, null],
  ["with a tag of another length", 1, 5, Buffer.alloc(15, 7)],
  ["with a tag of zeros", 1, 5, Buffer.alloc(16)],
  ["without a tag", 1, 5, null],
] as const)(
  "content said to be erased by an erasure %s is refused",
  async (_what, position, erasedBy, contentTag) => {
    await withStore(fillAndErase, async (_source, store) => {
      const entries = (await entriesOf(store)).map((entry) =>
        entry.header.position === position ? entry.erased({ erasedBy, contentTag }) : entry,
      );
      const copy = LogCopy.open(openMemoryStorage());
      const add = async () => {
        await copy.add(entries);
        await copy.finish();
      };
      expect(await codeOf(add)).toBe("checksum-mismatch");
    });
  },
);

test("content that an erasure further on names is erased again, with its documents and digests", async () => {
  const store = await openMemoryStore();
  await store.append([created("a", dataset("secret a")), created("b", dataset("b"))], {
    idempotencyKey: "made",
  });
  await store.append([updated("a", { attributes: 1 }), replaced("a", dataset("secret a"))]);
  const before = await entriesOf(store);
  const key = store.log.state.idempotentBatch("made");
  await store.erase(["a"], { cause: "private" });
  const after = await entriesOf(store);
  const target = openMemoryStorage();
  const copy = LogCopy.open(target);
  await copy.add([...before, ...after.slice(before.length)]);
  if (key !== undefined) await copy.addKeys([["made", key]]);
  const { root } = await copy.finish();
  expect(root).toEqual(store.log.proofs.treeHead().root);
  expect(JSON.stringify(await contentsOf(target))).not.toContain(hexOf("secret"));
  const copied = await openStoreOn(target);
  expect(await copied.verify()).toMatchObject({ ok: true, problems: [] });
  expect(copied.log.state.idempotentBatch("made")?.digest).toBeNull();
  const [first, , third, fourth] = await entriesOf(copied);
  expect(first?.erasure?.contentTag).toEqual(fourth?.erasure?.contentTag);
  expect(first?.erasure?.contentTag).not.toEqual(third?.erasure?.contentTag);
  await copied.close();
  await store.close();
});

test("an idempotency key that names what is not there is refused", async () => {
  const store = await openMemoryStore();
  await fillFew(store);
  const copy = LogCopy.open(openMemoryStorage());
  await copy.add(await entriesOf(store));
  const digest = Buffer.alloc(32);
  for (const batch of [
    { digest, positions: [5] },
    { digest, positions: [] },
    { digest: Buffer.alloc(31), positions: [1] },
  ]) {
    expect(await codeOf(() => copy.addKeys([["key", batch]]))).toBe("entry-unreadable");
  }
  await store.close();
});

/** The same entry with another header, which commits to the same content. */
function again(entry: Entry, changed: Partial<Entry["header"]>): Entry {
  const salt = entry.salt ?? Buffer.alloc(16);
  return encodeEntry({ ...entry.header, ...changed }, entry.payload(), salt).entry;
}

function otherPayload(): Buffer {
  return encodeMessagePack([Buffer.alloc(16), { data: { patch: { name: "other" } } }]);
}

function hexOf(text: string): string {
  return Buffer.from(text).toString("hex");
}
