// What the callers of a crash run send: every batch follows from the seed, the round and the caller.
import { createHash } from "node:crypto";

/** Records that everything else is derived from, so that an invalidation cascades. */
const baseCount = 6;
/** Attributes of this many characters make LevelDB rotate and compact its files within a run. */
const largeCharacters = 16 * 1024;

/** A generator of numbers from 0 up to 1, the same for the same words. */
export function randomFrom(...words) {
  let state = createHash("sha256").update(words.join(":")).digest().readUInt32LE(0);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** An event id, a UUID of version 7, the same for the same words. */
function eventIdFrom(...words) {
  const hex = createHash("sha256").update(words.join(":")).digest("hex");
  return `0198c2f0-${hex.slice(0, 4)}-7${hex.slice(4, 7)}-8${hex.slice(7, 10)}-${hex.slice(10, 22)}`;
}

/** The batch every round begins with: the first time it makes the bases, later it is a duplicate. */
export function baseBatch(seed) {
  return Array.from({ length: baseCount }, (_, index) => ({
    type: "record.created",
    id: eventIdFrom(seed, "base", index),
    recordId: `base-${index}`,
    data: { kind: "base", name: `Base ${index}` },
  }));
}

/** One caller's batches in one round, without end. */
export class Caller {
  #random;
  #prefix;
  #counter = 0;
  /** Ids of records this caller has sent to be made. */
  #own = [];
  #last;

  constructor(seed, round, caller) {
    this.#prefix = [seed, round, caller];
    this.#random = randomFrom(seed, "caller", round, caller);
  }

  /** The next batch: one event mostly, some at once now and then, and sometimes the last batch again. */
  next() {
    const choice = this.#random();
    if (choice < 0.03 && this.#last !== undefined) return this.#last;
    this.#last = this.#make(choice);
    return this.#last;
  }

  #make(choice) {
    if (choice < 0.45 || this.#own.length === 0) return [this.#create()];
    if (choice < 0.7) return [this.#update(this.#someOwn())];
    if (choice < 0.76) return [this.#update(this.#someBase())];
    if (choice < 0.79) return [this.#invalidate(this.#someBase())];
    if (choice < 0.86) return [this.#invalidate(this.#someOwn())];
    const first = this.#create();
    const batch = [first, this.#update(first.recordId), this.#create(first.recordId)];
    if (choice > 0.95) batch.push(this.#invalidate(first.recordId), this.#update(first.recordId));
    return batch;
  }

  #envelope(type, recordId) {
    this.#counter += 1;
    return { type, id: eventIdFrom(...this.#prefix, this.#counter), recordId };
  }

  #create(source = this.#someBase()) {
    const recordId = `r-${this.#prefix.slice(1).join("-")}-${this.#counter + 1}`;
    this.#own.push(recordId);
    const isLarge = this.#random() < 0.02;
    const attributes = isLarge
      ? { fill: "0123456789abcdef".repeat(largeCharacters / 16) }
      : { weight: this.#random(), unit: "kg" };
    return {
      ...this.#envelope("record.created", recordId),
      data: {
        kind: "sample",
        name: `Sample ${recordId}`,
        tags: { caller: this.#prefix[2] },
        attributes,
        derivedFrom: [{ recordId: source }],
      },
    };
  }

  #update(recordId) {
    const weight = this.#random() < 0.2 ? null : this.#random();
    const patch = { attributes: { weight, turn: this.#counter }, tags: { updated: true } };
    return { ...this.#envelope("record.updated", recordId), data: { patch } };
  }

  #invalidate(recordId) {
    return { ...this.#envelope("record.invalidated", recordId), data: { cause: "It was wrong." } };
  }

  #someOwn() {
    return this.#own[Math.floor(this.#random() * this.#own.length)];
  }

  #someBase() {
    return `base-${Math.floor(this.#random() * baseCount)}`;
  }
}
