/** A process killed while it takes a backup or restores one leaves the backup before it, and never half a store. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { created, openStore, restoreStore, StoreError } from "@sennit/core";
import { withTemporaryDirectory } from "@sennit/core/testing";
import { beforeAll, expect, test } from "vitest";

import { repositoryRoot } from "../support/repository.ts";

const child = fileURLToPath(new URL("backup-child.mjs", import.meta.url));
const batchEvents = 1000;
/** Batches of the store: as many steps does a backup of it take, and twice as many a restore. */
const batches = 4;

beforeAll(() => {
  const built = join(repositoryRoot, "packages", "core", "dist", "index.js");
  if (!existsSync(built)) throw new Error("There is no build to kill: run npm run build first.");
});

/** When a process is killed: at a step by itself, or from outside some time after its last one. */
interface Moment {
  readonly step?: number;
  readonly afterLastMs?: number;
}

/** Runs the child until it ends. @returns true when it was killed */
async function runChild(words: readonly string[], lastStep: number, moment: Moment) {
  const step = String(moment.step ?? 0);
  const running = spawn(process.execPath, [child, ...words, step], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(running, "exit") as Promise<[number | null, string | null]>;
  for await (const line of createInterface(running.stdout)) {
    if (moment.afterLastMs === undefined || Number(line) !== lastStep) continue;
    await setTimeout(moment.afterLastMs);
    running.kill("SIGKILL");
  }
  const [code, signal] = await exited;
  if (signal === null) expect(code).toBe(0);
  return signal === "SIGKILL";
}

async function fill(directory: string): Promise<void> {
  const store = await openStore(directory);
  for (let batch = 0; batch < batches; batch += 1) {
    const ids = Array.from({ length: batchEvents }, (_, index) => `${store.head}-${index}`);
    await store.append(
      ids.map((id) => created(id, { kind: "sample", name: id })),
      { idempotencyKey: `batch ${store.head}` },
    );
  }
  await store.close();
}

/** Head and root of a sound store. */
async function stateOf(directory: string) {
  const store = await openStore(directory, { create: false });
  const report = await store.verify();
  expect(report).toMatchObject({ ok: true });
  const [, , root] = (await store.checkpoint()).split("\n");
  await store.close();
  return { head: report.head, root };
}

/** What a backup brings back; undefined for a directory that holds none. */
async function stateOfBackup(backup: string, target: string) {
  try {
    await restoreStore(backup, target);
  } catch (error) {
    if (error instanceof StoreError && error.code === "backup-invalid") return undefined;
    throw error;
  }
  return stateOf(target);
}

const endings = [0, 2, 5, 10, 20, 40].map((afterLastMs): Moment => ({ afterLastMs }));

test("a backup is the one before or the new one, whenever the process that takes it is killed", async () => {
  await withTemporaryDirectory(async (directory) => {
    const [source, backup] = [join(directory, "store"), join(directory, "backup")];
    let count = 0;
    let before: unknown;
    for (const run of ["first", "next"]) {
      await fill(source);
      const now = await stateOf(source);
      const atSteps = [1, 2, batches].map((step): Moment => ({ step }));
      for (const moment of [...atSteps, ...endings]) {
        const wasKilled = await runChild(["backup", source, backup], batches, moment);
        if (moment.step !== undefined) expect(wasKilled).toBe(true);
        count += 1;
        const found = await stateOfBackup(backup, join(directory, `${run}-${count}`));
        expect([before, now], JSON.stringify(moment)).toContainEqual(found);
        if (JSON.stringify(found) === JSON.stringify(now)) break;
      }
      const store = await openStore(source);
      await store.backup(backup, { segmentEntriesMax: 700 });
      await store.close();
      expect(await stateOfBackup(backup, join(directory, `whole-${count}`))).toEqual(now);
      before = now;
    }
    // Nothing of the runs that were killed stays.
    const { segments } = JSON.parse(await readFile(join(backup, "backup.json"), "utf8")) as {
      readonly segments: readonly { readonly file: string }[];
    };
    const files = await readdir(join(backup, "segments"));
    expect(files.map((file) => `segments/${file}`).toSorted()).toEqual(
      segments.map(({ file }) => file),
    );
    expect((await readdir(backup)).filter((name) => /partial|new|lock/.test(name))).toEqual([]);
  });
});

test("a restore makes a whole store or none, whenever its process is killed", async () => {
  await withTemporaryDirectory(async (directory) => {
    const [source, backup] = [join(directory, "store"), join(directory, "backup")];
    await fill(source);
    const now = await stateOf(source);
    const store = await openStore(source);
    await store.backup(backup, { segmentEntriesMax: 700 });
    await store.close();
    const restores = join(directory, "restores");
    await mkdir(restores);
    const target = join(restores, "target");
    let killed = 0;
    const lastStep = 12;
    for (const moment of [{ step: 1 }, { step: 6 }, { step: lastStep }, ...endings]) {
      if (await runChild(["restore", backup, target], lastStep, moment)) killed += 1;
      if (existsSync(target)) break;
      expect((await readdir(restores)).every((name) => name.startsWith("target.making-"))).toBe(
        true,
      );
    }
    expect(killed).toBeGreaterThanOrEqual(3);
    if (!existsSync(target)) await restoreStore(backup, target);
    expect(await stateOf(target)).toEqual(now);
    expect(await readdir(restores)).toEqual(["target"]);
  });
});
