/** Catch-up, then live: as an async iteration, and as an rxjs Observable. */
// The sub-module alone: loading all of rxjs costs a short-lived process more than opening the store does.
import { Observable } from "rxjs/internal/Observable";

import { throwIfAborted } from "../abort.ts";
import type { RecordedEvent } from "../event/event.ts";
import type { Position } from "../ids.ts";
import type { EventLog } from "./event-log.ts";
import type { GroupWrite } from "./group-writer.ts";

/** Tells listeners that the head has moved, or that the log has closed. */
export class HeadSignal {
  readonly #listeners = new Set<(write: GroupWrite | undefined) => void>();
  #closed = false;

  get listeners(): number {
    return this.#listeners.size;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** @param write what moved the head, where that was a write */
  notify(write?: GroupWrite): void {
    for (const listener of this.#listeners) {
      try {
        listener(write);
      } catch (error) {
        // The events are durable whatever a listener makes of them; its failure is its own.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  /** Resolves at the next notification, or when the signal fires. */
  next(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        stop();
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const stop = this.listen(done);
      signal?.addEventListener("abort", done, { once: true });
    });
  }

  close(): void {
    this.#closed = true;
    this.notify();
  }

  listen(listener: (write: GroupWrite | undefined) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/**
 * Every event from a position on, each once and in order: first those stored, then each as it becomes durable. It ends
 * when the log is closed.
 *
 * It always reads from the log and keeps only the next position, so there is no seam between stored and live events, and
 * a reader costs no memory however slow it is.
 *
 * @throws `aborted`, and the codes of `EventLog.read`
 */
export async function* followEvents(
  log: EventLog,
  head: HeadSignal,
  from: Position,
  signal: AbortSignal | undefined,
): AsyncGenerator<RecordedEvent> {
  let next = from;
  try {
    while (true) {
      throwIfAborted(signal);
      if (next <= log.head) {
        for await (const event of log.read({ from: next, signal })) {
          next = event.position + 1;
          yield event;
        }
      } else if (head.closed) {
        return;
      } else {
        await head.next(signal);
      }
    }
  } catch (error) {
    // A read cut short by closing is the end that was asked for, not a failure.
    if (!head.closed) throw error;
  }
}

/**
 * What `EventLog.follow` gives, as an Observable that completes when the log is closed. A subscriber that works as it is called costs no memory. One that only queues what it
 * gets keeps a queue of its own.
 */
export function observeEvents(log: EventLog, from?: Position): Observable<RecordedEvent> {
  return new Observable<RecordedEvent>((subscriber) => {
    const abort = new AbortController();
    const pump = async (): Promise<void> => {
      for await (const event of log.follow({ from, signal: abort.signal })) {
        subscriber.next(event);
        if (subscriber.closed) return;
      }
      subscriber.complete();
    };
    pump().catch((error: unknown) => subscriber.error(error));
    return () => abort.abort();
  });
}
