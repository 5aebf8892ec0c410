/** P6: all views made anew from the log, against decoding every event of it. */
import { rm } from "node:fs/promises";
import { join } from "node:path";

import { openStore, type EmbeddedStore } from "@sennit/core";
import { openViews } from "@sennit/projections";

import { toRow, type BoundedRow } from "./report.ts";
import type { Benchmark, Run } from "./run.ts";
import { compare, secondsOf, takeTurns } from "./timing.ts";
import { batchesOf, workload } from "./workload.ts";

const batchEvents = 1000;

const sizes = {
  small: { rounds: 5, events: 30_000 },
  full: { rounds: 5, events: 1_000_000 },
} as const;

/** Rebuilding all views against decoding the raw log. */
export const rebuild: Benchmark = { budgets: ["P6"], measure };

async function measure({ scale, scratch }: Run): Promise<BoundedRow[]> {
  const { rounds, events } = sizes[scale];
  return scratch.within(async (directory) => {
    const store = await openStore(directory);
    for (const batch of batchesOf(workload(events), batchEvents)) await store.append(batch);
    const figures = await takeTurns(rounds, {
      ours: async () => events / (await rebuildAll(store, directory)),
      peer: async () => events / (await secondsOf(() => decodeLog(store))),
    });
    await store.close();
    const work = `make all views anew from ${events.toLocaleString("en-US")} events : decode the raw log`;
    const about = { row: "P6", work, unit: "events/s", n: rounds * events } as const;
    return [
      toRow(
        { ...about, bounds: "ratio", floor: 0.4, aim: 0.7 },
        compare(figures.ours, figures.peer),
      ),
    ];
  });
}

/** Seconds from views that are not there until they have caught up. */
export async function rebuildAll(store: EmbeddedStore, directory: string): Promise<number> {
  await rm(join(directory, "views"), { recursive: true, force: true });
  let views: Awaited<ReturnType<typeof openViews>> | undefined;
  const seconds = await secondsOf(async () => {
    views = await openViews(store);
    await views.caughtUp();
  });
  await views?.close();
  return seconds;
}

/** Reads every entry and decodes its event, as any reader of the log has to. */
export async function decodeLog(store: EmbeddedStore): Promise<void> {
  for await (const entries of store.log.readEntries()) {
    for (const entry of entries) entry.event();
  }
}
