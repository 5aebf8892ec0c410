/** Which positions have a snapshot: dense near the head and ever thinner behind it, so that there are few. */
import type { Position } from "../ids.ts";

/** Events between two snapshots near the head. */
export const snapshotInterval = 8192;

/** Intervals behind the head after which every other snapshot goes; from then on at every doubling of the way. */
const denseIntervals = 4;

/**
 * True for a position that has a snapshot while the log has its head there.
 *
 * A position that is let go never comes back. About two are kept for each doubling of the log, and the way from any
 * position back to the nearest one is at most half of its way to the head, or one interval.
 */
export function keepsSnapshot(
  position: Position,
  head: Position,
  interval: number = snapshotInterval,
): boolean {
  if (position <= 0 || position > head) return false;
  let spacing = interval;
  while (head - position >= denseIntervals * spacing) spacing *= 2;
  return position % spacing === 0;
}
