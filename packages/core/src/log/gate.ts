/** Holds appends back while something has to be done first: the lineage graph, an erasure, a recovery. */
import { StoreError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Recovery } from "./recovery.ts";

/** Those that wait go on in the order of their calls. */
export class Gate {
  readonly #recovery: Recovery;
  #work: Promise<void> | undefined;
  #waitingEvents = 0;

  constructor(recovery: Recovery) {
    this.#recovery = recovery;
  }

  /** True while nothing may be decided. It must be asked again after every wait: another may have shut the gate. */
  get isShut(): boolean {
    return this.#work !== undefined || this.#recovery.failure !== undefined;
  }

  /** Shuts the gate, which must be open, until the work has ended one way or the other. */
  shut<T>(work: Promise<T>): Promise<T> {
    const open = (): void => {
      this.#work = undefined;
    };
    this.#work = work.then(open, open);
    return work;
  }

  /**
   * Waits until what holds the gate has ended.
   *
   * @param events that are kept in memory meanwhile
   * @throws `too-many-pending-appends`, the codes of `Recovery.run`
   */
  async wait(events: number): Promise<void> {
    if (this.#waitingEvents + events > limits.waitingEventsMax) {
      throw new StoreError("too-many-pending-appends", "Too many events wait to be decided.");
    }
    this.#waitingEvents += events;
    try {
      await this.#work;
      await this.#recovery.run();
    } finally {
      this.#waitingEvents -= events;
    }
  }
}
