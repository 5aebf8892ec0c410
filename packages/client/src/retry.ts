/** When a request is sent again, and how long is waited before. */
import { ClientError } from "./client-error.ts";
import { pause } from "./abort.ts";

/** How often and how patiently a request is sent again. */
export interface RetryOptions {
  /** Requests sent for one question at most, the first included; 1 for no retries. Default 5. */
  readonly attempts?: number | undefined;
  /** Pause before the first retry, milliseconds; it doubles with each. Default 100. */
  readonly pauseMs?: number | undefined;
  /** No pause is longer than this; where a server asks for more patience, its failure is told. Default 10 000. */
  readonly pauseMsMax?: number | undefined;
  /** Requests sent in a row to take up a live stream that broke off. Default 20, which is two minutes. */
  readonly liveAttempts?: number | undefined;
}

export interface RetryPolicy {
  readonly attempts: number;
  readonly pauseMs: number;
  readonly pauseMsMax: number;
  readonly liveAttempts: number;
}

/** @throws `argument-invalid` */
export function retryPolicy(options: RetryOptions = {}): RetryPolicy {
  const { attempts = 5, pauseMs = 100, pauseMsMax = 10_000, liveAttempts = 20 } = options;
  for (const [name, value, min] of [
    ["attempts", attempts, 1],
    ["pauseMs", pauseMs, 0],
    ["pauseMsMax", pauseMsMax, 0],
    ["liveAttempts", liveAttempts, 1],
  ] as const) {
    if (Number.isSafeInteger(value) && value >= min) continue;
    throw new ClientError("argument-invalid", `retry.${name} must be a whole number from ${min}.`, {
      details: { argument: `retry.${name}`, value },
    });
  }
  return { attempts, pauseMs, pauseMsMax, liveAttempts };
}

/** A failure, and how long the server asks to be left alone after it. */
export interface FailedAttempt {
  readonly error: ClientError;
  readonly waitMs?: number | undefined;
}

/** Codes, beside those of category `busy`, after which the same request may do better. */
const passing: ReadonlySet<string> = new Set([
  "server-unreachable",
  "store-closed",
  "outcome-unknown",
]);
/** Codes that only somebody's action ends. */
const lasting: ReadonlySet<string> = new Set(["projection-paused", "store-locked"]);

/** Whether it makes sense to send the same request again. */
export function isPassing({ code, category }: ClientError): boolean {
  return passing.has(code) || (category === "busy" && !lasting.has(code));
}

/**
 * Runs an attempt until it succeeds, fails for good, or has been made as often as allowed.
 *
 * @param attempt gives what it failed with as `FailedAttempt` where it may be made again, and throws otherwise
 */
export async function withRetries<T>(
  { attempts, pauseMs, pauseMsMax }: RetryPolicy,
  signal: AbortSignal | undefined,
  attempt: () => Promise<{ readonly value: T } | FailedAttempt>,
): Promise<T> {
  for (let made = 1; ; made += 1) {
    const outcome = await attempt();
    if ("value" in outcome) return outcome.value;
    const { error, waitMs = 0 } = outcome;
    if (made >= attempts || !isPassing(error) || waitMs > pauseMsMax) throw error;
    await pause(Math.max(backOffMs({ pauseMs, pauseMsMax }, made), waitMs), signal);
  }
}

/** The pause after so many failures in a row. Callers that failed together do not come back together. */
export function backOffMs(
  { pauseMs, pauseMsMax }: Pick<RetryPolicy, "pauseMs" | "pauseMsMax">,
  failures: number,
): number {
  return Math.min(pauseMs * 2 ** (failures - 1), pauseMsMax) * (0.5 + Math.random() / 2);
}

/** Milliseconds that a `Retry-After` header asks for: seconds, or a date. */
export function retryAfterMs(
  header: string | null,
  nowMs: number = Date.now(),
): number | undefined {
  if (header === null) return undefined;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}
