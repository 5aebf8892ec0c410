/** Takes JSON Web Tokens of one issuer as credentials. */
import { createHash } from "node:crypto";

import { isStoreError } from "@sennit/core";
import { errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from "jose";

import { unauthenticated } from "../access/unauthenticated.ts";
import type { Caller } from "../caller.ts";
import { isScope, type Scope } from "../scopes.ts";

export interface TokenVerifierOptions {
  readonly issuer: string;
  readonly audience: string;
  readonly keys: JWTVerifyGetKey;
  readonly algorithms: readonly string[];
  /** What stands before a scope's name in the claims `scope` and `scp`. */
  readonly scopePrefix: string;
  /** The claim that is the actor. */
  readonly actorClaim: string;
  /** How far the clocks may be apart. */
  readonly clockSeconds: number;
}

/** Tokens of which it is known that they count, and how long that is taken for granted: a key may be withdrawn. */
const knownMax = 1000;
const knownMs = 60_000;
const actorLengthMax = 256;
/** Of a timer in Node. */
const timerMsMax = 2 ** 31 - 1;

interface Known {
  readonly caller: Caller;
  readonly expiresAtMs: number;
  checkedAtMs: number;
}

export class TokenVerifier {
  readonly #options: TokenVerifierOptions;
  /** By the digest of the token; what was used last stands last. */
  readonly #known = new Map<string, Known>();

  constructor(options: TokenVerifierOptions) {
    this.#options = options;
  }

  /** Whether a credential has the form of a token. */
  static isToken(text: string): boolean {
    return /^[\w-]+\.[\w-]+\.[\w-]*$/.test(text);
  }

  /** @throws `unauthenticated`, `keys-unreadable` while the issuer's keys cannot be had */
  async callerOf(token: string): Promise<Caller> {
    const digest = createHash("sha256").update(token).digest("base64");
    const known = this.#known.get(digest);
    const nowMs = Date.now();
    const isFresh =
      known !== undefined && nowMs - known.checkedAtMs < knownMs && nowMs < known.expiresAtMs;
    if (isFresh) {
      this.#keep(digest, known);
      return known.caller;
    }
    const payload = await this.#verify(token).catch((error: unknown) => {
      this.#known.delete(digest);
      throw refusal(error);
    });
    const verified = known ?? this.#newlyKnown(payload);
    verified.checkedAtMs = nowMs;
    this.#keep(digest, verified);
    return verified.caller;
  }

  async #verify(token: string): Promise<JWTPayload> {
    const { issuer, audience, keys, algorithms, clockSeconds, actorClaim } = this.#options;
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience,
      algorithms: [...algorithms],
      clockTolerance: clockSeconds,
      requiredClaims: ["exp", actorClaim],
    });
    return payload;
  }

  #newlyKnown(payload: JWTPayload): Known {
    const { actorClaim, scopePrefix, clockSeconds } = this.#options;
    const actor = payload[actorClaim];
    if (!isActor(actor)) {
      throw unauthenticated("untrusted", `The token's claim ${actorClaim} is no name.`);
    }
    const expiresAtMs = ((payload.exp ?? 0) + clockSeconds) * 1000;
    const caller: Caller = {
      id: `token:${actor}`,
      actor,
      scopes: scopesOf(payload, scopePrefix),
      limits: {},
      ended: endingAt(expiresAtMs),
    };
    return { caller, expiresAtMs, checkedAtMs: 0 };
  }

  #keep(digest: string, known: Known): void {
    this.#known.delete(digest);
    this.#known.set(digest, known);
    if (this.#known.size <= knownMax) return;
    const [oldest] = this.#known.keys();
    if (oldest !== undefined) this.#known.delete(oldest);
  }
}

function isActor(value: unknown): value is string {
  // eslint-disable-next-line no-control-regex -- control characters are what this pattern is about
  const isName = typeof value === "string" && /^[^\u0000-\u001f\u007f-\u009f]+$/u.test(value);
  return isName && value.length <= actorLengthMax && value.isWellFormed();
}

/** The scopes in `scope` (RFC 8693: text) and in `scp` (a list, or text). What else stands there is for others. */
function scopesOf({ scope, scp }: JWTPayload, prefix: string): ReadonlySet<Scope> {
  const words = [scope, scp].flatMap((claim): unknown[] => {
    if (typeof claim === "string") return claim.split(" ");
    return Array.isArray(claim) ? claim : [];
  });
  return new Set(
    words.flatMap((word) => {
      const name = typeof word === "string" && word.startsWith(prefix) && word.slice(prefix.length);
      return isScope(name) ? [name] : [];
    }),
  );
}

function endingAt(expiresAtMs: number): AbortSignal {
  const ending = new AbortController();
  const end = () => ending.abort(unauthenticated("expired", "The token has expired."));
  setTimeout(end, Math.min(expiresAtMs - Date.now(), timerMsMax)).unref();
  return ending.signal;
}

/** What is said of a token that does not count: never anything of the keys. */
function refusal(error: unknown): unknown {
  if (isStoreError(error)) return error;
  if (error instanceof errors.JWTExpired) {
    return unauthenticated("expired", "The token has expired.");
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    return unauthenticated("untrusted", `The token's claim ${error.claim} is not accepted.`);
  }
  if (error instanceof errors.JOSEAlgNotAllowed) {
    return unauthenticated("untrusted", "The token is signed in a way that is not accepted.");
  }
  if (error instanceof errors.JOSEError) {
    return unauthenticated("untrusted", "The token is not signed by the issuer.");
  }
  return error;
}
