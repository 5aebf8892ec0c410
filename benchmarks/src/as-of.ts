/** P4: one record as of an old position, in a small log and in a large one. */
import { cp } from "node:fs/promises";

import {
  created,
  openLevelStorage,
  openStoreOn,
  replaced,
  type NewEvent,
  type Position,
  type Reader,
  type RecordId,
} from "@sennit/core";

import { ingestOn } from "./ingest.ts";
import { openRawLevel, record, type RawLevel } from "./raw-level.ts";
import { toRow, type BoundedRow } from "./report.ts";
import type { Benchmark, Run } from "./run.ts";
import type { Scratch } from "./scratch.ts";
import { compare, median, takeTurns } from "./timing.ts";
import { batchesOf, document, recordId, seededRandom, shuffled, type Random } from "./workload.ts";

/** Versions of each record: few enough for one version block, so that a record without an edge needs two keys. */
const versionsPerRecord = 50;
const batchEvents = 1000;
const floorUs = 30;
const flatnessMax = 1.5;

const sizes = {
  small: { rounds: 11, samples: 1_000, logs: [10_000, 100_000] },
  full: { rounds: 21, samples: 5_000, logs: [10_000, 1_000_000] },
} as const;

/** Reads as of an old position, against raw Level and against the same reads in a smaller log. */
export const asOf: Benchmark = { budgets: ["P4"], measure };

async function measure({ scale, seed, scratch, sqlite }: Run): Promise<BoundedRow[]> {
  const { rounds, samples, logs } = sizes[scale];
  const [smallEvents, largeEvents] = logs;
  const small = await OldReader.open(scratch, smallEvents, samples, seed);
  const large = await OldReader.open(scratch, largeEvents, samples, seed);
  const database = await sqlite.fill(
    await sqlite.prepare(oldVersions(largeEvents, seededRandom(seed))),
  );
  const figures = await takeTurns(rounds, {
    largeSqlite: () => sqlite.readUs(database, idsOf(large.plain), largeEvents / 2),
    derivedSqlite: () => sqlite.readUs(database, idsOf(large.derived), largeEvents / 2),
    small: () => small.readRecords(small.plain),
    large: () => large.readRecords(large.plain),
    largeRaw: () => large.readKeys(large.plain),
    derived: () => large.readRecords(large.derived),
    derivedRaw: () => large.readKeys(large.derived),
  });
  const keys = { plain: meanKeys(large.plain), derived: meanKeys(large.derived) };
  await small.close();
  await large.close();

  const log = `${largeEvents.toLocaleString("en-US")} events`;
  const about = {
    unit: "us",
    bounds: "ours",
    floor: floorUs,
    aim: null,
    n: rounds * samples,
  } as const;
  return [
    toRow(
      {
        ...about,
        row: "P4",
        work: `record as of an old position, ${log} : raw getSync of its ${keys.plain} keys`,
      },
      compare(figures.large, figures.largeRaw),
    ),
    toRow(
      {
        ...about,
        row: "P4-edge",
        work: `the same with one source : raw getSync of its ${keys.derived} keys`,
      },
      compare(figures.derived, figures.derivedRaw),
    ),
    toRow(
      {
        ...about,
        row: "P4-sqlite",
        work: "as P4 : SQLite, a table of versions under record and position",
        floor: null,
      },
      compare(figures.large, figures.largeSqlite),
    ),
    toRow(
      { ...about, row: "P4-edge-sqlite", work: "as P4-edge : the same in SQLite", floor: null },
      compare(figures.derived, figures.derivedSqlite),
    ),
    toRow(
      {
        ...about,
        row: "P4-flat",
        work: `as P4 : the same in ${smallEvents.toLocaleString("en-US")} events`,
        bounds: "ratio",
        floor: flatnessMax,
      },
      compare(figures.large, figures.small),
    ),
  ];
}

/** The records that are read. */
export function idsOf(samples: readonly Sample[]): RecordId[] {
  return samples.map((sample) => sample.recordId);
}

/** One read to time: a record, and the keys the store looks up for it. */
interface Sample {
  readonly recordId: RecordId;
  readonly keys: readonly Uint8Array[];
}

/** A store read as of the middle of its log, and a raw copy of its database. */
export class OldReader {
  /** Reads of records without a source. */
  readonly plain: readonly Sample[];
  /** Reads of records with one. */
  readonly derived: readonly Sample[];
  readonly #reader: Reader;
  readonly #raw: RawLevel;
  readonly #closeStore: () => Promise<void>;

  private constructor(
    samples: { readonly plain: readonly Sample[]; readonly derived: readonly Sample[] },
    reader: Reader,
    raw: RawLevel,
    closeStore: () => Promise<void>,
  ) {
    this.plain = samples.plain;
    this.derived = samples.derived;
    this.#reader = reader;
    this.#raw = raw;
    this.#closeStore = closeStore;
  }

  static async open(
    scratch: Scratch,
    events: number,
    samples: number,
    seed: number,
  ): Promise<OldReader> {
    const random = seededRandom(seed);
    const directory = scratch.directory();
    const records = events / versionsPerRecord;
    await ingestOn(await openLevelStorage(directory), oldVersions(events, random));
    const position = events / 2;
    const pairs = Array.from({ length: samples }, () => Math.floor((random() * records) / 2));
    const plain = pairs.map((pair) => recordId(2 * pair));
    const derived = pairs.map((pair) => recordId(2 * pair + 1));
    const withKeys = {
      plain: await keysRead(directory, position, plain),
      derived: await keysRead(directory, position, derived),
    };
    const copy = scratch.directory();
    await cp(directory, copy, { recursive: true });
    const store = await openStoreOn(await openLevelStorage(directory));
    const reader = await store.at({ position });
    return new OldReader(withKeys, reader, await openRawLevel(copy), () => store.close());
  }

  /** Microseconds that half of the reads stay under. */
  async readRecords(samples: readonly Sample[]): Promise<number> {
    const times: number[] = [];
    for (const sample of samples) {
      const start = performance.now();
      await this.#reader.record(sample.recordId);
      times.push(performance.now() - start);
    }
    return median(times) * 1000;
  }

  /** The same for bare look-ups of the keys. */
  async readKeys(samples: readonly Sample[]): Promise<number> {
    const times: number[] = [];
    for (const { keys } of samples) {
      const start = performance.now();
      for (const key of keys) this.#raw.getSync(key);
      times.push(performance.now() - start);
    }
    return median(times) * 1000;
  }

  async close(): Promise<void> {
    await this.#closeStore();
    await this.#raw.close();
  }
}

/** Batches that create the records and then update them all in turn, each time in another order; half have a source. */
export function* oldVersions(events: number, random: Random): Generator<NewEvent[]> {
  const records = events / versionsPerRecord;
  const numbers = Array.from({ length: records }, (_, number) => number);
  for (let version = 1; version <= versionsPerRecord; version += 1) {
    const order = version === 1 ? numbers : shuffled(numbers, random);
    const changes = order.map((number) => {
      const derivedFrom = number % 2 === 0 ? [] : [{ recordId: recordId(number - 1) }];
      const content = { ...document(number), attributes: { version }, derivedFrom };
      return version === 1
        ? created(recordId(number), content)
        : replaced(recordId(number), content);
    });
    yield* batchesOf(changes, batchEvents);
  }
}

/** Finds out which keys each read looks up, every key once. */
async function keysRead(
  directory: string,
  position: Position,
  recordIds: readonly RecordId[],
): Promise<Sample[]> {
  const { storage, recording } = record(await openLevelStorage(directory));
  const store = await openStoreOn(storage);
  const reader = await store.at({ position });
  const samples: Sample[] = [];
  for (const id of recordIds) {
    recording.reads.length = 0;
    await reader.record(id);
    const keys = new Map(recording.reads.map((key) => [Buffer.from(key).toString("hex"), key]));
    samples.push({ recordId: id, keys: [...keys.values()] });
  }
  await store.close();
  return samples;
}

function meanKeys(samples: readonly Sample[]): string {
  const total = samples.reduce((sum, { keys }) => sum + keys.length, 0);
  return String(Number((total / samples.length).toFixed(1)));
}
