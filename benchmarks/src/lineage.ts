/** P5, P8 and P11: closures, withdrawals that cascade, and the memory of a store that answers about its lineage. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { invalidated, openStore, type NewEvent, type Position, type Reader } from "@sennit/core";

import { toRow, type BoundedRow } from "./report.ts";
import type { Benchmark, Run } from "./run.ts";
import type { Scratch } from "./scratch.ts";
import { compare, secondsOf, takeTurns } from "./timing.ts";
import { batchesOf, chain, recordId, tree, workload } from "./workload.ts";

const batchEvents = 1000;
const closureOfBudget = 12_000;
const treeRecords = 1024;
const chainRecords = 100_000;
const bytesOfMiB = 2 ** 20;

const sizes = {
  small: { rounds: 9, largeRounds: 3, records: 100_000, large: 76_000 },
  full: { rounds: 15, largeRounds: 5, records: 1_000_000, large: 760_000 },
} as const;

/** What a row says, but for its figures. */
type About = Parameters<typeof toRow>[0];

/** Lineage against SQLite's recursive query. */
export const lineage: Benchmark = { budgets: ["P5", "P8", "P11"], measure };

async function measure(run: Run): Promise<BoundedRow[]> {
  const { records } = sizes[run.scale];
  const directory = run.scratch.directory();
  await fillStore(directory, workload(records));
  return [
    ...(await measureClosures(run, directory)),
    await measureChain(run),
    ...(await measureWithdrawals(run)),
    await measureMemory(run, directory, records),
  ];
}

/** Makes a store of events, and closes it. */
export async function fillStore(directory: string, events: readonly NewEvent[]): Promise<void> {
  const store = await openStore(directory);
  for (const batch of batchesOf(events, batchEvents)) await store.append(batch);
  await store.close();
}

async function measureClosures(run: Run, directory: string): Promise<BoundedRow[]> {
  const { rounds, largeRounds, records, large } = sizes[run.scale];
  const { sqlite } = run;
  const file = await sqlite.prepare(batchesOf(workload(records), batchEvents));
  const database = await sqlite.fillWithLineage(file);
  const store = await openStore(directory);
  const small = recordId(closureOfBudget);
  const old = await store.at({ position: closureOfBudget + 1 });
  const then = await store.at({ position: large + 1 });
  const peer = (id: string, position: Position, count: number) => () =>
    sqlite.ancestorsMs(database, id, position, count);
  const figures = await takeTurns(rounds, {
    now: () => closureMs(store, small, closureOfBudget),
    old: () => closureMs(old, small, closureOfBudget),
    sqlite: peer(small, records, closureOfBudget),
    hops: () => hopsMs(store, recordId(records - 1)),
  });
  const largeFigures = await takeTurns(largeRounds, {
    old: () => closureMs(then, recordId(large), large),
    sqlite: peer(recordId(large), large + 1, large),
  });
  await store.close();
  const timed = { unit: "ms", bounds: "ours", floor: null, aim: null, n: rounds } as const;
  const isFull = run.scale === "full";
  return [
    row("P5", "closure of 12 000 ancestors : SQLite, recursive query with indexes", {
      ...timed,
      bounds: "ratio",
      floor: 0.1,
      aim: 0.025,
      figures: [figures.now, figures.sqlite],
    }),
    row("P5-old", "the same as of an old position : as of the head", {
      ...timed,
      bounds: "ratio",
      floor: 2,
      figures: [figures.old, figures.now],
    }),
    row(
      `P5-${large / 1000}k`,
      `closure of ${large.toLocaleString("en-US")} as of an old position : SQLite`,
      {
        ...timed,
        floor: isFull ? 150 : null,
        n: largeRounds,
        figures: [largeFigures.old, largeFigures.sqlite],
      },
    ),
    row("P5-hops", "ten hops", { ...timed, floor: 1, figures: [figures.hops, []] }),
  ];
}

type Figures = readonly [ours: readonly number[], peer: readonly number[]];

function row(
  name: string,
  work: string,
  { figures: [ours, peer], ...about }: Omit<About, "row" | "work"> & { readonly figures: Figures },
): BoundedRow {
  return toRow({ row: name, work, ...about }, compare(ours, peer));
}

/** Milliseconds until all ancestors of a record are named. */
export async function closureMs(reader: Reader, id: string, expected: number): Promise<number> {
  const start = performance.now();
  const { nodes } = await reader.lineageRefs(id);
  const milliseconds = performance.now() - start;
  if (nodes.length !== expected) throw new Error(`Found ${nodes.length} of ${expected}.`);
  return milliseconds;
}

async function hopsMs(reader: Reader, id: string): Promise<number> {
  const seconds = await secondsOf(async () => {
    await reader.lineage(id, { depth: 10 });
  });
  return seconds * 1000;
}

async function measureChain({ scale, scratch, sqlite }: Run): Promise<BoundedRow> {
  const { largeRounds } = sizes[scale];
  const last = recordId(chainRecords - 1);
  const ancestors = chainRecords - 1;
  return scratch.within(async (directory) => {
    const events = chain(chainRecords);
    await fillStore(directory, events);
    const database = await sqlite.fillWithLineage(
      await sqlite.prepare(batchesOf(events, batchEvents)),
    );
    const store = await openStore(directory);
    const { ours, peer } = await takeTurns(largeRounds, {
      ours: () => closureMs(store, last, ancestors),
      peer: () => sqlite.ancestorsMs(database, last, chainRecords, ancestors),
    });
    await store.close();
    return row("P5-chain", "closure of a chain of 100 000 : SQLite", {
      unit: "ms",
      bounds: "ours",
      floor: null,
      aim: null,
      n: largeRounds,
      figures: [ours, peer],
    });
  });
}

async function measureWithdrawals({ scale, scratch }: Run): Promise<BoundedRow[]> {
  const { rounds } = sizes[scale];
  const trees = await takeTurns(rounds, { ours: () => withdrawalMs(scratch, tree(treeRecords)) });
  const chains = await takeTurns(1, { ours: () => withdrawalMs(scratch, chain(chainRecords)) });
  return [
    row("P8", "withdraw the root of a tree of 1024, durable", {
      unit: "ms",
      bounds: "ours",
      floor: 30,
      aim: 10,
      n: rounds,
      figures: [trees.ours, []],
    }),
    row("P8-chain", "withdraw the first of a chain of 100 000, durable", {
      unit: "ms",
      bounds: "ours",
      floor: null,
      aim: 2000,
      n: 1,
      figures: [chains.ours, []],
    }),
  ];
}

/** Milliseconds until the withdrawal of the first record, and of all that rest on it, is durable. */
async function withdrawalMs(scratch: Scratch, events: readonly NewEvent[]): Promise<number> {
  return scratch.within(async (directory) => {
    const store = await openStore(directory);
    for (const batch of batchesOf(events, batchEvents)) await store.append(batch);
    // The graph is there in a store that is in use.
    await store.lineage(recordId(1));
    const start = performance.now();
    const { head } = await store.append([invalidated(recordId(0), { cause: "wrong" })]);
    const milliseconds = performance.now() - start;
    await store.close();
    if (head !== 2 * events.length) throw new Error(`The head is ${head}.`);
    return milliseconds;
  });
}

async function measureMemory(
  { scale }: Run,
  directory: string,
  records: number,
): Promise<BoundedRow> {
  const { ours } = await takeTurns(sizes[scale].largeRounds, {
    ours: () => memoryMiB(directory, records),
  });
  const isFull = scale === "full";
  return row(
    isFull ? "P11" : "P11-100k",
    `memory of a process that answers about ${records.toLocaleString("en-US")} records`,
    {
      unit: "MiB",
      bounds: "ours",
      n: ours.length,
      floor: isFull ? 1536 : null,
      aim: isFull ? 512 : null,
      figures: [ours, []],
    },
  );
}

/** Memory of a process that opened a store and answered about its records and their lineage, MiB. */
export async function memoryMiB(directory: string, records: number): Promise<number> {
  const program = fileURLToPath(new URL("lineage-memory.js", import.meta.url));
  const args = [program, directory, String(records)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return Number(stdout) / bytesOfMiB;
}
