/** The work that is measured: the records of W(N), and random choices that a seed repeats. */
import { created, type NewDocument, type NewEvent } from "@sennit/core";

/** The id of the record with a number, from 0. */
export function recordId(number: number): string {
  return `rec-${number}`;
}

/** The content of record `number` of W(N): three tags (integer, fraction, text), one URI, no edge. */
export function document(number: number): NewDocument {
  return {
    kind: "record",
    name: recordId(number),
    tags: { run: number % 100, temp: 20.5 + (number % 10) / 10, stage: `s${number % 5}` },
    uris: [`file:///data/run/${number}.h5`],
  };
}

/**
 * W(N): record 0, then each record derived from the one before it. The events have no id of their own.
 *
 * @param count N, at least 0
 */
export function workload(count: number): NewEvent[] {
  return Array.from({ length: count }, (_, number) => {
    const derivedFrom = number === 0 ? [] : [{ recordId: recordId(number - 1) }];
    return created(recordId(number), { ...document(number), derivedFrom });
  });
}

/**
 * A binary tree of `count` bare records: each but the first derived from that of half its number.
 *
 * @param prefix what the ids begin with, before the number
 */
export function tree(count: number, prefix?: string): NewEvent[] {
  return linked(count, (number) => (number - 1) >> 1, prefix);
}

/** A chain of `count` bare records: each but the first derived from the one before it. */
export function chain(count: number): NewEvent[] {
  return linked(count, (number) => number - 1);
}

function linked(count: number, sourceOf: (number: number) => number, prefix = "rec-"): NewEvent[] {
  return Array.from({ length: count }, (_, number) => {
    const derivedFrom = number === 0 ? [] : [{ recordId: `${prefix}${sourceOf(number)}` }];
    const id = `${prefix}${number}`;
    return created(id, { kind: "record", name: id, derivedFrom });
  });
}

/** Cuts a list into pieces of `size`; the last one may be shorter. */
export function batchesOf<T>(items: readonly T[], size: number): T[][] {
  const batches: T[][] = [];
  for (let start = 0; start < items.length; start += size) {
    batches.push(items.slice(start, start + size));
  }
  return batches;
}

/** Gives numbers from 0 up to, not including, 1. */
export type Random = () => number;

/** A generator that gives the same numbers for the same seed (mulberry32: 32 bits of state, not for secrets). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A copy of the list in random order. */
export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [result[last], result[other]] = [result[other] as T, result[last] as T];
  }
  return result;
}
