/** P3: bulk ingest in batches of 1000 events, by the log alone and with the views caught up. */
import {
  openLevelStorage,
  openMemoryStorage,
  openStore,
  openStoreOn,
  type NewEvent,
  type Storage,
} from "@sennit/core";
import { openViews } from "@sennit/projections";

import { openRawLevel, record, writeRaw } from "./raw-level.ts";
import { toRow, type BoundedRow } from "./report.ts";
import type { Benchmark, Run } from "./run.ts";
import { compare, secondsOf, takeTurns } from "./timing.ts";
import { batchesOf, workload } from "./workload.ts";

const batchEvents = 1000;

const sizes = {
  small: { rounds: 5, events: 30_000, single: 2_000 },
  full: { rounds: 7, events: 200_000, single: 10_000 },
} as const;

/** Bulk ingest against raw Level. */
export const ingest: Benchmark = { budgets: ["P3"], measure };

async function measure({ scale, scratch, sqlite }: Run): Promise<BoundedRow[]> {
  const { rounds, events, single } = sizes[scale];
  const batches = batchesOf(workload(events), batchEvents);
  const { storage, recording } = record(openMemoryStorage());
  await ingestOn(storage, batches);
  const bulkWorkload = await sqlite.prepare(batches);
  // A rate does not depend on how long it is measured, and one synced transaction per event takes long.
  const singleWorkload = await sqlite.prepare([workload(single)]);
  const figures = await takeTurns(rounds, {
    sqliteSingle: () => sqlite.appendRate(singleWorkload, 1),
    sqliteBulk: () => sqlite.appendRate(bulkWorkload, batchEvents),
    ours: () =>
      scratch.within(async (directory) => {
        return events / (await ingestOn(await openLevelStorage(directory), batches));
      }),
    views: () => scratch.within(async (path) => events / (await ingestWithViews(path, batches))),
    peer: () =>
      scratch.within(async (directory) => {
        const level = await openRawLevel(directory);
        const seconds = await secondsOf(() =>
          forEachOverlapped(recording.writes, (batch) => writeRaw(level, batch)),
        );
        await level.close();
        return events / seconds;
      }),
  });
  const about = { unit: "events/s", n: rounds * events } as const;
  const work = `bulk ingest, batches of ${batchEvents}, log alone : raw Level, same keys and bytes`;
  return [
    toRow(
      { ...about, row: "P3", work, bounds: "ours", floor: 40_000, aim: 80_000 },
      compare(figures.ours, figures.peer),
    ),
    toRow(
      {
        ...about,
        row: "P3-views",
        work: "the same until the views have caught up : raw Level, the log's keys and bytes",
        bounds: "ours",
        floor: 20_000,
        aim: 50_000,
      },
      compare(figures.views, figures.peer),
    ),
    toRow(
      {
        ...about,
        row: "P3-sqlite-1",
        work: "as P3 : SQLite, 1 event in a transaction",
        bounds: "ratio",
        floor: 10,
        aim: null,
      },
      compare(figures.ours, figures.sqliteSingle),
    ),
    toRow(
      {
        ...about,
        row: "P3-sqlite-1000",
        work: `as P3 : SQLite, ${batchEvents} events in a transaction`,
        bounds: "ratio",
        floor: null,
        aim: 1,
      },
      compare(figures.ours, figures.sqliteBulk),
    ),
  ];
}

/** Appends the batches and closes the storage. Seconds it took until the last one was durable. */
export async function ingestOn(
  storage: Storage,
  batches: Iterable<readonly NewEvent[]>,
): Promise<number> {
  const store = await openStoreOn(storage);
  const seconds = await secondsOf(() =>
    forEachOverlapped(batches, async (batch) => {
      await store.append(batch);
    }),
  );
  await store.close();
  return seconds;
}

/** Appends the batches while the views follow. Seconds until the last event was durable and in the views. */
export async function ingestWithViews(
  directory: string,
  batches: Iterable<readonly NewEvent[]>,
): Promise<number> {
  const store = await openStore(directory);
  const views = await openViews(store);
  const seconds = await secondsOf(async () => {
    await forEachOverlapped(batches, async (batch) => {
      await store.append(batch);
    });
    await views.caughtUp();
  });
  await views.close();
  await store.close();
  return seconds;
}

/** Starts the work on each item when that on the item before the last is done: one is written while the next is decided. */
async function forEachOverlapped<T>(
  items: Iterable<T>,
  work: (item: T) => Promise<void>,
): Promise<void> {
  let before: Promise<void> | undefined;
  for (const item of items) {
    const current = work(item);
    await before;
    before = current;
  }
  await before;
}
