/** A process killed while it writes the snapshot of the lineage graph leaves a store with the same lineage. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { created, openStore, type NewEvent } from "@sennit/core";
import { withTemporaryDirectory } from "@sennit/core/testing";
import { expect, test } from "vitest";

const child = fileURLToPath(new URL("snapshot-child.mjs", import.meta.url));
/** `SNAPSHOT_KILLS=500 npx vitest run test/crash/snapshot-kill.test.ts` takes longer. */
const kills = Number(process.env["SNAPSHOT_KILLS"] ?? 8);
/** More than what has a snapshot written. */
const records = 20_000;

/** Each record rests on two earlier ones. */
async function fill(directory: string): Promise<void> {
  const store = await openStore(directory);
  for (let from = 0; from < records; from += 2000) {
    const batch = Array.from({ length: 2000 }, (_, index): NewEvent => {
      const number = from + index;
      const sources = [number - 1, Math.floor(number / 2)].filter(
        (source) => source >= 0 && source < number,
      );
      const derivedFrom = [...new Set(sources)].map((source) => ({
        recordId: `r-${source}`,
        version: 1,
      }));
      return created(`r-${number}`, { kind: "run", name: `run ${number}`, derivedFrom });
    });
    await store.append(batch);
  }
  await store.close();
}

/** Both directions from the middle, as text, and the number of records in them. */
async function lineage(
  directory: string,
): Promise<{ readonly text: string; readonly count: number }> {
  const store = await openStore(directory, { create: false });
  const middle = `r-${records / 2}`;
  const up = await store.lineageRefs(middle, { direction: "ancestors" });
  const down = await store.lineageRefs(middle, { direction: "descendants" });
  await store.close();
  return {
    text: JSON.stringify([up.nodes, down.nodes]),
    count: up.nodes.length + down.nodes.length,
  };
}

/** Runs the child, and kills it some time after it began, unless it is done before. @returns how long it went on, milliseconds */
async function write(directory: string, killAfterMs?: number): Promise<number> {
  const running = spawn(process.execPath, [child, directory], {
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

test("a snapshot of the lineage that is killed at any moment costs time and never an answer", async () => {
  await withTemporaryDirectory(async (directory) => {
    await fill(directory);
    const expected = await lineage(directory);
    expect(expected.count).toBe(records - 1);
    const wholeMs = await write(directory);
    const graph = join(directory, "lineage", "graph");
    expect(existsSync(graph)).toBe(true);
    let amid = 0;
    for (let index = 0; index < kills; index += 1) {
      await write(directory, (wholeMs * index) / kills);
      if (!existsSync(graph)) amid += 1;
      expect([index, (await lineage(directory)).text === expected.text]).toEqual([index, true]);
    }
    // When the kills come depends on the machine, so this is told and not asserted.
    process.stdout.write(`${amid} of ${kills} kills came before the snapshot was there\n`);
  });
}, 600_000);
