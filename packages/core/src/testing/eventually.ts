/** Waits for what is done in the background. */

const patienceMs = 20_000;
const pauseMs = 5;

/**
 * Repeats a check until it passes. It waits long, because a busy machine may take long, and costs no time when all is well.
 *
 * @throws what the check throws in the end
 */
export async function eventually(check: () => void | Promise<void>): Promise<void> {
  const end = performance.now() + patienceMs;
  while (true) {
    try {
      await check();
      return;
    } catch (error) {
      if (performance.now() > end) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
