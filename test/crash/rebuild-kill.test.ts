/** A process killed while it makes a projection anew leaves rows that end in the same state once the store is opened. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { created, openStore, updated, type EmbeddedStore } from "@sennit/core";
import { withTemporaryDirectory } from "@sennit/core/testing";
import { openViews, type ProjectionProgress } from "@sennit/projections";
import { beforeAll, expect, test } from "vitest";

import { repositoryRoot } from "../support/repository.ts";

const child = fileURLToPath(new URL("rebuild-child.mjs", import.meta.url));
/** `REBUILD_KILLS=500 npx vitest run test/crash/rebuild-kill.test.ts` takes longer. */
const kills = Number(process.env["REBUILD_KILLS"] ?? 8);
const events = 6000;
/** Longer than a rebuild of so many events takes. */
const longestMs = 700;

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

/** Kills a rebuild some time after it began. @returns false when it was done before */
async function killRebuild(
  directory: string,
  workerMin: number,
  afterMs: number,
): Promise<boolean> {
  const running = spawn(process.execPath, [child, directory, String(workerMin)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(running, "exit");
  await once(running.stdout, "data");
  await setTimeout(afterMs);
  running.kill("SIGKILL");
  const [, signal] = (await exited) as [number | null, string | null];
  return signal === "SIGKILL";
}

test("a rebuild that is killed at any moment ends in the same state hash after the next opening", async () => {
  await withTemporaryDirectory(async (directory) => {
    await fill(directory);
    const first = await openStore(directory);
    const expected = await stateHash(first);
    await first.close();
    let killed = 0;
    for (let index = 0; index < kills; index += 1) {
      const workerMin = index % 2 === 0 ? 1 : 1e9;
      const afterMs = (longestMs * index) / kills;
      if (await killRebuild(directory, workerMin, afterMs)) killed += 1;
      const store = await openStore(directory, { create: false });
      expect([index, await stateHash(store)]).toEqual([index, expected]);
      await store.close();
    }
    expect(killed).toBeGreaterThan(0);
  });
}, 600_000);
