/** A list that is made in pieces while it is taken, for answers of hundreds of thousands of items. */

/** A list of known length that need not stand in memory as a whole. It can be taken once or not at all. */
export class LongList<Item> {
  readonly length: number;
  readonly #pieces: AsyncGenerator<readonly Item[]>;

  constructor(length: number, pieces: AsyncGenerator<readonly Item[]>) {
    this.length = length;
    this.#pieces = pieces;
  }

  /** Its items, in order, some at a time. @throws what making them throws */
  pieces(): AsyncGenerator<readonly Item[]> {
    return this.#pieces;
  }

  /** All items at once. @throws what making them throws */
  async all(): Promise<Item[]> {
    const items: Item[] = [];
    for await (const piece of this.#pieces) for (const item of piece) items.push(item);
    return items;
  }
}
