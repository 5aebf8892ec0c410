/** Stopping on request: the caller's `AbortSignal` as an error with a code. */
import { StoreError } from "./errors.ts";

/** @throws `aborted` when the signal has fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortError(signal);
}

/**
 * Waits for a promise until the signal fires. What the promise stands for goes on all the same.
 *
 * @throws `aborted`, or what the promise rejects with
 */
export async function untilAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return promise;
  if (signal.aborted) {
    // Nobody waits for the promise any more, so its failure must not count as unhandled.
    promise.catch(() => undefined);
    throw abortError(signal);
  }
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(abortError(signal));
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    if (stop !== undefined) signal.removeEventListener("abort", stop);
  }
}

function abortError(signal: AbortSignal): StoreError {
  return new StoreError("aborted", "The operation was aborted.", { cause: signal.reason });
}
