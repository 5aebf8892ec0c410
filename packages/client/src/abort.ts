/** Stopping on request: several signals as one, pauses that end early, and the error that says so. */
import { ClientError } from "./client-error.ts";

function abortError(signal: AbortSignal): ClientError {
  return new ClientError("aborted", "The operation was aborted.", { cause: signal.reason });
}

/** @throws `aborted` when the signal has fired */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortError(signal);
}

/** Waits. @throws `aborted` */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  throwIfAborted(signal);
  await new Promise<void>((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      if (signal !== undefined) reject(abortError(signal));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/** A signal that fires with the first of several. */
export interface JoinedSignal {
  readonly signal: AbortSignal;
  /** Ends what still depends on it, and leaves nothing behind on the others. */
  release(): void;
}

export function joinSignals(signals: readonly (AbortSignal | undefined)[]): JoinedSignal {
  const controller = new AbortController();
  const stops = signals.flatMap((signal) => {
    if (signal === undefined) return [];
    const stop = (): void => controller.abort(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
    return [() => signal.removeEventListener("abort", stop)];
  });
  return {
    signal: controller.signal,
    release: () => {
      for (const stop of stops) stop();
      controller.abort();
    },
  };
}
