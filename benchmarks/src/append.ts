/** P1 and P2: durable appends of one event each, by one caller and by 64. */
import {
  openLevelStorage,
  openMemoryStorage,
  openStoreOn,
  type NewEvent,
  type Storage,
  type WriteBatch,
} from "@sennit/core";

import { openRawLevel, record, writeRaw } from "./raw-level.ts";
import { toRow, type BoundedRow } from "./report.ts";
import type { Benchmark, Run } from "./run.ts";
import type { Scratch } from "./scratch.ts";
import { compare, secondsOf, takeTurns } from "./timing.ts";
import { workload } from "./workload.ts";

const manyCallers = 64;

const sizes = {
  // 64 callers have written 19,200 events in a third of a second; a shorter run would measure how a database starts.
  small: { rounds: 9, single: 1_000, many: 19_200 },
  full: { rounds: 15, single: 2_000, many: 32_000 },
} as const;

/** Durable appends against raw Level, and 64 callers against one. */
export const append: Benchmark = { budgets: ["P1", "P2"], measure };

async function measure({ scale, scratch, sqlite }: Run): Promise<BoundedRow[]> {
  const { rounds, single, many } = sizes[scale];
  const singleEvents = workload(single);
  const manyEvents = workload(many);
  const singleWrites = await recordWrites(openMemoryStorage(), singleEvents, 1);
  // How many appends one write takes depends on how long a write takes, so these groups are taken from a real disk.
  const manyWrites = await scratch.within(async (directory) =>
    recordWrites(await openLevelStorage(directory), manyEvents, manyCallers),
  );
  const singleWorkload = await sqlite.prepare([singleEvents]);
  const figures = await takeTurns(rounds, {
    single: () => ourRate(scratch, singleEvents, 1),
    singleRaw: () => rawRate(scratch, singleWrites, single),
    singleSqlite: () => sqlite.appendRate(singleWorkload, 1),
    many: () => ourRate(scratch, manyEvents, manyCallers),
    manyRaw: () => rawRate(scratch, manyWrites, many),
  });
  const unit = "events/s";
  return [
    toRow(
      {
        row: "P1",
        work: "durable append, 1 caller : raw Level, same keys and bytes",
        unit,
        bounds: "ratio",
        floor: 0.6,
        aim: 0.9,
        n: rounds * single,
      },
      compare(figures.single, figures.singleRaw),
    ),
    toRow(
      {
        row: "P1-sqlite",
        work: "durable append, 1 caller : SQLite, 1 event in a transaction",
        unit,
        bounds: "ratio",
        floor: null,
        aim: null,
        n: rounds * single,
      },
      compare(figures.single, figures.singleSqlite),
    ),
    toRow(
      {
        row: "P2",
        work: `durable append, ${manyCallers} callers : our own P1`,
        unit,
        bounds: "ratio",
        floor: 12,
        aim: 18,
        n: rounds * many,
      },
      compare(figures.many, figures.single),
    ),
    toRow(
      {
        row: "P2-level",
        work: `durable append, ${manyCallers} callers : raw Level, same groups`,
        unit,
        bounds: "ratio",
        floor: null,
        aim: null,
        n: rounds * many,
      },
      compare(figures.many, figures.manyRaw),
    ),
  ];
}

async function recordWrites(
  storage: Storage,
  events: readonly NewEvent[],
  callers: number,
): Promise<WriteBatch[]> {
  const recorded = record(storage);
  await appendOn(recorded.storage, events, callers);
  return recorded.recording.writes;
}

async function ourRate(
  scratch: Scratch,
  events: readonly NewEvent[],
  callers: number,
): Promise<number> {
  return scratch.within(async (directory) => {
    const seconds = await appendOn(await openLevelStorage(directory), events, callers);
    return events.length / seconds;
  });
}

/** Appends the events one by one, each caller waiting for its last one, and closes the storage. Seconds it took. */
async function appendOn(
  storage: Storage,
  events: readonly NewEvent[],
  callers: number,
): Promise<number> {
  const store = await openStoreOn(storage);
  const queue = events.values();
  const caller = async () => {
    // All callers take from one queue; an append is decided when it is called, so each finds its source there.
    for (const event of queue) await store.append([event]);
  };
  const seconds = await secondsOf(async () => {
    await Promise.all(Array.from({ length: callers }, caller));
  });
  await store.close();
  return seconds;
}

async function rawRate(
  scratch: Scratch,
  writes: readonly WriteBatch[],
  events: number,
): Promise<number> {
  return scratch.within(async (directory) => {
    const level = await openRawLevel(directory);
    const seconds = await secondsOf(async () => {
      for (const batch of writes) await writeRaw(level, batch);
    });
    await level.close();
    return events / seconds;
  });
}
