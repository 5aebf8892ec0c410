/** SEARCH: records found by an index, against SQLite, and as of an old position against now. */
import { created, openStore, updated, type EmbeddedStore, type Position } from "@sennit/core";
import { openViews, type ViewReader, type Views } from "@sennit/projections";

import { toRow, type BoundedRow } from "./report.ts";
import type { Benchmark, Run } from "./run.ts";
import type { Scratch } from "./scratch.ts";
import type { TagSearch } from "./sqlite.ts";
import { compare, median, takeTurns } from "./timing.ts";
import { batchesOf, document, recordId, seededRandom, type Random } from "./workload.ts";

const batchEvents = 1000;
/** A look-up by a tag that one record has, in microseconds. */
const lookUpFloorUs = 1000;
/** Records that a search by range or by prefix finds. */
const pageRecords = 100;
/** Records that lose a tag between the old position and now. */
const churnRecords = 1000;

const sizes = {
  small: { rounds: 7, samples: 200, records: 20_000, laterRounds: 2 },
  full: { rounds: 11, samples: 1000, records: 100_000, laterRounds: 5 },
} as const;

/** Searches by tag and by name. */
export const search: Benchmark = { budgets: ["SEARCH"], measure };

async function measure({ scale, seed, scratch, sqlite }: Run): Promise<BoundedRow[]> {
  const { rounds, samples, records, laterRounds } = sizes[scale];
  const random = seededRandom(seed);
  const searched = await SearchedStore.open(scratch, records);
  const asked = (count: number): readonly TagSearch[] => ranges(records, count, samples, random);
  const one = asked(1);
  const range = asked(pageRecords);
  const database = await sqlite.fillWithTags(await sqlite.prepare(creations(records)));
  const beside = await takeTurns(rounds, {
    one: () =>
      searched.searchUs(
        one.map(({ from }) => `tag.serial=${from}`),
        1,
      ),
    oneSqlite: () => sqlite.searchUs(database, one, one.length),
    range: () => searched.searchUs(range.map(rangeQuery), pageRecords),
    rangeSqlite: () => sqlite.searchUs(database, range, range.length * pageRecords),
    prefix: () => searched.searchUs(prefixes(records, samples, random), undefined),
  });
  const old = await searched.grow(laterRounds);
  const turning = await takeTurns(rounds, {
    now: () => searched.searchUs(["tag.turn=0"], undefined),
    old: () => searched.searchUs(["tag.turn=0"], churnRecords, old.beforeAll),
    recent: () => searched.searchUs(["tag.turn=0"], churnRecords, old.beforeLast),
  });
  await searched.close();
  const about = { unit: "us", bounds: "ours", aim: null, n: rounds * samples } as const;
  const size = `${records.toLocaleString("en-US")} records`;
  const row = (name: string, work: string, floor: number | null = null) => ({
    ...about,
    row: `SEARCH-${name}`,
    work,
    floor,
  });
  const lost = `${churnRecords} records by a tag they lost`;
  return [
    toRow(
      row("tag", `one record by its tag in ${size} : SQLite with an index`, lookUpFloorUs),
      compare(beside.one, beside.oneSqlite),
    ),
    toRow(
      row("range", `${pageRecords} records by a range of a tag : SQLite with an index`),
      compare(beside.range, beside.rangeSqlite),
    ),
    toRow(
      row("prefix", "100 records by the beginning of their name : one record by its tag"),
      compare(beside.prefix, beside.one),
    ),
    toRow(
      { ...row("old", `${lost} ${laterRounds} changes of it ago : one change ago`), n: rounds },
      compare(turning.old, turning.recent),
    ),
    toRow(
      { ...row("now", "none by a tag that records had and lost : those that had it"), n: rounds },
      compare(turning.now, turning.old),
    ),
  ];
}

function rangeQuery({ key, from, to }: TagSearch): string {
  return `tag.${key}=${from}..${to}`;
}

/** Searches for so many values of the serial number, anywhere. */
function ranges(
  records: number,
  values: number,
  samples: number,
  random: Random,
): readonly TagSearch[] {
  return Array.from({ length: samples }, () => {
    const from = Math.floor(random() * (records - values));
    return { key: "serial", from, to: from + values - 1, position: records, limit: values };
  });
}

/** Queries that find about a hundred records each. */
function prefixes(records: number, samples: number, random: Random): string[] {
  return Array.from({ length: samples }, () => {
    const number = String(Math.floor(records / 10 + random() * records * 0.9));
    return `name:${recordId(0).slice(0, -1)}${number.slice(0, -2)}*`;
  });
}

function* creations(records: number) {
  const events = Array.from({ length: records }, (_, number) => {
    const content = document(number);
    const turn = number < churnRecords ? { turn: 0 } : {};
    const tags = { ...content.tags, serial: number, ...turn };
    return created(recordId(number), { ...content, tags });
  });
  yield* batchesOf(events, batchEvents);
}

/** A store with its views, in which records are searched. */
class SearchedStore {
  readonly #store: EmbeddedStore;
  readonly #views: Views;

  private constructor(store: EmbeddedStore, views: Views) {
    this.#store = store;
    this.#views = views;
  }

  static async open(scratch: Scratch, records: number): Promise<SearchedStore> {
    const store = await openStore(scratch.directory());
    for (const batch of creations(records)) await store.append(batch);
    const views = await openViews(store);
    await views.caughtUp();
    return new SearchedStore(store, views);
  }

  /** Changes a tag of the same records again and again. */
  async grow(
    times: number,
  ): Promise<{ readonly beforeAll: Position; readonly beforeLast: Position }> {
    const beforeAll = this.#store.head;
    const numbers = Array.from({ length: churnRecords }, (_, number) => number);
    const turn = async (value: number) => {
      for (const part of batchesOf(numbers, batchEvents)) {
        await this.#store.append(part.map((n) => updated(recordId(n), { tags: { turn: value } })));
      }
    };
    for (let time = 1; time < times; time += 1) await turn(time);
    await turn(0);
    const beforeLast = this.#store.head;
    await turn(times);
    await this.#views.caughtUp();
    return { beforeAll, beforeLast };
  }

  /** Microseconds that half of the searches stay under. @param expected records that each must find */
  async searchUs(
    queries: readonly string[],
    expected: number | undefined,
    position?: Position,
  ): Promise<number> {
    const reader = await this.#views.at(position === undefined ? undefined : { position });
    const times: number[] = [];
    for (const query of queries) {
      const start = performance.now();
      const found = await this.#count(reader, query);
      times.push(performance.now() - start);
      if (expected !== undefined && found !== expected) {
        throw new Error(`${query} found ${found} of ${expected}.`);
      }
    }
    return median(times) * 1000;
  }

  async #count(reader: ViewReader, query: string): Promise<number> {
    const { records } = await reader.list(query, { limit: churnRecords });
    return records.length;
  }

  async close(): Promise<void> {
    await this.#views.close();
    await this.#store.close();
  }
}
