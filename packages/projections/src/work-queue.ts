/** Does one thing after the other. */

export class WorkQueue {
  #last: Promise<void> = Promise.resolve();

  /** Begins when all that was added before is done, or has failed. @returns what the work comes to */
  add(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** Resolves when all that has been added is done. */
  idle(): Promise<void> {
    return this.#last;
  }
}
