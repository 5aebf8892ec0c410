/** Erased content is sound where the log records the erasure, and damage where it does not. */
import { expect, test } from "vitest";

import { Entry, sealed } from "../codec/entry.ts";
import { frame } from "../codec/frame.ts";
import { encodeMessagePack } from "../codec/msgpack.ts";
import { replaced } from "../event/event.ts";
import { openStoreOn } from "../open-store.ts";
import { documentKey, entryKey, idempotencyKey } from "../storage/keyspace.ts";
import { openLevelStorage } from "../storage/level-storage.ts";
import { openMemoryStorage } from "../storage/memory-storage.ts";
import type { Storage } from "../storage/storage.ts";
import { make, revise, withdraw } from "../testing/samples.ts";
import { withTemporaryDirectory } from "../testing/temporary-directory.ts";
import { StorageVerification } from "./verify-storage.ts";

/** A store in which the content of `a@2`, a patch, is erased in place by the event at position 6. */
async function erasedStore() {
  const storage = openMemoryStorage();
  const store = await openStoreOn(storage);
  await store.append([make("a"), revise("a", 1), revise("a", 2)]);
  await store.append([withdraw("a@2"), make("b")]);
  await store.erase(["a@2"], { cause: "it names a person" });
  return { storage, store };
}

test("a store in which content was erased is sound, also when its records go on", async () => {
  const { store } = await erasedStore();
  expect(await store.verify()).toMatchObject({ ok: true, problems: [] });
  const document = { kind: "thing", name: "a", attributes: { value: 0 } };
  await store.append([replaced("a", document), revise("a", 3), make("c", ["a"])]);
  expect(await store.verify()).toMatchObject({ ok: true, problems: [] });
});

test("erased content is damage where the erasure that it names is one of another record", async () => {
  const { storage, store } = await erasedStore();
  const entry = Entry.decode(5, storage.get(entryKey(5)) ?? Buffer.alloc(0));
  const { key, value } = sealed(entry.erased({ erasedBy: 6, contentTag: Buffer.alloc(16, 1) }));
  await storage.write({ puts: [[key, value]] });
  expect(await store.verify()).toMatchObject({
    ok: false,
    intactUntil: 4,
    problems: [{ position: 5, part: "entry", code: "entry-unreadable" }],
  });
});

test("erased content is damage where what stands in its place is nothing that an erasure writes", async () => {
  const { storage, store } = await erasedStore();
  for (const contentTag of [null, Buffer.alloc(16), Buffer.alloc(15, 1)]) {
    const entry = Entry.decode(2, storage.get(entryKey(2)) ?? Buffer.alloc(0));
    const { key, value } = sealed(entry.erased({ erasedBy: 6, contentTag }));
    await storage.write({ puts: [[key, value]] });
    expect(await store.verify()).toMatchObject({ ok: false, intactUntil: 1 });
  }
});

test("content that is there again, though the log records its erasure, is found and costs no position", async () => {
  const storage = openMemoryStorage();
  const store = await openStoreOn(storage);
  await store.append([make("a"), make("b")]);
  const before = storage.get(entryKey(1)) ?? Buffer.alloc(0);
  await store.erase(["a"], { cause: "it names a person" });
  await storage.write({ puts: [[entryKey(1), before]] });
  const { ok, intactUntil, problems } = await store.verify();
  expect({ ok, intactUntil }).toEqual({ ok: false, intactUntil: 3 });
  expect(problems).toContainEqual(expect.objectContaining({ position: 1, part: "document" }));
});

test("the digest of a batch of which something was erased is found", async () => {
  const storage = openMemoryStorage();
  const store = await openStoreOn(storage);
  await store.append([make("a"), make("b")], { idempotencyKey: "first" });
  const key = idempotencyKey("first");
  const before = storage.get(key) ?? Buffer.alloc(0);
  await store.erase(["a"], { cause: "it names a person" });
  await storage.write({ puts: [[key, before]] });
  expect(await store.verify()).toMatchObject({
    ok: false,
    intactUntil: 3,
    problems: [{ part: "idempotency-key", code: "entry-unreadable" }],
  });
});

test("an erasure while a store is verified is no damage", async () => {
  await withTemporaryDirectory(async (directory) => {
    const storage = await openLevelStorage(directory);
    const store = await openStoreOn(storage);
    const fillers = Array.from({ length: 700 }, (_, index) => make(`r${index}`));
    await store.append([...fillers, make("a")], { idempotencyKey: "first" });
    await store.append([revise("a", 1), revise("a", 2), withdraw("a"), revise("a", 3)]);
    const { head } = store;
    const erase = () => store.erase(["a", "r650"], { cause: "it names a person" });
    const report = await new StorageVerification(interrupted(storage, erase), undefined).run({});
    expect(store.head).toBe(head + 1);
    expect(report).toMatchObject({ ok: true, head, problems: [] });
    expect(await store.verify()).toMatchObject({ ok: true, head: head + 1, problems: [] });
    await store.close();
  });
});

/** A storage in which something happens once, between the reading of the second chunk of a scan and its being given. */
function interrupted(storage: Storage, happen: () => Promise<unknown>): Storage {
  let hasHappened = false;
  return {
    get: (key) => storage.get(key),
    readable: () => storage.readable(),
    recover: () => storage.recover(),
    write: (batch) => storage.write(batch),
    compact: () => storage.compact(),
    close: () => storage.close(),
    async *scan(range) {
      let count = 0;
      for await (const chunk of storage.scan(range)) {
        count += 1;
        if (count === 2 && !hasHappened) {
          hasHappened = true;
          await happen();
        }
        yield chunk;
      }
    },
  };
}

test("a document left behind by an erasure is found", async () => {
  const { storage, store } = await erasedStore();
  const key = documentKey(2);
  await storage.write({ puts: [[key, frame(key, encodeMessagePack(["salt", {}]))]] });
  expect(await store.verify()).toMatchObject({
    ok: false,
    problems: [{ position: 2, part: "document" }],
  });
});
