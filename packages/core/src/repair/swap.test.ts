/** A swap that is cut short after any step: whoever opens the store next finds the repaired one, and nothing is lost of the damaged one. */
import { cp, mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";

import { expect, test } from "vitest";

import { openStore } from "../open-store.ts";
import { blockKey } from "../storage/keyspace.ts";
import { openLevelStorage } from "../storage/level-storage.ts";
import { make } from "../testing/samples.ts";
import { codeOf } from "../testing/storage-contract.ts";
import { withTemporaryDirectory } from "../testing/temporary-directory.ts";
import { repairStore } from "./repair-store.ts";

/** A store of two events without its version blocks of `a`. */
async function damagedStore(directory: string): Promise<void> {
  const store = await openStore(directory);
  await store.append([make("a"), make("b")]);
  await store.close();
  const storage = await openLevelStorage(join(directory, "log"));
  await storage.write({ puts: [], deletes: [blockKey("a")] });
  await storage.close();
}

/** The state before the first step of the swap, made from a repaired store; undoing it is the steps read backwards. */
async function beforeSwap(directory: string) {
  const { repair } = await repairStore(directory);
  if (repair === null) throw new Error("nothing was repaired");
  const path = (name: string) => join(directory, name);
  const { damagedLog, damagedAcknowledged } = repair;
  await rename(path("log"), path("log.repairing"));
  await rename(path(damagedLog), path("log"));
  await rename(path("acknowledged"), path("acknowledged.repairing"));
  await rename(path(damagedAcknowledged ?? ""), path("acknowledged"));
  await cp(path("repairs.ndjson"), path("repair.json"));
  await rm(path("repairs.ndjson"));
  const steps = [
    () => rename(path("log"), path(damagedLog)),
    () => rename(path("log.repairing"), path("log")),
    () => rename(path("acknowledged"), path(damagedAcknowledged ?? "")),
    () => rename(path("acknowledged.repairing"), path("acknowledged")),
    () => rm(path("views"), { recursive: true, force: true }),
    () => cp(path("repair.json"), path("repairs.ndjson")),
  ];
  return { repair, steps };
}

test.each([0, 1, 2, 3, 4, 5, 6])(
  "a swap cut short after step %i is finished at opening",
  async (done) => {
    await withTemporaryDirectory(async (directory) => {
      await damagedStore(directory);
      const { repair, steps } = await beforeSwap(directory);
      for (const step of steps.slice(0, done)) await step();
      const store = await openStore(directory);
      expect(store.damage).toBeUndefined();
      expect(await store.verify()).toMatchObject({ ok: true, head: 2 });
      await store.close();
      const names = await readdir(directory);
      expect(names).toEqual(
        expect.arrayContaining([
          "log",
          "acknowledged",
          repair.damagedLog,
          repair.damagedAcknowledged,
        ]),
      );
      expect(names.filter((name) => /repairing|repair\.json/.test(name))).toEqual([]);
      const remembered = await readFile(join(directory, "repairs.ndjson"), "utf8");
      expect(remembered).toBe(`${JSON.stringify(repair)}\n`);
    });
  },
);

test.each(["log", "repair.lock"])(
  "while another process has %s open, nothing of a swap is done",
  async (name) => {
    await withTemporaryDirectory(async (directory) => {
      await damagedStore(directory);
      const { repair } = await beforeSwap(directory);
      await mkdir(join(directory, "views"));
      const held = await openLevelStorage(join(directory, name));
      const before = (await readdir(directory)).toSorted();
      expect(await codeOf(() => openStore(directory))).toBe("store-locked");
      expect((await readdir(directory)).filter((file) => file !== "repair.lock")).toEqual(
        before.filter((file) => file !== "repair.lock"),
      );
      await held.close();
      const store = await openStore(directory);
      expect(await store.verify()).toMatchObject({ ok: true, head: 2 });
      await store.close();
      const after = await readdir(directory);
      expect(after).toEqual(expect.arrayContaining([repair.damagedLog]));
      expect(after).not.toContain("repair.lock");
    });
  },
);

test("a lock that a process left half made is made anew", async () => {
  await withTemporaryDirectory(async (directory) => {
    await damagedStore(directory);
    await beforeSwap(directory);
    await mkdir(join(directory, "repair.lock"));
    await cp(join(directory, "sennit.json"), join(directory, "repair.lock", "CURRENT"));
    const store = await openStore(directory);
    expect(store.damage).toBeUndefined();
    await store.close();
    expect(await readdir(directory)).not.toContain("repair.lock");
  });
});

test("of several who find a swap cut short, one opens the store, and its views stay", async () => {
  await withTemporaryDirectory(async (directory) => {
    await damagedStore(directory);
    await beforeSwap(directory);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 4 }, async () => {
        const store = await openStore(directory);
        await mkdir(join(directory, "views"));
        return store;
      }),
    );
    const opened = outcomes.filter((outcome) => outcome.status === "fulfilled");
    expect(opened).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === "fulfilled") continue;
      expect(outcome.reason).toMatchObject({ code: "store-locked" });
    }
    expect(await readdir(directory)).toContain("views");
    for (const { value } of opened) await value.close();
  });
});

test("a copy that was not finished changes nothing: the store is the damaged one", async () => {
  await withTemporaryDirectory(async (directory) => {
    await damagedStore(directory);
    const { repair } = await beforeSwap(directory);
    await rm(join(directory, "repair.json"));
    const store = await openStore(directory);
    expect(await store.verify()).toMatchObject({ ok: false, intactUntil: 2 });
    await store.close();
    const names = await readdir(directory);
    expect(names).not.toContain(repair.damagedLog);
    expect((await repairStore(directory)).plan.action).toBe("rebuild");
  });
});

test("a store whose repair left a journal that cannot be read is not opened", async () => {
  await withTemporaryDirectory(async (directory) => {
    await damagedStore(directory);
    await cp(join(directory, "sennit.json"), join(directory, "repair.json"));
    expect(await codeOf(() => openStore(directory))).toBe("log-gap");
  });
});
