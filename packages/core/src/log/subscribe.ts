/** Catch-up, then live, as an rxjs Observable. */
// The sub-module alone: loading all of rxjs costs a short-lived process more than opening the store does.
import { Observable } from "rxjs/internal/Observable";

import type { RecordedEvent } from "../event/event.ts";
import type { Position } from "../ids.ts";
import type { EventLog } from "./event-log.ts";

/** Tells listeners that the head has moved, or that the log has closed. */
export class HeadSignal {
  readonly #listeners = new Set<() => void>();
  #closed = false;

  get closed(): boolean {
    return this.#closed;
  }

  notify(): void {
    for (const listener of this.#listeners) {
      try {
        listener();
      } catch (error) {
        // The events are durable whatever a listener makes of them; its failure is its own.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  /** Resolves at the next notification. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      const stop = this.listen(() => {
        stop();
        resolve();
      });
    });
  }

  close(): void {
    this.#closed = true;
    this.notify();
  }

  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/**
 * Every event from a position on, each once and in order.
 *
 * It always reads from the log and keeps only the next position, so there is no seam between stored and live events, and
 * a subscriber that works as it is called costs no memory. One that only queues what it gets keeps a queue of its own.
 */
export function observeEvents(
  log: EventLog,
  signal: HeadSignal,
  from: Position,
): Observable<RecordedEvent> {
  return new Observable<RecordedEvent>((subscriber) => {
    const abort = new AbortController();
    let wake: (() => void) | undefined;
    const stop = signal.listen(() => wake?.());
    const pump = async (): Promise<void> => {
      let next = from;
      while (!subscriber.closed) {
        if (next <= log.head) {
          for await (const event of log.read({ from: next, signal: abort.signal })) {
            subscriber.next(event);
            next = event.position + 1;
            if (subscriber.closed) return;
          }
        } else if (signal.closed) {
          subscriber.complete();
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    };
    pump().catch((error: unknown) => {
      // A read cut short by closing is the end that was asked for, not a failure.
      if (signal.closed) subscriber.complete();
      else subscriber.error(error);
    });
    return () => {
      stop();
      abort.abort();
      wake?.();
    };
  });
}
