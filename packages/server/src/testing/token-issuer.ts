/** An issuer of tokens: keys to sign with, and a server that gives the public ones. */
import { createServer } from "node:http";
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
  /** Instead of the keys: a status, or that nothing is answered at all. */
  failure: number | "silence" | undefined;
  asked: number;
}

/** A server of keys that is there until `use` ends. */
export async function withKeyServer(
  keys: readonly Signer[],
  use: (keys: KeyServer) => Promise<void>,
): Promise<void> {
  const failure: KeyServer["failure"] = undefined;
  const state = { url: "", keys: keys.map(({ jwk }) => jwk), failure, asked: 0 } as KeyServer;
  const server = createServer((_request, response) => {
    state.asked += 1;
    if (state.failure === "silence") {
      response.destroy();
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
