/** A clock that stands still until it is told otherwise, and may be told to step back. */
import type { Clock } from "../clock.ts";
import { parseTimestamp } from "../timestamp.ts";
import { must } from "../assert.ts";

/** A deterministic `Clock`. Times are microseconds since the epoch. */
export class FakeClock implements Clock {
  #nowUs: number;
  readonly #stepUs: number;

  /**
   * @param start RFC 3339
   * @param stepUs what the clock moves by after each reading; negative steps back. Default 0.
   */
  constructor(start = "2026-03-02T10:00:00Z", stepUs = 0) {
    this.#nowUs = must(parseTimestamp(start), "the start is a time");
    this.#stepUs = stepUs;
  }

  nowUs(): number {
    const now = this.#nowUs;
    this.#nowUs += this.#stepUs;
    return now;
  }

  /** Moves the clock, back when negative. */
  advance(us: number): void {
    this.#nowUs += us;
  }
}
