/** Repair on real directories: what stays, what goes, and that nothing changes unless it is asked for. */
import { createHash, randomBytes } from "node:crypto";
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, test } from "vitest";

import { must } from "../assert.ts";
import { parseVerifierKey } from "../checkpoint/signed-note.ts";
import { created } from "../event/event.ts";
import { openStore } from "../open-store.ts";
import { verifyReceipt } from "../receipt/verify-receipt.ts";
import {
  blockKey,
  commitKey,
  documentKey,
  entryKey,
  eventIdKey,
  tileKey,
} from "../storage/keyspace.ts";
import { openLevelStorage } from "../storage/level-storage.ts";
import type { Storage, StorageEntry } from "../storage/storage.ts";
import { changeEntry, put } from "../testing/plant-damage.ts";
import { eventId, make, readAll, revise, withdraw } from "../testing/samples.ts";
import { codeOf } from "../testing/storage-contract.ts";
import { withTemporaryDirectory } from "../testing/temporary-directory.ts";
import { planRepair } from "./plan-repair.ts";
import { repairStore } from "./repair-store.ts";
import { finishSwap } from "./swap.ts";

const head = 300;

/** 300 events: `a` is created, patched twice and withdrawn once; then records of one version. */
async function fill(directory: string) {
  const store = await openStore(directory);
  await store.append([make("a", [], { id: eventId(1) }), revise("a", 1), revise("a", 2)], {
    idempotencyKey: "first",
  });
  await store.append([withdraw("a@1")]);
  const early = await store.checkpoint();
  const key = await store.verifierKey();
  const rest = Array.from({ length: head - 5 }, (_, index) => make(`r${index}`));
  await store.append(rest, { idempotencyKey: "second" });
  await store.append([revise("r0", 1)]);
  expect(store.head).toBe(head);
  const late = await store.checkpoint();
  const receipt = await store.receipt("a@2", { size: 4 });
  await store.close();
  return { early, late, key, receipt };
}

async function inLog(directory: string, edit: (storage: Storage) => Promise<void>): Promise<void> {
  const storage = await openLevelStorage(join(directory, "log"));
  await edit(storage);
  await storage.close();
}

const remove = (key: Uint8Array) => (storage: Storage) =>
  storage.write({ puts: [], deletes: [key] });

/** The digest of every file, but for what LevelDB writes whenever it is asked whether somebody has it open. */
async function filesOf(directory: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || /^LO(G|G\.old|CK)$/.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    files[path] = createHash("sha256")
      .update(await readFile(path))
      .digest("hex");
  }
  return files;
}

/** Repairs, and sees to it that what is left is a store like any other. */
async function repaired(directory: string, last: number) {
  const { plan, repair } = await repairStore(directory);
  const store = await openStore(directory);
  try {
    expect(store.damage).toBeUndefined();
    expect(store.head).toBe(last);
    expect(await store.verify()).toMatchObject({ ok: true, head: last });
    await store.append([make("afterwards")]);
    expect(await readAll(store.log)).toHaveLength(last + 1);
  } finally {
    await store.close();
  }
  const names = await readdir(directory);
  const record = must(repair, "something was repaired");
  expect(names).toContain(record.damagedLog);
  expect(names.filter((name) => /reading|repairing|repair\.json/.test(name))).toEqual([]);
  const lines = (await readFile(join(directory, "repairs.ndjson"), "utf8")).trimEnd().split("\n");
  expect(JSON.parse(must(lines.at(-1), "a repair is remembered"))).toEqual(record);
  return { plan, repair: record };
}

test("a sound store has nothing to repair, and stays as it is", async () => {
  await withTemporaryDirectory(async (directory) => {
    await fill(directory);
    const before = await filesOf(directory);
    const { plan, repair } = await repairStore(directory);
    expect(plan).toMatchObject({ action: "sound", keep: head, cut: null, proven: head });
    expect(repair).toBeNull();
    expect(await filesOf(directory)).toEqual(before);
  });
});

test.each([
  ["a version block", remove(blockKey("a"))],
  ["a document", remove(documentKey(3))],
  ["an event id", remove(eventIdKey(eventId(1)))],
  ["a tile", remove(tileKey(0, 0))],
  ["a key of nobody", (storage: Storage) => put(storage, Buffer.from("X"), Buffer.alloc(1))],
])("damage to %s costs no position", async (_what, damage) => {
  await withTemporaryDirectory(async (directory) => {
    await fill(directory);
    await inLog(directory, damage);
    const { plan } = await repaired(directory, head);
    expect(plan).toMatchObject({ action: "rebuild", keep: head, cut: null, proven: head });
  });
});

test("a damaged middle: the plan says what would go and changes nothing; the repair does that", async () => {
  await withTemporaryDirectory(async (directory) => {
    await fill(directory);
    await inLog(directory, remove(entryKey(298)));
    const before = await filesOf(directory);
    const plan = await planRepair(directory);
    expect(await filesOf(directory)).toEqual(before);
    expect(plan).toMatchObject({
      action: "cut",
      head,
      acknowledged: head,
      keep: 297,
      cut: { from: 298, to: head, events: 3 },
      recordCount: 3,
      records: [
        { recordId: "r0", from: 2, to: 2 },
        { recordId: "r293", from: 1, to: 1 },
        { recordId: "r294", from: 1, to: 1 },
      ],
    });
    expect((await repaired(directory, 297)).plan).toEqual(plan);
    const store = await openStore(directory);
    // The key of a batch that lost an event is gone, and the other one is not.
    const retried = await store.append([make("a", [], { id: eventId(1) })]);
    expect(retried.events[0]).toMatchObject({ status: "duplicate", position: 1 });
    await store.close();
  });
});

test("records whose version blocks cannot be read are named from the entries that go", async () => {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(directory);
    await store.append([make("a"), make("b"), revise("b", 1), make("c"), make("d")]);
    await store.close();
    await inLog(directory, async (storage) => {
      for (const key of [entryKey(1), blockKey("b"), blockKey("d")]) await remove(key)(storage);
      await storage.write({ puts: [[blockKey("c"), Buffer.alloc(40)]] });
    });
    const plan = await planRepair(directory);
    expect(plan).toMatchObject({ keep: 0, recordCount: 4 });
    expect(plan.records).toEqual([
      { recordId: "a", from: 1, to: 1 },
      { recordId: "b", from: 1, to: 2 },
      { recordId: "c", from: 1, to: 1 },
      { recordId: "d", from: 1, to: 1 },
    ]);
  });
});

test("an entry with another content and a right checksum is where a repair cuts", async () => {
  await withTemporaryDirectory(async (directory) => {
    await fill(directory);
    await inLog(directory, (storage) => changeEntry(storage, 100, { recordId: "r50" }));
    const { plan } = await repaired(directory, 99);
    expect(plan).toMatchObject({ action: "cut", keep: 99, cut: { from: 100, to: head } });
  });
});

test("a lost end that was acknowledged is told of, and cut off", async () => {
  await withTemporaryDirectory(async (directory) => {
    await fill(directory);
    const older = join(directory, "..", `older-${process.pid}`);
    try {
      await rm(older, { recursive: true, force: true });
      await rename(join(directory, "log"), older);
      const short = `${directory}-short`;
      const store = await openStore(short);
      await store.append([make("x")]);
      await store.close();
      await rename(join(short, "log"), join(directory, "log"));
      await rm(short, { recursive: true, force: true });
      const { plan } = await repaired(directory, 1);
      const cut = { from: 2, to: head };
      // It is the log of another store, and too short for the acknowledged root to say so.
      expect(plan).toMatchObject({ keep: 1, acknowledged: head, proven: 0, cut });
    } finally {
      await rm(older, { recursive: true, force: true });
    }
  });
});

/** Puts the log of another store, of so many events, in the place of a store's own of 3 events. */
async function withForeignLog(directory: string, events: number): Promise<void> {
  const [own, other] = [join(directory, "own"), join(directory, "other")];
  for (const [path, count] of [
    [own, 3],
    [other, events],
  ] as const) {
    const store = await openStore(path);
    await store.append(Array.from({ length: count }, (_, index) => make(`r${index}`)));
    await store.close();
  }
  await rm(join(own, "log"), { recursive: true });
  await rename(join(other, "log"), join(own, "log"));
}

test.each([
  ["as long as the store's own", 3, []],
  ["a longer one", 40, []],
  ["as long, and damaged", 3, [2]],
  ["a longer one, damaged after what was acknowledged", 40, [20]],
] as const)("the log of another store is not repaired: %s", async (_what, events, damaged) => {
  await withTemporaryDirectory(async (directory) => {
    await withForeignLog(directory, events);
    const store = join(directory, "own");
    for (const position of damaged) await inLog(store, remove(entryKey(position)));
    const before = await filesOf(store);
    expect(await codeOf(() => planRepair(store))).toBe("root-mismatch");
    expect(await codeOf(() => repairStore(store))).toBe("root-mismatch");
    expect(await filesOf(store)).toEqual(before);
    expect((await readdir(store)).filter((name) => /reading|repairing/.test(name))).toEqual([]);
  });
});

test("what was proven before the first position that went still holds; what was proven of it is found out", async () => {
  await withTemporaryDirectory(async (directory) => {
    const { early, late, key, receipt } = await fill(directory);
    await inLog(directory, remove(entryKey(298)));
    await repairStore(directory);
    const store = await openStore(directory);
    const again = Array.from({ length: 10 }, (_, index) => make(`again-${index}`));
    await store.append(again);
    expect(await store.verifierKey()).toBe(key);
    const verifierKey = must(await parseVerifierKey(key), "the key of a store can be read");
    await verifyReceipt(receipt, verifierKey);
    const made = await store.receipt("a@2", { against: { size: 4 } });
    await verifyReceipt(made, verifierKey, { against: early });
    const other = await store.receipt("a@2", { against: { size: head } });
    const verify = () => verifyReceipt(other, verifierKey, { against: late });
    expect(await codeOf(verify)).toBe("checkpoint-inconsistent");
    await store.close();
  });
});

test("a lost commit record costs nothing that was acknowledged", async () => {
  await withTemporaryDirectory(async (directory) => {
    await fill(directory);
    await inLog(directory, remove(commitKey));
    const { plan } = await repaired(directory, head);
    expect(plan).toMatchObject({ action: "rebuild", keep: head, cut: null, proven: head });
  });
});

test("a damaged table file, which LevelDB must not open, costs nothing where it holds no damaged entry", async () => {
  await withTemporaryDirectory(async (directory) => {
    await fill(directory);
    // Opening once more moves what stands in the write-ahead log into a table.
    await (await openStore(directory)).close();
    const log = join(directory, "log");
    const tables = (await readdir(log)).filter((name) => name.endsWith(".ldb"));
    const name = must(tables.at(-1), "there is a table");
    const bytes = await readFile(join(log, name));
    bytes.writeUInt8(bytes.readUInt8(100) ^ 4, 100);
    await writeFile(join(log, name), bytes);
    expect(await codeOf(() => openStore(directory))).toBe("file-damaged");
    const plan = await planRepair(directory);
    // What is damaged there is no log entry, and the root that was acknowledged proves the entries.
    expect(plan).toMatchObject({ damagedFiles: [name], action: "rebuild", keep: head });
    await repaired(directory, head);
  });
});

test("of a damaged table, the log entries in its sound blocks stay", async () => {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(directory);
    const bulky = (index: number) =>
      created(`r${index}`, {
        kind: "thing",
        name: "bulky",
        attributes: randomBytes(9000).toString("base64"),
      });
    for (let index = 0; index < 40; index += 1) await store.append([bulky(index)]);
    await store.close();
    await (await openStore(directory)).close();
    const log = join(directory, "log");
    const [name] = (await readdir(log)).filter((found) => found.endsWith(".ldb"));
    const path = join(log, must(name, "there is one table"));
    const bytes = await readFile(path);
    const middle = Math.floor(bytes.length / 2);
    bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle);
    await writeFile(path, bytes);
    const plan = await planRepair(directory);
    expect(plan).toMatchObject({ action: "cut", acknowledged: 40 });
    expect(plan.keep).toBeGreaterThan(10);
    expect(plan.keep).toBeLessThan(30);
    await repaired(directory, plan.keep);
  });
});

test("a lost list of LevelDB's files costs nothing", async () => {
  await withTemporaryDirectory(async (directory) => {
    await fill(directory);
    await rm(join(directory, "log", "CURRENT"));
    await expect(openStore(directory)).rejects.toMatchObject({
      code: "log-gap",
      hint: expect.stringContaining("sennit verify --repair"),
    });
    const { plan } = await repaired(directory, head);
    expect(plan).toMatchObject({ action: "rebuild", cut: null, keep: head });
  });
});

test("content that was erased by an event that goes takes the events from it on along", async () => {
  await withTemporaryDirectory(async (directory) => {
    await fill(directory);
    const store = await openStore(directory);
    await store.erase(["r5"], { cause: "it names a person" });
    await store.close();
    await inLog(directory, remove(entryKey(head)));
    const { plan } = await repaired(directory, 9);
    expect(plan).toMatchObject({
      action: "cut",
      keep: 9,
      cut: { from: 10, to: head + 1 },
      lostErasure: { position: 10, erasedBy: head + 1, intactUntil: head - 1 },
    });
  });
});

test("a cut that takes away one erasure for another is moved before both", async () => {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(directory);
    const ids = ["a", "b", "c", "d"];
    await store.append(ids.map((id) => make(id)));
    await store.erase(["b"], { cause: "it names a person" });
    await store.append([make("e"), make("f")]);
    await store.erase(["d"], { cause: "it names another one" });
    await store.close();
    await inLog(directory, remove(entryKey(7)));
    const { plan } = await repaired(directory, 1);
    expect(plan).toMatchObject({ keep: 1, lostErasure: { position: 2, erasedBy: 5 } });
  });
});

test("an erasure before the damage stays", async () => {
  await withTemporaryDirectory(async (directory) => {
    await fill(directory);
    const store = await openStore(directory);
    await store.erase(["r5"], { cause: "it names a person" });
    await store.append([make("late")]);
    await store.close();
    await inLog(directory, remove(entryKey(head + 2)));
    const { plan } = await repaired(directory, head + 1);
    expect(plan).toMatchObject({ action: "cut", lostErasure: null });
  });
});

test("a repair that is stopped leaves nothing of it behind", async () => {
  await withTemporaryDirectory(async (directory) => {
    await fill(directory);
    await inLog(directory, remove(entryKey(200)));
    const before = await filesOf(directory);
    const stop = new AbortController();
    // The clock is asked once the new log is whole.
    const clock = { nowUs: () => (stop.abort(), 0) };
    expect(await codeOf(() => repairStore(directory, { clock, signal: stop.signal }))).toBe(
      "aborted",
    );
    expect(await filesOf(directory)).toEqual(before);
    expect((await readdir(directory)).filter((name) => /reading|repairing/.test(name))).toEqual([]);
  });
});

test("an erased store whose damage costs no position is repaired, and stays erased", async () => {
  await withTemporaryDirectory(async (directory) => {
    await fill(directory);
    const store = await openStore(directory);
    await store.erase(["a"], { cause: "it names a person" });
    await store.close();
    await inLog(directory, remove(blockKey("r5")));
    const { plan } = await repaired(directory, head + 1);
    expect(plan).toMatchObject({ action: "rebuild", cut: null });
  });
});

test("erased content that is found again in an older value is erased again by a repair", async () => {
  await withTemporaryDirectory(async (directory) => {
    await fill(directory);
    const found: StorageEntry[] = [];
    await inLog(directory, async (storage) => {
      for (const key of [entryKey(1), entryKey(2), documentKey(2), blockKey("a")]) {
        found.push([key, Buffer.from(must(storage.get(key), "it is there"))]);
      }
    });
    const store = await openStore(directory);
    await store.erase(["a"], { cause: "it names a person" });
    await store.close();
    await inLog(directory, (storage) => storage.write({ puts: found }));
    const { plan } = await repaired(directory, head + 1);
    expect(plan).toMatchObject({ action: "rebuild", cut: null, keep: head + 1 });
    const after = await openStore(directory);
    for (const ref of ["a@1", "a@2", "a@3"]) {
      expect(await after.record(ref)).toMatchObject({
        name: "",
        attributes: {},
        erased: { position: head + 1 },
      });
    }
    await after.close();
  });
});

test("a store without a log, and one that is in use, are left alone", async () => {
  await withTemporaryDirectory(async (directory) => {
    await fill(directory);
    const store = await openStore(directory);
    await expect(planRepair(directory)).rejects.toMatchObject({
      code: "store-locked",
      details: { pid: process.pid },
    });
    await store.close();
    await rm(join(directory, "log"), { recursive: true });
    expect(await codeOf(() => planRepair(directory))).toBe("log-gap");
    expect(await codeOf(() => planRepair(join(directory, "keys")))).toBe("not-a-store");
  });
});

test("what was asked of the store up to some time stays true after a repair", async () => {
  await withTemporaryDirectory(async (directory) => {
    await fill(directory);
    const store = await openStore(directory);
    const askedUs = Date.now() * 1000;
    await store.at({ time: new Date(askedUs / 1000).toISOString() });
    await store.close();
    await inLog(directory, remove(entryKey(200)));
    await repairStore(directory);
    const again = await openStore(directory, { clock: { nowUs: () => 0 } });
    const { events } = await again.append([make("late")]);
    expect(Date.parse(must(events[0], "one event").recordedAt) * 1000).toBeGreaterThanOrEqual(
      askedUs,
    );
    await again.close();
  });
});

test("a finished swap is not finished again", async () => {
  await withTemporaryDirectory(async (directory) => {
    await fill(directory);
    await inLog(directory, remove(blockKey("a")));
    await repairStore(directory);
    const before = await filesOf(directory);
    await finishSwap(directory);
    expect(await filesOf(directory)).toEqual(before);
  });
});
