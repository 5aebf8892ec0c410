/** Live queries as iterations that end when the views close, and as rxjs Observables that stop when nobody subscribes any more. */
import { isStoreError } from "@sennit/core";
import { Observable } from "rxjs/internal/Observable";

/** Views that close end what follows them; it has not failed. */
export async function* untilClosed<T>(iteration: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* iteration;
  } catch (error) {
    if (!isStoreError(error) || error.code !== "store-closed") throw error;
  }
}

/**
 * Runs the iteration once for each subscriber.
 *
 * @param iterate gets a signal that fires when the subscriber leaves
 */
export function observe<T>(iterate: (signal: AbortSignal) => AsyncIterable<T>): Observable<T> {
  return new Observable<T>((subscriber) => {
    const abort = new AbortController();
    const pump = async (): Promise<void> => {
      for await (const value of untilClosed(iterate(abort.signal))) subscriber.next(value);
      subscriber.complete();
    };
    pump().catch((error: unknown) => subscriber.error(error));
    return () => abort.abort();
  });
}
