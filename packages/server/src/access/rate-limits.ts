/** Keeps one credential from taking the server away from the others, and an address from trying out credentials. */
import { StoreError } from "@sennit/core";
import type { FastifyReply, FastifyRequest } from "fastify";

import { localCaller, type Caller } from "../caller.ts";
import type { Settings } from "../config/settings.ts";
import { TokenBuckets, type Taken } from "./token-bucket.ts";

/** Credentials, and addresses, of which the server knows how much they asked. Some 150 bytes each. */
const bucketsMax = 10_000;
/** What may come at once is what comes in so many seconds. */
const burstSeconds = 2;

interface Limit {
  /** As the headers name it. */
  readonly name: "reads" | "writes";
  readonly perSecond: number;
  readonly buckets: TokenBuckets;
}

export class RateLimits {
  readonly #reads: Limit | undefined;
  readonly #writes: Limit | undefined;
  readonly #refusals: TokenBuckets | undefined;

  constructor({
    readsPerSecondMax,
    writesPerSecondMax,
    refusalsPerMinuteMax,
  }: Pick<Settings, "readsPerSecondMax" | "writesPerSecondMax" | "refusalsPerMinuteMax">) {
    this.#reads = limitOf("reads", readsPerSecondMax);
    this.#writes = limitOf("writes", writesPerSecondMax);
    if (refusalsPerMinuteMax > 0) {
      const perSecond = refusalsPerMinuteMax / 60;
      this.#refusals = new TokenBuckets({ perSecond, burst: refusalsPerMinuteMax, bucketsMax });
    }
  }

  /** Counts a request of a caller, and says in headers what is left. @throws `rate-limited` */
  takeRequest(caller: Caller, request: FastifyRequest, reply: FastifyReply): void {
    // Programs of the store's owner have other means to keep the machine busy.
    if (caller.id === localCaller.id) return;
    const isRead = request.method === "GET" || request.method === "HEAD";
    const limit = isRead ? this.#reads : this.#writes;
    if (limit === undefined) return;
    const { name, perSecond, buckets } = limit;
    const taken = buckets.take(caller.id);
    reply.header("ratelimit-policy", `"${name}";q=${burstOf(perSecond)};w=${burstSeconds}`);
    reply.header("ratelimit", `"${name}";r=${taken.remaining};t=${secondsOf(taken)}`);
    if (!taken.isGranted) throw limited(`The credential sends too many ${name}.`, taken);
  }

  /** Counts a request without a credential that counts. @throws `rate-limited` instead of what it would be told otherwise */
  takeRefusal(request: FastifyRequest): void {
    const taken = this.#refusals?.take(request.ip);
    if (taken?.isGranted !== false) return;
    throw limited("Too many requests of this address were refused.", taken);
  }
}

function limitOf(name: Limit["name"], perSecond: number): Limit | undefined {
  if (perSecond === 0) return undefined;
  const burst = burstOf(perSecond);
  return { name, perSecond, buckets: new TokenBuckets({ perSecond, burst, bucketsMax }) };
}

function burstOf(perSecond: number): number {
  return Math.max(1, Math.ceil(perSecond * burstSeconds));
}

function secondsOf({ waitSeconds }: Taken): number {
  return Math.ceil(waitSeconds);
}

function limited(message: string, taken: Taken): StoreError {
  return new StoreError("rate-limited", message, {
    details: { retryAfterSeconds: Math.max(1, secondsOf(taken)) },
  });
}
