/** Marks on positions, for walks: one number per position, used again from walk to walk without being cleared. */

const stampMax = 0xffff_ffff;
/** Sets that are kept for the next walks; more walks at once get sets that are dropped afterwards. */
const keptMax = 4;

/** A set of positions. */
export class Marks {
  #stamps = new Uint32Array(0);
  #stamp = 0;

  /** Empties the set, for positions below `size`. */
  clear(size: number): void {
    if (size > this.#stamps.length) {
      this.#stamps = new Uint32Array(Math.ceil(size * 1.25));
      this.#stamp = 0;
    } else if (this.#stamp === stampMax) {
      this.#stamps.fill(0);
      this.#stamp = 0;
    }
    this.#stamp += 1;
  }

  /** @returns whether the position was not in the set */
  add(position: number): boolean {
    if (this.#stamps[position] === this.#stamp) return false;
    this.#stamps[position] = this.#stamp;
    return true;
  }

  has(position: number): boolean {
    return this.#stamps[position] === this.#stamp;
  }
}

/** Sets that are not in use. */
export class MarkPool {
  readonly #free: Marks[] = [];

  /** An empty set for positions below `size`. */
  take(size: number): Marks {
    const marks = this.#free.pop() ?? new Marks();
    marks.clear(size);
    return marks;
  }

  giveBack(marks: Marks): void {
    if (this.#free.length < keptMax) this.#free.push(marks);
  }
}
