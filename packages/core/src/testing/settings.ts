/** How many runs property tests make, and from which seed. */

/**
 * Settings for `fc.assert`: `runs` times the environment's RUNS_MULTIPLIER, from the environment's SEED when given.
 * fast-check prints the seed of a failure.
 */
export function propertySettings(runs: number): { numRuns: number; seed?: number } {
  const multiplier = Number(process.env["RUNS_MULTIPLIER"] ?? 1);
  const seed = process.env["SEED"];
  const numRuns = Math.max(1, Math.round(runs * multiplier));
  return seed === undefined ? { numRuns } : { numRuns, seed: Number(seed) };
}
