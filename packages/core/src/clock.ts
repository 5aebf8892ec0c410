/** The clock port: where the store gets the time it stamps on batches. */

import { limits } from "./limits.ts";

/** Gives the time in microseconds since the Unix epoch, UTC. It may step back; the log never does. */
export interface Clock {
  nowUs(): number;
}

/** The machine's clock (millisecond steps; the log makes equal readings distinct). */
export const systemClock: Clock = {
  nowUs: () => Date.now() * 1000,
};

/** A clock's reading in whole microseconds since the epoch; 0 when it is none: a log then goes on from its last batch. */
export function readClockUs(clock: Clock): number {
  const now = Math.floor(clock.nowUs());
  return now >= 0 && now <= limits.timeUsMax ? now : 0;
}
