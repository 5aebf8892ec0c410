/** Counts values by their size, as a Prometheus histogram tells them. */

/** A histogram that is written to once per request: prom-client looks its series up anew for each value. */
export class Distribution {
  readonly #name: string;
  readonly #help: string;
  readonly #bounds: readonly number[];
  /** By the text of their labels. */
  readonly #series = new Map<string, Series>();

  /** @param bounds of the buckets, each larger than the one before */
  constructor(name: string, help: string, bounds: readonly number[]) {
    this.#name = name;
    this.#help = help;
    this.#bounds = bounds;
  }

  /** The values with some labels, which is to be kept. @param labels such as `method="GET",status="200"` */
  series(labels: string): Series {
    let series = this.#series.get(labels);
    if (series === undefined) {
      series = new Series(this.#bounds);
      this.#series.set(labels, series);
    }
    return series;
  }

  /** In the text format of Prometheus. */
  text(): string {
    const lines = [`# HELP ${this.#name} ${this.#help}`, `# TYPE ${this.#name} histogram`];
    for (const [labels, series] of this.#series) {
      const lead = labels === "" ? "" : `${labels},`;
      const braced = labels === "" ? "" : `{${labels}}`;
      for (const [bound, count] of series.cumulated()) {
        lines.push(`${this.#name}_bucket{${lead}le="${bound}"} ${count}`);
      }
      lines.push(`${this.#name}_sum${braced} ${series.sum}`);
      lines.push(`${this.#name}_count${braced} ${series.count}`);
    }
    return `${lines.join("\n")}\n`;
  }
}

/** The values of one distribution that have the same labels. */
export class Series {
  readonly #bounds: readonly number[];
  readonly #counts: Float64Array;
  sum = 0;
  count = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length);
  }

  observe(value: number): void {
    this.sum += value;
    this.count += 1;
    const bounds = this.#bounds;
    let at = 0;
    while (at < bounds.length && value > (bounds[at] as number)) at += 1;
    if (at < bounds.length) this.#counts[at] = (this.#counts[at] as number) + 1;
  }

  /** By bucket, how many values are no larger than its bound. */
  *cumulated(): Generator<readonly [bound: string, count: number]> {
    let count = 0;
    for (const [at, bound] of this.#bounds.entries()) {
      count += this.#counts[at] as number;
      yield [String(bound), count];
    }
    yield ["+Inf", this.count];
  }
}
