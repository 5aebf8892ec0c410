/** Lets a source bring its next item while the one before it is worked on. */

/** The same items; the source is closed when the reader stops. */
export async function* ahead<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  const pull = () => {
    const next = iterator.next();
    // Nobody listens to a failure before the item is asked for.
    next.catch(() => undefined);
    return next;
  };
  let next = pull();
  try {
    while (true) {
      const { done, value } = await next;
      if (done === true) return;
      next = pull();
      yield value;
    }
  } finally {
    await next.catch(() => undefined);
    await iterator.return?.();
  }
}
