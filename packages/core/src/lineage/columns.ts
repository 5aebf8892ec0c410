/** Typed arrays that grow: the memory of the lineage graph, a few bytes per event instead of an object each. */

/** A growing column of unsigned 32-bit numbers. Unset places read 0. */
export class Uint32Column {
  #values: Uint32Array;

  constructor(capacity = 1024) {
    this.#values = new Uint32Array(capacity);
  }

  get(index: number): number {
    return this.#values[index] ?? 0;
  }

  set(index: number, value: number): void {
    if (index >= this.#values.length) {
      const grown = new Uint32Array(Math.max(index + 1, this.#values.length * 2));
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[index] = value;
  }
}

/** A queue of numbers in one array; what was taken stays readable by its place. */
export class NumberList {
  readonly #column = new Uint32Column();
  length = 0;

  push(value: number): void {
    this.#column.set(this.length, value);
    this.length += 1;
  }

  at(index: number): number {
    return this.#column.get(index);
  }
}
