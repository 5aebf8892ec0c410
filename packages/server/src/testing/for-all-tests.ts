/** Lets all tests of a file share what is open only while a function is called. */
import { afterAll, beforeAll } from "vitest";

/**
 * Opens it before the first test and closes it after the last.
 *
 * @param within opens something, hands it to a function, and closes it when that has ended
 * @returns gives what is open, within a test
 */
export function forAllTests<Given>(
  within: (use: (given: Given) => Promise<void>) => Promise<void>,
): () => Given {
  let shared: { readonly given: Given } | undefined;
  let end: () => void = () => undefined;
  let ended: Promise<void> | undefined;
  beforeAll(async () => {
    await new Promise<void>((ready, failed) => {
      ended = within(async (given) => {
        shared = { given };
        ready();
        await new Promise<void>((resolve) => (end = resolve));
      });
      ended.catch(failed);
    });
  });
  afterAll(async () => {
    end();
    await ended;
  });
  return () => {
    if (shared === undefined) throw new Error("nothing is open outside the tests");
    return shared.given;
  };
}
