/** How many requests somebody may send: a bucket for each, filled at a steady rate. */

/** What a request was told by the bucket it came to. */
export interface Taken {
  readonly isGranted: boolean;
  /** Requests that would be granted at once, after this one. */
  readonly remaining: number;
  /** Until another one is granted; 0 when one would be at once. */
  readonly waitSeconds: number;
}

interface Bucket {
  /** Requests that would be granted at `atMs`, a fraction of one included. */
  level: number;
  atMs: number;
}

export interface TokenBucketsOptions {
  /** Granted in the long run. */
  readonly perSecond: number;
  /** Granted at once after a rest; at least 1. */
  readonly burst: number;
  /** Of whom one bucket each is kept; who has not come for longest is forgotten, and has a full one when coming back. */
  readonly bucketsMax: number;
  /** Milliseconds that only grow. */
  readonly nowMs?: () => number;
}

export class TokenBuckets {
  readonly #options: TokenBucketsOptions;
  readonly #nowMs: () => number;
  /** Who came last stands last. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(options: TokenBucketsOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? (() => performance.now());
  }

  /** Buckets kept. */
  get size(): number {
    return this.#buckets.size;
  }

  /** Takes one request out of the bucket of somebody. */
  take(whose: string): Taken {
    const { perSecond, burst, bucketsMax } = this.#options;
    const nowMs = this.#nowMs();
    const bucket = this.#buckets.get(whose) ?? { level: burst, atMs: nowMs };
    bucket.level = Math.min(burst, bucket.level + ((nowMs - bucket.atMs) / 1000) * perSecond);
    bucket.atMs = nowMs;
    this.#buckets.delete(whose);
    this.#buckets.set(whose, bucket);
    if (this.#buckets.size > bucketsMax) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    const isGranted = bucket.level >= 1;
    if (isGranted) bucket.level -= 1;
    return {
      isGranted,
      remaining: Math.floor(bucket.level),
      waitSeconds: Math.max(0, (1 - bucket.level) / perSecond),
    };
  }
}
