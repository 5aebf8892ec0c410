/** Erased content is sound where the log records the erasure, and damage where it does not. */
import { expect, test } from "vitest";

import { Entry, sealed } from "../codec/entry.ts";
import { frame } from "../codec/frame.ts";
import { encodeMessagePack } from "../codec/msgpack.ts";
import { replaced } from "../event/event.ts";
import { openStoreOn } from "../open-store.ts";
import { documentKey, entryKey } from "../storage/keyspace.ts";
import { openMemoryStorage } from "../storage/memory-storage.ts";
import { make, revise, withdraw } from "../testing/samples.ts";

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

test("a document left behind by an erasure is found", async () => {
  const { storage, store } = await erasedStore();
  const key = documentKey(2);
  await storage.write({ puts: [[key, frame(key, encodeMessagePack(["salt", {}]))]] });
  expect(await store.verify()).toMatchObject({
    ok: false,
    problems: [{ position: 2, part: "document" }],
  });
});
