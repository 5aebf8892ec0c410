/** The clock port: where the store gets the time it stamps on batches. */

/** Gives the time in microseconds since the Unix epoch, UTC. It may step back; the log never does. */
export interface Clock {
  nowUs(): number;
}

/** The machine's clock (millisecond steps; the log makes equal readings distinct). */
export const systemClock: Clock = {
  nowUs: () => Date.now() * 1000,
};
