/** Waits until somebody wants a command to end that has no end of its own. */
import type { Io } from "./io.ts";

/** Resolves when the user stops the command. The process is kept running meanwhile. */
export async function untilStopped({ signal }: Io): Promise<void> {
  if (signal.aborted) return;
  const keepAlive = setInterval(() => {}, 0x7fff_ffff);
  try {
    await new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
  } finally {
    clearInterval(keepAlive);
  }
}
