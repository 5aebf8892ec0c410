/** A process killed while it makes a projection anew leaves rows that end in the same state once the store is opened. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { created, openStore, updated, type EmbeddedStore } from "@sennit/core";
import { withTemporaryDirectory } from "@sennit/core/testing";
import { openLevelStorage } from "@sennit/core/storage";
import { openViews, type ProjectionProgress } from "@sennit/projections";
import { beforeAll, expect, test } from "vitest";

import type { Builds } from "../../packages/projections/src/builds.ts";
import { readCheckpoint } from "../../packages/projections/src/checkpoint.ts";
import { repositoryRoot } from "../support/repository.ts";

const child = fileURLToPath(new URL("rebuild-child.mjs", import.meta.url));
/** `REBUILD_KILLS=500 npx vitest run test/crash/rebuild-kill.test.ts` takes longer. */
const kills = Number(process.env["REBUILD_KILLS"] ?? 8);
const events = 6000;

beforeAll(() => {
  const built = join(repositoryRoot, "packages", "projections", "dist", "rebuild-worker.js");
  if (!existsSync(built)) throw new Error("There is no build to kill: run npm run build first.");
});

async function fill(directory: string): Promise<void> {
  const store = await openStore(directory);
  for (let from = 0; from < events; from += 1000) {
    const batch = Array.from({ length: 500 }, (_, index) => {
      const id = `r-${from + index}`;
      const tags = { number: index, half: index / 2 };
      return [created(id, { kind: "run", name: id, tags }), updated(id, { tags: { number: -1 } })];
    });
    await store.append(batch.flat());
  }
  await store.close();
}

/** The state hash of the records once they have caught up. */
async function stateHash(store: EmbeddedStore): Promise<string> {
  const views = await openViews(store, { workerEventsMin: Infinity });
  await views.caughtUp();
  const seen: ProjectionProgress[] = [];
  views
    .progress$("records")
    .subscribe((progress) => seen.push(progress))
    .unsubscribe();
  expect(seen[0]).toMatchObject({ position: store.head, failure: null });
  const page = await (await views.at()).list({}, { limit: 3 });
  expect(page.records.map(({ id }) => id)).toEqual(["r-0", "r-1", "r-2"]);
  await views.close();
  return seen[0]?.stateHash ?? "";
}

/** How far the rows had got that were being made anew; undefined when there are none. */
async function positionOfNext(directory: string): Promise<number | undefined> {
  const views = join(directory, "views");
  const [, builds = "{}"] = (await readFile(join(views, "builds.json"), "utf8")).split("\n");
  const { next } = (JSON.parse(builds) as Record<string, Builds>)["records"] ?? {};
  if (next === undefined || !existsSync(join(views, next.directory, "CURRENT"))) return undefined;
  const storage = await openLevelStorage(join(views, next.directory), { create: false });
  const checkpoint = readCheckpoint(storage);
  await storage.close();
  return checkpoint?.position;
}

/** Kills a rebuild some time after it began, unless it is done before. @returns how long it went on, milliseconds */
async function rebuild(
  directory: string,
  workerMin: number,
  killAfterMs?: number,
): Promise<number> {
  const running = spawn(process.execPath, [child, directory, String(workerMin)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(running, "exit");
  await once(running.stdout, "data");
  const begunMs = performance.now();
  if (killAfterMs !== undefined) {
    await setTimeout(killAfterMs);
    running.kill("SIGKILL");
  }
  await exited;
  return performance.now() - begunMs;
}

test("a rebuild that is killed at any moment ends in the same state hash after the next opening", async () => {
  await withTemporaryDirectory(async (directory) => {
    await fill(directory);
    const first = await openStore(directory);
    const expected = await stateHash(first);
    await first.close();
    const workerMins = [1, 1e9];
    const wholeMs: number[] = [];
    for (const workerMin of workerMins) wholeMs.push(await rebuild(directory, workerMin));
    const positions: (number | undefined)[] = [];
    for (let index = 0; index < kills; index += 1) {
      const way = index % workerMins.length;
      const afterMs = ((wholeMs[way] ?? 0) * index) / kills;
      await rebuild(directory, workerMins[way] ?? 0, afterMs);
      positions.push(await positionOfNext(directory));
      const store = await openStore(directory, { create: false });
      expect([index, await stateHash(store)]).toEqual([index, expected]);
      await store.close();
    }
    const amid = positions.filter((position = 0) => position > 0 && position < events);
    // When the kills come depends on the machine, so this is told and not asserted.
    const told = `${amid.length} of ${kills} kills came amid a rebuild: ${amid.join(", ")}\n`;
    process.stdout.write(told);
  });
}, 600_000);
