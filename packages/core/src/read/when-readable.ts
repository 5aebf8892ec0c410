/** Reads around the moments in which a storage is shut to recover from a failed write. */
import { isStoreError } from "../errors.ts";
import type { EmbeddedLog } from "../log/embedded-log.ts";

/**
 * Asks a question once the log can be read, and again if the log was shut before the answer was whole.
 *
 * @throws what the question throws, and why the log cannot be opened again at present
 */
export async function whenReadable<Answer>(
  log: EmbeddedLog,
  ask: () => Answer | Promise<Answer>,
): Promise<Answer> {
  for (;;) {
    const shut = log.readable();
    if (shut !== undefined) await shut;
    try {
      return await ask();
    } catch (error) {
      if (!isStoreError(error) || error.code !== "store-reopening") throw error;
    }
  }
}
