/** Tokens of an issuer as credentials: which count, whom they make of the caller, and how often its keys are fetched. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { codeOf, eventually, withTemporaryDirectory } from "@sennit/core/testing";
import { SignJWT } from "jose";
import { beforeAll, expect, test } from "vitest";

import { completeSettings } from "../config/resolve-settings.ts";
import { made, problemOf, withStartedServer, type Started } from "../testing/started-server.ts";
import {
  audience,
  issuer,
  signed,
  signer,
  usualClaims as usual,
  withKeyServer as withKeys,
  type Claims,
  type KeyServer,
  type Signer,
} from "../testing/token-issuer.ts";

let known: Signer;
let next: Signer;
let stranger: Signer;

beforeAll(async () => {
  known = await signer("one", "ES256");
  next = await signer("two", "RS256");
  stranger = await signer("one", "ES256");
});

function token(claims: Claims = {}, by: Signer = known): Promise<string> {
  return signed(by, claims);
}

function withKeyServer(use: (keys: KeyServer) => Promise<void>): Promise<void> {
  return withKeys([known], use);
}

async function withIssuer(use: (served: Started, keys: KeyServer) => Promise<void>): Promise<void> {
  await withKeyServer(async (keys) => {
    const settings = { tokenIssuer: issuer, tokenAudience: audience, tokenKeys: keys.url };
    const unlimited = { refusalsPerMinuteMax: 0 };
    await withStartedServer({ ...settings, ...unlimited }, (served) => use(served, keys));
  });
}

test("a token of the issuer lets in, for the scopes it names, as its subject", async () => {
  await withIssuer(async ({ ask, append }, keys) => {
    expect((await ask("/v1/records")).status).toBe(401);
    expect((await ask("/v1/records", await token())).status).toBe(200);
    expect((await append(made("a"), await token())).status).toBe(403);
    const writing = await token({ scope: "profile", scp: ["sennit:append", "sennit:read"] });
    expect((await append(made("a"), writing)).status).toBe(200);
    const record = (await (await ask("/v1/records/a", writing)).json()) as { actor: string };
    expect(record.actor).toBe("maria");
    expect(keys.asked).toBe(1);
  });
});

test.each<[string, () => Promise<string>, string]>([
  ["of another issuer", () => token({ iss: "https://evil.example" }), "untrusted"],
  ["for somebody else", () => token({ aud: "https://other.example" }), "untrusted"],
  ["that has expired", () => token({ exp: 1_700_000_000 }), "expired"],
  ["that counts from tomorrow", () => token({ nbf: Date.now() / 1000 + 86_400 }), "untrusted"],
  ["that never expires", () => token({ exp: undefined as unknown as number }), "untrusted"],
  ["of nobody", () => token({ sub: undefined as unknown as string }), "untrusted"],
  ["of a name that is none", () => token({ sub: "a\nb" }), "untrusted"],
  ["signed by somebody else", () => token({}, stranger), "untrusted"],
  ["of a key that is not known", () => token({}, next), "untrusted"],
  ["whose content was changed", async () => changed(await token()), "untrusted"],
  ["that is not signed", async () => unsigned(await token()), "untrusted"],
  ["signed with what everybody knows", () => sharedSecret(), "untrusted"],
  ["that is no token", async () => "a.b.c", "untrusted"],
])("a token %s is refused", async (_what, make, reason) => {
  await withIssuer(async ({ ask }) => {
    const refused = await ask("/v1/records", await make());
    expect(refused.status).toBe(401);
    expect(refused.headers.get("www-authenticate")).toContain('error="invalid_token"');
    expect((await problemOf(refused)).details).toEqual({ reason });
  });
});

function changed(text: string): string {
  const [head = "", , signature = ""] = text.split(".");
  const exp = Math.floor(Date.now() / 1000) + 60;
  const payload = JSON.stringify({ ...usual, exp, scope: "sennit:admin" });
  return [head, Buffer.from(payload).toString("base64url"), signature].join(".");
}

function unsigned(text: string): string {
  const head = Buffer.from(JSON.stringify({ alg: "none" })).toString("base64url");
  return [head, text.split(".")[1], ""].join(".");
}

/** The public key taken for the secret of a symmetric signature. */
function sharedSecret(): Promise<string> {
  const secret = new TextEncoder().encode(JSON.stringify(known.jwk).padEnd(64, " "));
  return new SignJWT({ ...usual })
    .setProtectedHeader({ alg: "HS256", kid: "one" })
    .setExpirationTime("1m")
    .sign(secret);
}

test("an algorithm that is not on the list is refused, though the key is the issuer's", async () => {
  await withKeyServer(async ({ url }) => {
    const settings = { tokenIssuer: issuer, tokenAudience: audience, tokenKeys: url };
    await withStartedServer({ ...settings, tokenAlgorithms: ["RS256"] }, async ({ ask }) => {
      expect((await ask("/v1/records", await token())).status).toBe(401);
    });
  });
});

test("the actor and the scopes come from the claims that the settings name", async () => {
  await withKeyServer(async ({ url }) => {
    const settings = {
      tokenIssuer: issuer,
      tokenAudience: audience,
      tokenKeys: url,
      tokenActorClaim: "email",
      tokenScopePrefix: "store.",
    };
    await withStartedServer(settings, async ({ append }) => {
      const claims = { email: "ben@lab.example", scope: "store.append" };
      const response = await append(made("a"), await token(claims));
      expect(response.status).toBe(200);
      const refused = await append({ ...made("b"), actor: "maria" }, await token(claims));
      expect((await problemOf(refused)).details).toMatchObject({
        credentialActor: "ben@lab.example",
      });
    });
  });
});

test("while the issuer's keys cannot be had, tokens have to wait, and the issuer is left alone", async () => {
  await withIssuer(async ({ ask }, keys) => {
    keys.failure = 500;
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const refused = await ask("/v1/records", await token());
      expect([refused.status, (await problemOf(refused)).code]).toEqual([503, "keys-unreadable"]);
    }
    expect(keys.asked).toBe(1);
  });
});

test("tokens of strangers do not have the keys fetched again and again", async () => {
  await withIssuer(async ({ ask }, keys) => {
    await ask("/v1/records", await token());
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const foreign = { ...stranger, kid: `made-up-${attempt}` };
      expect((await ask("/v1/records", await token({}, foreign))).status).toBe(401);
    }
    expect(keys.asked).toBe(1);
  });
});

test("keys from a file are read again when the file changes", async () => {
  await withTemporaryDirectory(async (directory) => {
    const path = join(directory, "keys.json");
    await writeFile(path, JSON.stringify({ keys: [known.jwk] }));
    const settings = { tokenIssuer: issuer, tokenAudience: audience, tokenKeys: path };
    await withStartedServer(settings, async ({ ask }) => {
      expect((await ask("/v1/records", await token())).status).toBe(200);
      await writeFile(path, JSON.stringify({ keys: [next.jwk, known.jwk] }));
      await eventually(async () => {
        expect((await ask("/v1/records", await token({}, next))).status).toBe(200);
      });
      await writeFile(path, "{");
      await eventually(async () => {
        const refused = await ask("/v1/records", await token({ jti: String(Math.random()) }));
        expect(refused.status).toBe(503);
      });
    });
  });
});

test("keys count beside tokens, and the log holds neither", async () => {
  let log = "";
  await withKeyServer(async ({ url }) => {
    const settings = { tokenIssuer: issuer, tokenAudience: audience, tokenKeys: url };
    const logging = { log: { write: (line: string) => (log += line) }, logLevel: "trace" } as const;
    await withStartedServer({ ...settings, ...logging }, async ({ ask, makeKey }) => {
      const { key } = await makeKey({});
      await eventually(async () => expect((await ask("/v1/records", key)).status).toBe(200));
      const foreign = await token({}, stranger);
      const own = await token();
      await ask("/v1/records", foreign);
      await ask("/v1/records", own);
      expect(log).toContain('"refused"');
      for (const secret of [key, foreign, own]) {
        expect(log).not.toContain(secret);
        expect(log).not.toContain(secret.split(".").at(-1));
      }
    });
  });
});

test.each([
  [{ tokenIssuer: issuer }],
  [{ tokenKeys: "keys.json", tokenAudience: audience }],
  [{ tokenIssuer: issuer, tokenAudience: audience, tokenKeys: "http://id.example/keys" }],
  [{ tokenAlgorithms: ["HS256"] }],
  [{ tokenAlgorithms: ["none"] }],
])("%j is refused", async (settings) => {
  expect(await codeOf(() => Promise.resolve().then(() => completeSettings(settings)))).toBe(
    "setting-invalid",
  );
});

test("where tokens are taken, the server may listen where others reach it", async () => {
  await withKeyServer(async ({ url }) => {
    const settings = { tokenIssuer: issuer, tokenAudience: audience, tokenKeys: url };
    await withStartedServer({ ...settings, host: "0.0.0.0" }, async ({ ask }) => {
      expect((await ask("/v1/records")).status).toBe(401);
    });
  });
});
