/** The chunks of a stream, with word of its pauses. */

/** Nothing has come for as long as was to be waited. */
export const paused: unique symbol = Symbol("paused");

/**
 * @param waitMs how long the next chunk is waited for before a pause is told of; undefined for as long as it takes. It is asked
 * before each chunk, and once a pause was told of, the chunk is waited for
 */
export async function* withPauses(
  chunks: AsyncIterable<Uint8Array>,
  waitMs: () => number | undefined,
): AsyncGenerator<Uint8Array | typeof paused> {
  const source = chunks[Symbol.asyncIterator]();
  let isReading = false;
  try {
    for (;;) {
      const next = source.next();
      isReading = true;
      const ms = waitMs();
      if (ms !== undefined && !(await settlesWithin(next, ms))) yield paused;
      const { done, value } = await next;
      isReading = false;
      if (done === true) return;
      yield value;
    }
  } finally {
    // A source that is being waited for would end only when something comes.
    const ended = source.return?.().catch(() => undefined);
    if (!isReading) await ended;
  }
}

async function settlesWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  const settled = promise.then(
    () => true as const,
    () => true as const,
  );
  try {
    return await Promise.race([settled, late]);
  } finally {
    clearTimeout(timer);
  }
}
