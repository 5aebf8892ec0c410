/** Verification and damage: a changed byte is found, and never becomes a wrong answer. */
import { expect, test } from "vitest";

import { frame } from "./codec/frame.ts";
import { encodeMessagePack } from "./codec/msgpack.ts";
import { openStoreOn } from "./open-store.ts";
import { blockKey, commitKey, documentKey, entryKey, eventIdKey } from "./storage/keyspace.ts";
import { openMemoryStorage } from "./storage/memory-storage.ts";
import type { Storage } from "./storage/storage.ts";
import { eventId, make, readAll, revise, withdraw } from "./testing/samples.ts";
import { codeOf } from "./testing/storage-contract.ts";
import type { VerifyProgress } from "./verify.ts";

async function storeWithHistory() {
  const storage = openMemoryStorage();
  const store = await openStoreOn(storage);
  await store.append([make("a", [], { id: eventId(1) }), make("b", ["a"])]);
  await store.append([revise("a", 1), withdraw("a@1")]);
  return { storage, store };
}

async function flip(storage: Storage, key: Uint8Array, place = -1): Promise<void> {
  const value = Buffer.from(storage.get(key) ?? []);
  const index = place < 0 ? value.length + place : place;
  value.writeUInt8(value.readUInt8(index) ^ 1, index);
  await storage.write({ puts: [[key, value]] });
}

test("a whole store is found whole, and the progress is told", async () => {
  const { store } = await storeWithHistory();
  const seen: VerifyProgress[] = [];
  const report = await store.verify({ onProgress: (progress) => seen.push(progress) });
  expect(report).toMatchObject({
    ok: true,
    head: 5,
    events: 5,
    records: 2,
    intactUntil: 5,
    unreadable: 0,
    problemCount: 0,
    problems: [],
  });
  expect(seen.at(-1)).toMatchObject({ position: 5, head: 5, bytes: report.bytes });
});

test("an empty store is whole", async () => {
  const store = await openStoreOn(openMemoryStorage());
  expect(await store.verify()).toMatchObject({ ok: true, events: 0 });
});

test("verification can be aborted", async () => {
  const { store } = await storeWithHistory();
  expect(await codeOf(() => store.verify({ signal: AbortSignal.abort() }))).toBe("aborted");
});

test("a damaged log entry is found at its position, and reads of it fail", async () => {
  const { storage, store } = await storeWithHistory();
  await flip(storage, entryKey(3));
  const { ok, problems, ...report } = await store.verify();
  expect(ok).toBe(false);
  expect(report).toMatchObject({ events: 4, intactUntil: 2, unreadable: 1 });
  expect(problems).toMatchObject([{ position: 3, code: "checksum-mismatch" }]);
  expect(await codeOf(() => readAll(store.log))).toBe("checksum-mismatch");
});

test.each([
  ["version block", blockKey("a")],
  ["index of a given event id", eventIdKey(eventId(1))],
  ["document after a patch", documentKey(3)],
])("a damaged %s is found", async (_what, key) => {
  const { storage, store } = await storeWithHistory();
  await flip(storage, key);
  expect(await store.verify()).toMatchObject({
    ok: false,
    problems: [{ code: "checksum-mismatch" }],
  });
});

test("a missing entry or document is found", async () => {
  const { storage, store } = await storeWithHistory();
  await storage.write({ puts: [], deletes: [documentKey(3)] });
  expect(await store.verify()).toMatchObject({ ok: false, problems: [{ code: "log-gap" }] });
  await storage.write({ puts: [], deletes: [entryKey(2)] });
  expect(await store.verify()).toMatchObject({
    ok: false,
    problemCount: 2,
    problems: [
      { position: 2, code: "log-gap", part: "entry" },
      { position: 3, code: "log-gap", part: "document" },
    ],
  });
});

test("a document that is whole, but not the one its patch makes, is found", async () => {
  const { storage, store } = await storeWithHistory();
  const key = documentKey(3);
  const document = { ...(await store.record("a@2")), name: "another" };
  const { kind, name, tags, uris, attributes, artifacts, derivedFrom, onInvalidate } = document;
  const other = { kind, name, tags, uris, attributes, artifacts, derivedFrom, onInvalidate };
  await storage.write({ puts: [[key, frame(key, encodeMessagePack(other))]] });
  expect(await store.verify()).toMatchObject({
    ok: false,
    problems: [{ position: 3, code: "entry-unreadable" }],
  });
});

test("an index that names another event is found", async () => {
  const { storage, store } = await storeWithHistory();
  await storage.write({ puts: [], deletes: [eventIdKey(eventId(1))] });
  expect(await store.verify()).toMatchObject({
    ok: false,
    problems: [{ code: "entry-unreadable" }],
  });
});

test("damage to a version block or a document is an error, not another answer", async () => {
  const { storage, store } = await storeWithHistory();
  await flip(storage, documentKey(3));
  expect(await codeOf(() => store.record("a"))).toBe("checksum-mismatch");
  await flip(storage, blockKey("b"));
  expect(await codeOf(() => store.record("b"))).toBe("checksum-mismatch");
  // A store that has written the block itself still knows it; one opened later has only the stored bytes.
  const reopened = await openStoreOn(storage);
  expect(await codeOf(() => reopened.append([revise("b", 1)]))).toBe("checksum-mismatch");
  expect(reopened.head).toBe(5);
});

test("a damaged commit record keeps the store shut", async () => {
  const { storage } = await storeWithHistory();
  await flip(storage, commitKey);
  expect(await codeOf(() => openStoreOn(storage))).toBe("checksum-mismatch");
});
