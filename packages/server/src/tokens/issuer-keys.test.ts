/** The keys of an issuer that changes them, and of one that is not there: a real server, asked no more than needed. */
import { codeOf, eventually } from "@sennit/core/testing";
import { beforeAll, expect, test } from "vitest";

import {
  audience,
  issuer,
  signed,
  signer,
  withKeyServer,
  type KeyServer,
  type Signer,
} from "../testing/token-issuer.ts";
import { issuerKeys } from "./issuer-keys.ts";
import { TokenVerifier } from "./token-verifier.ts";

let old: Signer;
let next: Signer;
let stranger: Signer;

beforeAll(async () => {
  old = await signer("old", "ES256");
  next = await signer("next", "ES256");
  stranger = await signer("nobody's", "ES256");
});

type Times = NonNullable<Parameters<typeof issuerKeys>[1]>;

/** The code that a new token of a signer is refused with. */
type Try = (by: Signer) => Promise<string>;

async function withIssuer(
  times: Times,
  use: (attempt: Try, keys: KeyServer) => Promise<void>,
): Promise<void> {
  await withKeyServer([old], async (server) => {
    const verifier = new TokenVerifier({
      issuer,
      audience,
      keys: issuerKeys(server.url, times),
      algorithms: ["ES256"],
      scopePrefix: "sennit:",
      actorClaim: "sub",
      clockSeconds: 5,
    });
    // Each with an id of its own: a token that is known is not looked at again.
    const attempt: Try = async (by) => {
      const token = await signed(by, { jti: String(Math.random()) });
      return codeOf(() => verifier.callerOf(token));
    };
    await use(attempt, server);
  });
}

const never = Infinity;
/** What `codeOf` gives for none. */
const counts = "no error";

test("a key that the issuer has made meanwhile is fetched, and one that it has withdrawn counts no more", async () => {
  await withIssuer({ maxAgeMs: never, minAgeMs: 0 }, async (attempt, server) => {
    expect(await attempt(old)).toBe(counts);
    server.keys = [old.jwk, next.jwk];
    expect(await attempt(next)).toBe(counts);
    expect(await attempt(old)).toBe(counts);
    expect(server.asked).toBe(2);
    server.keys = [next.jwk];
    expect(await attempt(stranger)).toBe("unauthenticated");
    expect(await attempt(old)).toBe("unauthenticated");
  });
});

test("keys are fetched again when they are old, and a withdrawn one counts no more", async () => {
  await withIssuer({ maxAgeMs: 50, minAgeMs: never }, async (attempt, server) => {
    expect(await attempt(old)).toBe(counts);
    server.keys = [next.jwk];
    await eventually(async () => expect(await attempt(old)).toBe("unauthenticated"));
    expect(await attempt(next)).toBe(counts);
  });
});

test("tokens of keys that nobody has do not have the keys fetched for each of them", async () => {
  await withIssuer({ maxAgeMs: never, minAgeMs: never }, async (attempt, server) => {
    expect(await attempt(old)).toBe(counts);
    for (let time = 0; time < 5; time += 1) expect(await attempt(stranger)).toBe("unauthenticated");
    expect(server.asked).toBe(1);
  });
});

test("tokens that come at a time wait for the keys once", async () => {
  await withIssuer({}, async (attempt, server) => {
    const tries = await Promise.all(Array.from({ length: 20 }, () => attempt(old)));
    expect(new Set(tries)).toEqual(new Set([counts]));
    expect(server.asked).toBe(1);
  });
});

test.each([500, 302, "silence"] as const)(
  "an issuer that answers with %s is told as that, is left alone, and counts as soon as it is back",
  async (failure) => {
    await withIssuer({ failureMs: 300 }, async (attempt, server) => {
      server.failure = failure;
      for (let time = 0; time < 3; time += 1) expect(await attempt(old)).toBe("keys-unreadable");
      expect(server.asked).toBe(1);
      server.failure = undefined;
      await eventually(async () => expect(await attempt(old)).toBe(counts));
    });
  },
);

test("what is no key set is no keys", async () => {
  await withIssuer({ failureMs: 0 }, async (attempt, server) => {
    for (const keys of ["none", [1], undefined]) {
      server.keys = keys as never;
      expect(await attempt(old)).toBe("keys-unreadable");
    }
  });
});

test("while the issuer is down, the keys it gave last go on counting, and no others", async () => {
  await withIssuer({ maxAgeMs: 0, minAgeMs: 0, failureMs: never }, async (attempt, server) => {
    expect(await attempt(old)).toBe(counts);
    server.failure = 500;
    server.keys = [next.jwk];
    expect(await attempt(old)).toBe(counts);
    expect(await attempt(next)).toBe("keys-unreadable");
    expect(await attempt(old)).toBe(counts);
    expect(server.asked).toBe(2);
  });
});

test("an issuer that has been silent once is not waited for again by who has one of its keys", async () => {
  await withIssuer({ maxAgeMs: 0, minAgeMs: never, failureMs: 0 }, async (attempt, server) => {
    expect(await attempt(old)).toBe(counts);
    server.failure = 500;
    expect(await attempt(old)).toBe(counts);
    // Nothing comes, and nothing ends: who waits for it does so for seconds.
    server.failure = "nothing";
    for (let time = 0; time < 3; time += 1) expect(await attempt(old)).toBe(counts);
    await eventually(() => expect(server.unanswered).toBe(1));
    expect(server.asked).toBe(3);
    server.failure = undefined;
    server.release();
    server.keys = [next.jwk];
    await eventually(async () => expect(await attempt(next)).toBe(counts));
    expect(await attempt(old)).toBe("unauthenticated");
  });
});

test("but not for ever", async () => {
  await withIssuer({ maxAgeMs: 0, staleMs: 0, failureMs: 0 }, async (attempt, server) => {
    expect(await attempt(old)).toBe(counts);
    server.failure = 500;
    expect(await attempt(old)).toBe("keys-unreadable");
  });
});
