/** Long work in slices: lets the event loop turn between them, and stops on request. */
import { setImmediate } from "node:timers/promises";

import { throwIfAborted } from "../abort.ts";

/** Milliseconds of work between two turns of the event loop. */
const sliceMs = 10;

export class Pacer {
  readonly #signal: AbortSignal | undefined;
  #until = performance.now() + sliceMs;

  /** @throws `aborted` */
  constructor(signal: AbortSignal | undefined) {
    throwIfAborted(signal);
    this.#signal = signal;
  }

  /** Whether it is time for `turn`. Cheap, but not for every step: ask every few hundred. */
  get isDue(): boolean {
    return performance.now() >= this.#until;
  }

  /** Lets the event loop turn. @throws `aborted` */
  async turn(): Promise<void> {
    await setImmediate();
    throwIfAborted(this.#signal);
    this.#until = performance.now() + sliceMs;
  }

  /** Takes the steps of work that tells where it can be left for a while. @returns what it makes @throws `aborted` */
  async through<T>(steps: Iterator<undefined, T>): Promise<T> {
    try {
      for (;;) {
        const step = steps.next();
        if (step.done === true) return step.value;
        if (this.isDue) await this.turn();
      }
    } finally {
      steps.return?.();
    }
  }
}
