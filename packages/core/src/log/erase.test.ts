/** Erasure: the content is gone from every file, and everything else is as it was. */
import { expect, test } from "vitest";

import { parseVerifierKey } from "../checkpoint/signed-note.ts";
import { created, invalidated, replaced, updated } from "../event/event.ts";
import { must } from "../assert.ts";
import { StoreError } from "../errors.ts";
import { sha256 } from "../merkle/hashing.ts";
import { openMemoryStore, openStore, openStoreOn } from "../open-store.ts";
import type { Receipt } from "../receipt/receipt-format.ts";
import { verifyReceipt } from "../receipt/verify-receipt.ts";
import { openLevelStorage } from "../storage/level-storage.ts";
import { openMemoryStorage } from "../storage/memory-storage.ts";
import type { Storage } from "../storage/storage.ts";
import type { EmbeddedStore } from "../store.ts";
import { FaultStorage } from "../testing/fault-storage.ts";
import { codeOf } from "../testing/storage-contract.ts";
import { eventId, make, readAll, withdraw } from "../testing/samples.ts";
import { filesHolding } from "../testing/files-holding.ts";
import { withTemporaryDirectory } from "../testing/temporary-directory.ts";

const secret = "Marie Curie, born 1867 in Warsaw";

async function withPatient(): Promise<EmbeddedStore> {
  const store = await openMemoryStore();
  await fillWithPatient(store);
  return store;
}

async function fillWithPatient(store: EmbeddedStore): Promise<void> {
  const attributes = { patient: secret, dose: 4 };
  await store.append([make("cfg")]);
  await store.append(
    [
      created(
        "scan",
        {
          kind: "dataset",
          name: secret,
          attributes,
          tags: { patient: secret },
          derivedFrom: [{ recordId: "cfg", role: "configuration" }],
        },
        { id: eventId(1), actor: "maria" },
      ),
    ],
    { idempotencyKey: "scan" },
  );
  await store.append([updated("scan", { tags: { checked: true } })]);
  await store.append([make("model", ["scan"]), make("old", ["scan@1"])]);
  await store.append([
    replaced("scan", {
      kind: "dataset",
      name: "anonymous",
      attributes: { dose: 4 },
      derivedFrom: [{ recordId: "cfg" }],
    }),
  ]);
}

test("an erased version says so, keeps its kind and its sources, and has no content", async () => {
  const store = await withPatient();
  const result = await store.erase(["scan@1"], { cause: "consent withdrawn", actor: "otto" });
  expect(result).toMatchObject({
    position: 7,
    erased: [{ recordId: "scan", versions: { from: 1, to: 2 } }],
  });
  for (const ref of ["scan@1", "scan@2"]) {
    const record = await store.record(ref);
    expect(record).toMatchObject({
      kind: "dataset",
      name: "",
      tags: {},
      attributes: {},
      derivedFrom: [{ recordId: "cfg", version: 1, role: "configuration" }],
      actor: null,
      erased: { position: 7, cause: "consent withdrawn", recordId: result.recordId },
    });
  }
  expect(await store.record("scan")).toMatchObject({ version: 3, name: "anonymous" });
  expect(await store.record("scan")).not.toHaveProperty("erased");
  expect(JSON.stringify([await store.history("scan"), await readAll(store.log)])).not.toContain(
    "Marie",
  );
});

test("the erasure is a record that says what was erased, why and by whom", async () => {
  const store = await withPatient();
  const { recordId } = await store.erase(["scan@1"], { cause: "consent withdrawn", actor: "otto" });
  expect(await store.record(must(recordId, "something was erased"))).toMatchObject({
    kind: "erasure",
    actor: "otto",
    attributes: {
      cause: "consent withdrawn",
      erased: [{ recordId: "scan", versions: { from: 1, to: 2 } }],
    },
  });
});

test("lineage, root, proofs and what was stale stay as they were, as of every position", async () => {
  const store = await withPatient();
  await store.append([updated("cfg", { name: "renamed" }), updated("scan", { name: "again" })]);
  const before = await everythingBut(store);
  const old = await store.checkpoint();
  await store.erase(["scan@1"], { cause: "consent withdrawn" });
  expect(await everythingBut(store)).toEqual(before);
  expect(await store.verify()).toMatchObject({ ok: true, problems: [] });
  const key = must(await parseVerifierKey(await store.verifierKey()), "a key");
  const receipt = await store.receipt("cfg", { against: { size: 8 } });
  await verifyReceipt(receipt, key, { against: old });
});

/** What must not change: structure of every version as of every position, and the tree. */
async function everythingBut(store: EmbeddedStore): Promise<unknown> {
  const instants = [];
  for (let position = 1; position <= 8; position += 1) {
    const reader = await store.at({ position });
    for (const id of ["cfg", "scan", "model", "old"]) {
      const record = await reader.findRecord(id);
      if (record === undefined) continue;
      const { status, stale, version, derivedFrom, kind } = record;
      const lineage = await reader.lineage(id);
      const verdicts = (await reader.replay(id)).verdicts;
      const edges = lineage.edges;
      instants.push({ position, id, status, stale, version, derivedFrom, kind, edges, verdicts });
    }
  }
  return {
    instants,
    tree: store.log.proofs.treeHead(8),
    proof: store.log.proofs.inclusionProof(3, 8),
  };
}

test("versions whose content was the same stay the same when they are erased one after another", async () => {
  const store = await openMemoryStore();
  const same = { kind: "k", name: "n", attributes: { secret } };
  await store.append([created("a", same), replaced("a", { ...same, name: "m" })]);
  await store.append([make("d", ["a@1"]), replaced("a", { ...same, name: "o" })]);
  expect((await store.record("d")).stale).toBe(false);
  for (const ref of ["a@1", "a@3", "a@2"]) {
    await store.erase([ref], { cause: "private" });
    expect([ref, (await store.record("d")).stale]).toEqual([ref, false]);
  }
  await store.append([replaced("a", same)]);
  expect((await store.record("d")).stale).toBe(true);
  expect(await store.verify()).toMatchObject({ ok: true, problems: [] });
});

test("what was erased can be neither patched, restored, compared nor sent again", async () => {
  const store = await withPatient();
  await store.erase(["scan"], { cause: "consent withdrawn" });
  const append = (...events: Parameters<EmbeddedStore["append"]>) =>
    codeOf(() => store.append(...events));
  expect(await append([updated("scan", { name: "n" })])).toBe("content-erased");
  const again = created("scan", { kind: "dataset", name: secret }, { id: eventId(1) });
  expect(await append([again])).toBe("content-erased");
  expect(await append([make("other")], { idempotencyKey: "scan" })).toBe("content-erased");
  expect(await codeOf(() => store.diff("scan@1", "scan@3"))).toBe("content-erased");
  await store.append([replaced("scan", { kind: "dataset", name: "new" })]);
  expect(await store.record("scan")).toMatchObject({ version: 4, name: "new" });
  const restored = { type: "record.updated" as const, recordId: "scan" };
  expect(
    await append([
      { ...restored, data: { document: { kind: "dataset", name: "n" }, restores: 1 } },
    ]),
  ).toBe("content-erased");
});

test("the cause of an erased invalidation goes from its consequences too", async () => {
  const store = await openMemoryStore();
  await store.append([make("a"), make("b", ["a"])]);
  await store.append([invalidated("a", { cause: secret })]);
  await store.append([make("late", ["a@1"])]);
  const { erased } = await store.erase(["a@2"], { cause: "names a person" });
  expect(erased).toEqual([
    { recordId: "a", versions: { from: 2, to: 2 } },
    { recordId: "b", versions: { from: 2, to: 2 } },
    { recordId: "late", versions: { from: 2, to: 2 } },
  ]);
  expect(JSON.stringify(await readAll(store.log))).not.toContain("Marie");
  expect(await store.record("b")).toMatchObject({
    name: "b",
    status: "invalid",
    invalidation: { cause: "", via: { recordId: "a", version: 1 } },
  });
  expect(await store.verify()).toMatchObject({ ok: true, problems: [] });
});

test("more than one event can name is refused, and goes in parts when the root comes last", async () => {
  const store = await openMemoryStore();
  const ids = Array.from({ length: 2500 }, (_, index) => `${"x".repeat(500)}${index}`);
  await store.append([make("a"), ...ids.map((id) => make(id, ["a"]))]);
  await store.append([invalidated("a", { cause: secret })]);
  const { head } = store;
  const erase = (refs: readonly string[]) => store.erase(refs, { cause: "names a person" });
  const error: unknown = await erase(["a@2"]).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: "event-too-large", details: { ranges: 2501 } });
  expect(store.head).toBe(head);
  expect(JSON.stringify(await readAll(store.log))).toContain("Marie");
  await erase(ids.slice(0, 1500).map((id) => `${id}@2`));
  await erase(["a@2"]);
  expect(JSON.stringify(await readAll(store.log))).not.toContain("Marie");
  expect(await store.verify()).toMatchObject({ ok: true, problems: [] });
});

test("erasing what is erased does nothing, and what cannot be erased is refused", async () => {
  const store = await withPatient();
  const { recordId } = await store.erase(["scan@2"], { cause: "consent withdrawn" });
  const { head } = store;
  expect(await store.erase(["scan@2"], { cause: "again" })).toEqual({
    position: null,
    recordId: null,
    erased: [],
    sameContent: [],
    damagedLogs: [],
  });
  expect(store.head).toBe(head);
  const code = (ref: string, cause = "c") => codeOf(() => store.erase([ref], { cause }));
  expect(await code("nobody")).toBe("record-not-found");
  expect(await code("scan@9")).toBe("version-not-found");
  expect(await code("scan", " ")).toBe("argument-invalid");
  expect(await code(must(recordId, "something was erased"))).toBe("argument-invalid");
  const forged = created("e", { kind: "erasure", name: "n" });
  expect(await codeOf(() => store.append([forged]))).toBe("event-invalid");
  expect(store.head).toBe(head);
});

test.each([
  ["an empty cause", { cause: " \n" }, "/cause"],
  ["a cause with a control character", { cause: "a\u0000b" }, "/cause"],
  ["a cause that is too long", { cause: "x".repeat(17_000) }, "/cause"],
  ["an actor with a control character", { cause: "c", actor: "otto\u0000" }, "/actor"],
  ["an actor that is too long", { cause: "c", actor: "x".repeat(5000) }, "/actor"],
  ["an actor with half a character", { cause: "c", actor: "\ud800" }, "/actor"],
])("an erasure with %s is refused", async (_what, options, pointer) => {
  const store = await withPatient();
  const { head } = store;
  const error: unknown = await store.erase(["scan"], options).catch((reason: unknown) => reason);
  expect(error).toMatchObject({
    code: "argument-invalid",
    details: { issues: [expect.objectContaining({ pointer })] },
  });
  expect(store.head).toBe(head);
  expect((await store.record("scan@1")).name).toBe(secret);
});

test("what rests on a withdrawal whose cause was erased falls for a cause that says so", async () => {
  const store = await openMemoryStore();
  await store.append([make("a"), invalidated("a", { cause: secret })]);
  await store.erase(["a@2"], { cause: "names a person" });
  await store.append([make("late", ["a@1"])]);
  expect(await store.record("late")).toMatchObject({
    status: "invalid",
    invalidation: { cause: "erased", via: { recordId: "a", version: 1 } },
  });
});

test("appends sent while an erasure is under way come after it", async () => {
  const store = await withPatient();
  const erasing = store.erase(["scan"], { cause: "consent withdrawn" });
  const patch = codeOf(() => store.append([updated("scan", { name: "n" })]));
  const other = store.append([make("other")]);
  const { position } = await erasing;
  expect(await patch).toBe("content-erased");
  expect((await other).head).toBe(must(position, "something was erased") + 1);
});

test("a receipt of erased content verifies, says so, and proves the erasure", async () => {
  const store = await withPatient();
  await store.erase(["scan@1"], { cause: "consent withdrawn" });
  const key = must(await parseVerifierKey(await store.verifierKey()), "a key");
  const receipt: Receipt = JSON.parse(JSON.stringify(await store.receipt("model")));
  const verified = await verifyReceipt(receipt, key);
  expect(verified.closure.map(({ recordId, isErased }) => [recordId, isErased])).toEqual([
    ["cfg", false],
    ["scan", true],
    ["model", false],
  ]);
  expect([verified.digest, (await store.replay("model")).digest]).toEqual([null, null]);
  const codeWithout = (at: number) => {
    const entries = receipt.entries.filter((_, index) => index !== at);
    return codeOf(() => verifyReceipt({ ...receipt, entries }, key));
  };
  for (const at of receipt.entries.keys()) {
    expect([at, await codeWithout(at)]).toEqual([at, "receipt-incomplete"]);
  }
  const withheld = receipt.entries.map((entry) => ({ ...entry, payload: null }));
  expect(await codeOf(() => verifyReceipt({ ...receipt, entries: withheld }, key))).toBe(
    "receipt-incomplete",
  );
});

test.each([
  ["was written just before", false],
  ["has been in the tables for long", true],
])("no file of the store holds what was erased when it %s", async (_when, isOld) => {
  await withTemporaryDirectory(async (directory) => {
    let store = await openStore(directory);
    await fillWithPatient(store);
    if (isOld) {
      await store.close();
      store = await openStore(directory);
    }
    expect(await filesHolding(directory, "Marie")).not.toEqual([]);
    await store.erase(["scan@1"], { cause: "consent withdrawn" });
    expect(await filesHolding(directory, "Marie")).toEqual([]);
    await store.append([withdraw("cfg")]);
    await store.close();
    const last = await openStore(directory);
    expect((await last.record("scan@2")).erased?.cause).toBe("consent withdrawn");
    expect(await last.verify()).toMatchObject({ ok: true, problems: [] });
    await last.close();
  });
});

test("no file holds what was erased while a reading was going on, and the reading goes on", async () => {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(directory);
    await fillWithPatient(store);
    await store.append(Array.from({ length: 2500 }, (_, index) => make(`r-${index}`)));
    const events = store.events()[Symbol.asyncIterator]();
    await events.next();
    await store.erase(["scan@1"], { cause: "consent withdrawn" });
    expect(await filesHolding(directory, "Marie")).toEqual([]);
    const positions: number[] = [];
    for (let next = await events.next(); next.done !== true; next = await events.next()) {
      positions.push(next.value.position);
    }
    expect(positions).toEqual(Array.from({ length: 2505 }, (_, index) => index + 2));
    await store.close();
  });
});

test("what could not be purged is purged by the next erasure, and when the store is opened again", async () => {
  for (const reopens of [false, true]) {
    await withTemporaryDirectory(async (directory) => {
      const level = await openLevelStorage(directory);
      let failures = 1;
      const storage: Storage = {
        get: (key) => level.get(key),
        write: (batch) => level.write(batch),
        scan: (range) => level.scan(range),
        recover: () => level.recover(),
        readable: () => level.readable(),
        close: () => level.close(),
        compact: () => {
          failures -= 1;
          if (failures >= 0) throw new StoreError("disk-full", "There is no room to compact.");
          return level.compact();
        },
      };
      const store = await openStoreOn(storage);
      await fillWithPatient(store);
      const erase = () => store.erase(["scan@1"], { cause: "consent withdrawn" });
      expect(await codeOf(erase)).toBe("disk-full");
      expect((await store.record("scan@1")).erased?.cause).toBe("consent withdrawn");
      expect(await filesHolding(directory, "Marie")).not.toEqual([]);
      expect(await store.verify()).toMatchObject({ ok: true, problems: [] });
      if (reopens) {
        await store.close();
        await (await openStoreOn(await openLevelStorage(directory))).close();
      } else {
        expect((await erase()).position).toBeNull();
      }
      expect([reopens, await filesHolding(directory, "Marie")]).toEqual([reopens, []]);
      await store.close();
    });
  }
});

test("a cascade sent during an erasure waits for it, and then for the lineage graph", async () => {
  const storage = openMemoryStorage();
  await fillWithPatient(await openStoreOn(storage));
  const store = await openStoreOn(storage);
  const erasing = store.erase(["scan@1"], { cause: "consent withdrawn" });
  const { events } = await store.append([withdraw("cfg")]);
  await erasing;
  expect(events[0]?.consequences.map(({ recordId }) => recordId)).toEqual(["scan", "old", "model"]);
});

test.each(["lost", "stored"] as const)(
  "an erasure behind a write that fails, and is %s, is decided on what is stored",
  async (fate) => {
    const storage = new FaultStorage();
    const store = await openStoreOn(storage);
    await fillWithPatient(store);
    storage.failWrite(1, fate);
    const append = codeOf(() => store.append([make("behind", [], { id: eventId(7) })]));
    const erasing = store.erase(["scan@1"], { cause: "consent withdrawn" });
    expect(await append).toBe(fate === "stored" ? "no error" : "write-failed");
    const { position } = await erasing;
    expect(position).toBe(fate === "stored" ? 8 : 7);
    await store.append([make("after")]);
    expect(await store.verify()).toMatchObject({ ok: true, problems: [] });
  },
);

test("the salts of consequences cannot be worked out from what is stored", async () => {
  const store = await openMemoryStore();
  await store.append([make("a"), make("b", ["a"])]);
  await store.append([withdraw("a")]);
  const salts = [3, 4].map((position) => store.log.state.entry(position)?.salt ?? Buffer.alloc(0));
  const [given = Buffer.alloc(0), added] = salts;
  const place = Buffer.alloc(8);
  place.writeDoubleLE(4);
  const guess = sha256(Buffer.concat([given, place])).subarray(0, 16);
  expect(added).toHaveLength(16);
  expect(guess.equals(added ?? guess)).toBe(false);
});
