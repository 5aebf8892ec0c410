/** An async iteration as an rxjs Observable that stops when nobody subscribes any more, and ends when the views close. */
import { isStoreError } from "@sennit/core";
import { Observable } from "rxjs/internal/Observable";

/**
 * Runs the iteration once for each subscriber.
 *
 * @param iterate gets a signal that fires when the subscriber leaves
 */
export function observe<T>(iterate: (signal: AbortSignal) => AsyncIterable<T>): Observable<T> {
  return new Observable<T>((subscriber) => {
    const abort = new AbortController();
    const pump = async (): Promise<void> => {
      for await (const value of iterate(abort.signal)) subscriber.next(value);
      subscriber.complete();
    };
    pump().catch((error: unknown) => {
      // Views that close end what follows them; it has not failed.
      if (isStoreError(error) && error.code === "store-closed") subscriber.complete();
      else subscriber.error(error);
    });
    return () => abort.abort();
  });
}
