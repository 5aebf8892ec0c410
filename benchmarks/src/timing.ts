/** Compares several ways to do the same work in one run, in turns, so that a noisy machine is noisy for all of them. */

/** One side of a comparison: does its work once and says how it went, in the unit of its row. */
export type Contestant = () => Promise<number>;

/** What each contestant measured in each round; the n-th figures of all were taken one right after the other. */
export type Rounds<Name extends string> = Readonly<Record<Name, readonly number[]>>;

/** Two sides of a row. */
export interface Comparison {
  /** Median over the rounds. */
  readonly ours: number;
  /** Median over the rounds. */
  readonly peer: number;
  /** Median of the rounds' ratios ours / peer, steadier than the ratio of the two medians. */
  readonly ratio: number;
}

/** Seconds that the work takes. */
export async function secondsOf(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

/** The middle of the values; of an even number of them, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Runs every contestant once per round, in an order that turns round each time, after one round that does not count. */
export async function takeTurns<Name extends string>(
  rounds: number,
  contestants: Readonly<Record<Name, Contestant>>,
): Promise<Rounds<Name>> {
  const names = Object.keys(contestants) as Name[];
  const figures = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<
    Name,
    number[]
  >;
  for (let round = 0; round <= rounds; round += 1) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const figure = await contestants[name]();
      if (round > 0) figures[name].push(figure);
    }
  }
  return figures;
}

/** Compares the figures of two contestants round by round. */
export function compare(ours: readonly number[], peer: readonly number[]): Comparison {
  const ratios = ours.map((figure, round) => figure / (peer[round] ?? Number.NaN));
  return { ours: median(ours), peer: median(peer), ratio: median(ratios) };
}
