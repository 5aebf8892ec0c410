/** Typed arrays that grow: the memory of the lineage graph, a few bytes per event instead of an object each. */
import { StoreError } from "../errors.ts";

const uint32Max = 0xffff_ffff;

/** A growing column of unsigned 32-bit numbers. Unset places read 0. */
export class Uint32Column {
  #values: Uint32Array;

  constructor(capacity = 1024) {
    this.#values = new Uint32Array(capacity);
  }

  get(index: number): number {
    return this.#values[index] ?? 0;
  }

  /** @throws `lineage-too-large` for a value that does not fit, which must not be stored as another one */
  set(index: number, value: number): void {
    if (value > uint32Max) throw tooLarge();
    if (index >= this.#values.length) this.reserve(Math.max(index + 1, this.#values.length * 2));
    this.#values[index] = value;
  }

  /** Makes room for as many values. @throws `lineage-too-large` when there is none */
  reserve(capacity: number): void {
    if (capacity <= this.#values.length) return;
    try {
      const grown = new Uint32Array(capacity);
      grown.set(this.#values);
      this.#values = grown;
    } catch (error) {
      throw tooLarge(error);
    }
  }
}

/** A queue of numbers in one array; what was taken stays readable by its place. */
export class NumberList {
  readonly #column: Uint32Column;
  length = 0;

  constructor(capacity?: number) {
    this.#column = new Uint32Column(capacity);
  }

  push(value: number): void {
    this.#column.set(this.length, value);
    this.length += 1;
  }

  at(index: number): number {
    return this.#column.get(index);
  }
}

function tooLarge(cause?: unknown): StoreError {
  return new StoreError(
    "lineage-too-large",
    "The lineage graph holds at most 4,294,967,295 events and derivations, as far as memory has room for them.",
    { cause },
  );
}
