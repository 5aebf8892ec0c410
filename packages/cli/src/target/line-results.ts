/** What becomes of lines that are ingested, whatever store takes them. */
import type { IngestSummary, LineResult } from "@sennit/core";

/** What the last result says, once all others have been handed on. */
export async function lastOf(
  results: AsyncGenerator<readonly LineResult[], IngestSummary>,
  onResults: (results: readonly LineResult[]) => void,
): Promise<IngestSummary> {
  for (;;) {
    const { done, value } = await results.next();
    if (done === true) return value;
    onResults(value);
  }
}

/** The chunks up to the moment in which the signal fires; one that is waited for then is not waited for any longer. */
export async function* until(
  signal: AbortSignal,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const source = chunks[Symbol.asyncIterator]();
  try {
    while (!signal.aborted) {
      const { done, value } = await orStopped(signal, source.next());
      if (done === true) return;
      yield value;
    }
  } finally {
    // A source that is being waited for would let go of what it holds only when something comes.
    const left = source.return?.();
    if (!signal.aborted) await left;
  }
}

const stopped: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** A race with one promise that lasts would keep every chunk for as long as that does. */
function orStopped<T>(signal: AbortSignal, next: Promise<T>): Promise<T | typeof stopped> {
  return new Promise((resolve, reject) => {
    const stop = () => resolve(stopped);
    const settle = (then: () => void) => {
      signal.removeEventListener("abort", stop);
      then();
    };
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
    next.then(
      (value) => settle(() => resolve(value)),
      (error: unknown) => settle(() => reject(error)),
    );
  });
}
