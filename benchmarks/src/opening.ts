/** P10: from a directory to the first answered read, in logs of several sizes, each opened as its writer left it. */
import { copyFile, link, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";

import { openStore } from "@sennit/core";

import { openRawLevel } from "./raw-level.ts";
import { toRow, type BoundedRow } from "./report.ts";
import type { Benchmark, Run } from "./run.ts";
import type { Scratch } from "./scratch.ts";
import { compare, secondsOf, takeTurns } from "./timing.ts";
import { batchesOf, recordId, workload } from "./workload.ts";

const batchEvents = 1000;
const eventsOfBudget = 1_000_000;
const floorMs = 1000;
const aimMs = 300;

const sizes = {
  small: { rounds: 7, logs: [10_000, 100_000] },
  full: { rounds: 11, logs: [10_000, 100_000, eventsOfBudget] },
} as const;

/** Opening a store against opening the bare database of its log. */
export const opening: Benchmark = { budgets: ["P10"], measure };

async function measure({ scale, scratch }: Run): Promise<BoundedRow[]> {
  const { rounds, logs } = sizes[scale];
  const rows: BoundedRow[] = [];
  for (const events of logs) rows.push(await measureLog(scratch, events, rounds));
  return rows;
}

async function measureLog(scratch: Scratch, events: number, rounds: number): Promise<BoundedRow> {
  const directory = await makeStore(scratch, events);
  const middle = recordId(events / 2);
  const figures = await takeTurns(rounds, {
    ours: () => scratch.within((copy) => openOurs(directory, copy, middle)),
    peer: () => scratch.within((copy) => openBare(directory, copy)),
  });
  await rm(directory, { recursive: true });
  const isBudget = events === eventsOfBudget;
  return toRow(
    {
      row: isBudget ? "P10" : `P10-${events / 1000}k`,
      work: `open a log of ${events.toLocaleString("en-US")} events and read a record : open its bare Level`,
      unit: "ms",
      bounds: "ours",
      floor: isBudget ? floorMs : null,
      aim: isBudget ? aimMs : null,
      n: rounds,
    },
    compare(figures.ours, figures.peer),
  );
}

/** @returns the directory of a closed store */
async function makeStore(scratch: Scratch, events: number): Promise<string> {
  const directory = scratch.directory();
  const store = await openStore(directory);
  for (const batch of batchesOf(workload(events), batchEvents)) await store.append(batch);
  await store.close();
  return directory;
}

/** Milliseconds until the store in a copy of the directory has answered a read. */
export async function openOurs(directory: string, copy: string, id: string): Promise<number> {
  await copyAsLeft(directory, copy);
  const start = performance.now();
  const store = await openStore(copy);
  await store.record(id);
  const milliseconds = performance.now() - start;
  await store.close();
  return milliseconds;
}

/** Milliseconds until the bare database of the log is open, in a copy of the store's directory. */
export async function openBare(directory: string, copy: string): Promise<number> {
  await copyAsLeft(directory, copy);
  let level: Awaited<ReturnType<typeof openRawLevel>> | undefined;
  const seconds = await secondsOf(async () => {
    level = await openRawLevel(join(copy, "log"));
  });
  await level?.close();
  return seconds * 1000;
}

/** LevelDB changes what it finds when it opens it, so every opening gets the files as the writer left them. */
async function copyAsLeft(directory: string, copy: string): Promise<void> {
  await mkdir(copy);
  for (const item of await readdir(directory, { withFileTypes: true })) {
    const [from, to] = [join(directory, item.name), join(copy, item.name)];
    if (item.isDirectory()) await copyAsLeft(from, to);
    // A finished table is never changed in place; all other files are.
    else await (item.name.endsWith(".ldb") ? link(from, to) : copyFile(from, to));
  }
}
