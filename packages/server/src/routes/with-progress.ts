/** Long work as steps to wait for: how far it is, the newest only, and at the end what came of it. */

/**
 * Begins the work at once.
 *
 * @param work calls back with how far it is, as often as it likes
 * @throws what the work does
 */
export async function* withProgress<Progress, Result>(
  work: (onProgress: (progress: Progress) => void) => Promise<Result>,
): AsyncGenerator<{ readonly progress: Progress } | { readonly result: Result }> {
  let newest: Progress | undefined;
  let wake: (() => void) | undefined;
  const result = work((progress) => {
    newest = progress;
    wake?.();
  });
  const ended = result.then(
    () => true,
    () => true,
  );
  for (;;) {
    const stepped = new Promise<boolean>((resolve) => {
      wake = () => resolve(false);
    });
    // What came while the step before was handed on.
    if (newest !== undefined) wake?.();
    if (await Promise.race([ended, stepped])) break;
    const progress = newest;
    newest = undefined;
    if (progress !== undefined) yield { progress };
  }
  yield { result: await result };
}
