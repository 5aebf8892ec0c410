/** Turns a request into its caller: by a key, a token, what the discovery file tells, or by where it comes from. */
import { createHash, timingSafeEqual } from "node:crypto";

import type { FastifyRequest } from "fastify";

import { localCaller, type Caller } from "../caller.ts";
import type { AuthMode } from "../config/settings.ts";
import type { KeyRing } from "../keys/key-ring.ts";
import { TokenVerifier } from "../tokens/token-verifier.ts";
import { assertFromHere } from "./from-here.ts";
import { unauthenticated } from "./unauthenticated.ts";

export interface GatekeeperOptions {
  readonly mode: AuthMode;
  /** Undefined for a store without a directory, which has no keys. */
  readonly keys: KeyRing | undefined;
  /** Undefined where no tokens are taken. */
  readonly tokens: TokenVerifier | undefined;
  /** What the discovery file tells the store's owner. */
  readonly localToken: string | undefined;
  /** Of pages that may ask, also without a credential where none is needed. */
  readonly corsOrigins: readonly string[];
}

export class Gatekeeper {
  readonly #options: GatekeeperOptions;
  readonly #localTokenHash: Buffer | undefined;

  constructor(options: GatekeeperOptions) {
    this.#options = options;
    if (options.localToken !== undefined) this.#localTokenHash = sha256(options.localToken);
  }

  /** Whether a request without a credential is refused. */
  get isDemanding(): boolean {
    const { mode, keys, tokens } = this.#options;
    return mode === "on" || (mode === "auto" && (tokens !== undefined || keys?.isInUse === true));
  }

  /**
   * Who sends a request: a promise only for a token, whose issuer's keys may have to be fetched.
   *
   * @throws `unauthenticated`, `forbidden` for what a web page of somebody else seems to send, `keys-unreadable`
   */
  callerOf(request: FastifyRequest): Caller | Promise<Caller> {
    const { authorization } = request.headers;
    if (authorization !== undefined) return this.#holderOf(bearerOf(authorization));
    if (this.isDemanding) throw unauthenticated("missing", "This needs a credential.");
    assertFromHere(request, this.#options.corsOrigins);
    return localCaller;
  }

  #holderOf(token: string): Caller | Promise<Caller> {
    if (
      this.#localTokenHash !== undefined &&
      timingSafeEqual(sha256(token), this.#localTokenHash)
    ) {
      return localCaller;
    }
    const { tokens } = this.#options;
    if (tokens !== undefined && TokenVerifier.isToken(token)) return tokens.callerOf(token);
    const held = this.#options.keys?.find(token);
    if (held === undefined) throw unauthenticated("unknown", "The credential is not known here.");
    const { key, ended } = held;
    return {
      id: `key:${key.id}`,
      actor: key.name,
      scopes: new Set(key.scopes),
      limits: key.limits,
      ended,
    };
  }
}

/** @throws `unauthenticated` for another scheme */
function bearerOf(header: string): string {
  const [, token] = /^bearer +([\w.~+/-]+=*) *$/i.exec(header) ?? [];
  if (token !== undefined) return token;
  throw unauthenticated("malformed", "Authorization must have the form: Bearer CREDENTIAL.");
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
