/** An issuer of tokens: keys to sign with, and a server that gives the public ones. */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import {
  exportJWK,
  generateKeyPair,
  SignJWT,
  type CryptoKey,
  type JWK,
  type JWTPayload,
} from "jose";

export const issuer = "https://id.example";
export const audience = "https://sennit.example";

export interface Signer {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

export async function signer(kid: string, alg: string): Promise<Signer> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" } };
}

export interface Claims extends JWTPayload {
  readonly scp?: readonly string[];
}

export const usualClaims: Claims = {
  iss: issuer,
  aud: audience,
  sub: "maria",
  scope: "openid sennit:read",
};

/** A token that counts for a minute, unless the claims say something else. */
export function signed({ alg, kid, privateKey }: Signer, claims: Claims = {}): Promise<string> {
  const exp = Math.floor(Date.now() / 1000) + 60;
  return new SignJWT({ exp, ...usualClaims, ...claims })
    .setProtectedHeader({ alg, kid })
    .sign(privateKey);
}

export interface KeyServer {
  readonly url: string;
  keys: JWK[];
  /** Instead of the keys: a status, a connection that breaks off, or one on which nothing comes. */
  failure: number | "silence" | "nothing" | undefined;
  asked: number;
  /** How many wait for an answer now. */
  readonly unanswered: number;
  /** Breaks off the connections of those who wait. */
  readonly release: () => void;
}

/** A server of keys that is there until `use` ends. */
export async function withKeyServer(
  keys: readonly Signer[],
  use: (keys: KeyServer) => Promise<void>,
): Promise<void> {
  const failure: KeyServer["failure"] = undefined;
  const waiting = new Set<ServerResponse>();
  const state: KeyServer = {
    url: "",
    keys: keys.map(({ jwk }) => jwk),
    failure,
    asked: 0,
    get unanswered() {
      return waiting.size;
    },
    release: () => {
      for (const response of waiting) response.destroy();
    },
  };
  const server = createServer((_request, response) => {
    state.asked += 1;
    if (state.failure === "silence") {
      response.destroy();
      return;
    }
    if (state.failure === "nothing") {
      waiting.add(response);
      response.once("close", () => waiting.delete(response));
      return;
    }
    response.statusCode = state.failure ?? 200;
    response.end(JSON.stringify({ keys: state.keys }));
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
  try {
    await use(Object.assign(state, { url }));
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
