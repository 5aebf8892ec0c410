/** How far a projection is, and how fast it goes. */
import type { Position, StoreError } from "@sennit/core";

/**
 * `live`: everything in the log has been applied. `catching-up`: events are being applied. `rebuilding`: the rows are being
 * made anew, aside. `paused`: nothing is applied until it is resumed. `failed`: it has stopped, and is tried again later.
 */
export type ProjectionState = "live" | "catching-up" | "rebuilding" | "paused" | "failed";

/** Rows being made anew beside those that answer. */
export interface RebuildProgress {
  readonly version: number;
  readonly position: Position;
  /** Whether another thread is at it. It ends in this one, which applies what has come meanwhile. */
  readonly inWorker: boolean;
}

export interface ProjectionProgress {
  readonly name: string;
  /** Of the rows that answer; while there are none, of those being made. */
  readonly version: number;
  readonly state: ProjectionState;
  /** Position applied, and the log's head: equal when caught up. */
  readonly position: Position;
  readonly head: Position;
  /** Events not applied yet. */
  readonly lag: number;
  readonly stateHash: string;
  /** While events are applied, over the last seconds; 0 before. Of the rows being made anew as long as there are some. */
  readonly eventsPerSecond: number;
  /** Seconds until everything has been applied, at this rate; null when that cannot be said. */
  readonly etaSeconds: number | null;
  readonly rebuild: RebuildProgress | null;
  /**
   * Why the projection has stopped; null while it goes on. Where its rows could not be written (category `unavailable`), it
   * is tried again with the next event and whenever somebody waits for it; where `apply` threw, after 1 second, then after
   * pauses that double up to a minute, when it is resumed, and when the views are opened anew.
   */
  readonly failure: StoreError | null;
}

/** Progress as plain JSON, as the command line and a server tell it. */
export interface ProjectionStatus extends Omit<ProjectionProgress, "failure" | "rebuild"> {
  /** How far the rows being made anew are; null while there are none. */
  readonly rebuiltUpTo: Position | null;
  readonly failure: ReturnType<StoreError["toJSON"]> | null;
}

/** Says progress as plain JSON. */
export function describeProjection({
  failure,
  rebuild,
  ...progress
}: ProjectionProgress): ProjectionStatus {
  const rebuiltUpTo = rebuild === null ? null : rebuild.position;
  return { ...progress, rebuiltUpTo, failure: failure === null ? null : failure.toJSON() };
}

/** Time over which a rate is measured, milliseconds. */
const windowMs = 5000;

/** Measures a rate from positions reached. */
export class RateMeter {
  /** When work began or a batch was done, within the window but for the first. */
  #samples: { readonly atMs: number; readonly count: number }[] = [];
  #rate = 0;

  /** Work begins after a rest, which does not count. */
  begin(nowMs: number): void {
    this.#samples = [{ atMs: nowMs, count: 0 }];
  }

  /** So many more have been done. */
  add(count: number, nowMs: number): void {
    const total = (this.#samples.at(-1)?.count ?? 0) + count;
    this.#samples.push({ atMs: nowMs, count: total });
    while (this.#samples.length > 2 && (this.#samples[1]?.atMs ?? nowMs) < nowMs - windowMs) {
      this.#samples.shift();
    }
    const [first] = this.#samples;
    if (first === undefined || nowMs <= first.atMs) return;
    this.#rate = ((total - first.count) * 1000) / (nowMs - first.atMs);
  }

  /** A second; 0 before anything was measured. */
  get perSecond(): number {
    return Math.round(this.#rate);
  }
}

/** Seconds until `lag` events are applied. */
export function etaSeconds(lag: number, perSecond: number, isGoing: boolean): number | null {
  if (lag === 0) return 0;
  if (perSecond === 0 || !isGoing) return null;
  return Math.round((lag / perSecond) * 10) / 10;
}
