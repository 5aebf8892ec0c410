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
  const stopped = new Promise<IteratorReturnResult<undefined>>((resolve) => {
    signal.addEventListener("abort", () => resolve({ done: true, value: undefined }), {
      once: true,
    });
  });
  try {
    while (!signal.aborted) {
      const { done, value } = await Promise.race([source.next(), stopped]);
      if (done === true) return;
      yield value;
    }
  } finally {
    // A source that is being waited for would let go of what it holds only when something comes.
    const left = source.return?.();
    if (!signal.aborted) await left;
  }
}
