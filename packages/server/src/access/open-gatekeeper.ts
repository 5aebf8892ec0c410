/** Makes the gatekeeper of a server from its settings and its store. */
import { systemClock, type EmbeddedStore } from "@sennit/core";
import type { FastifyInstance } from "fastify";

import type { Settings } from "../config/settings.ts";
import { KeyRing } from "../keys/key-ring.ts";
import { issuerKeys } from "../tokens/issuer-keys.ts";
import { TokenVerifier } from "../tokens/token-verifier.ts";
import { Gatekeeper } from "./gatekeeper.ts";

export interface OpenGatekeeperOptions {
  readonly store: EmbeddedStore;
  readonly settings: Settings;
  readonly localToken: string | undefined;
}

/** What it opens is closed with the server. */
export async function openGatekeeper(
  app: FastifyInstance,
  { store: { directory }, settings, localToken }: OpenGatekeeperOptions,
): Promise<Gatekeeper> {
  const keys =
    directory === undefined
      ? undefined
      : await KeyRing.open(directory, {
          clock: systemClock,
          onFailure: (failure) => {
            if (failure === undefined) app.log.info("The keys can be read again.");
            else app.log.error({ err: failure }, "The keys cannot be read: none counts.");
          },
        });
  app.addHook("onClose", () => keys?.close());
  return new Gatekeeper({
    mode: settings.auth,
    keys,
    tokens: verifierOf(settings),
    localToken,
    corsOrigins: settings.corsOrigins,
  });
}

function verifierOf(settings: Settings): TokenVerifier | undefined {
  const { tokenIssuer: issuer, tokenAudience: audience, tokenKeys } = settings;
  if (issuer === undefined || audience === undefined || tokenKeys === undefined) return undefined;
  return new TokenVerifier({
    issuer,
    audience,
    keys: issuerKeys(tokenKeys),
    algorithms: settings.tokenAlgorithms,
    scopePrefix: settings.tokenScopePrefix,
    actorClaim: settings.tokenActorClaim,
    clockSeconds: settings.tokenClockSeconds,
  });
}
