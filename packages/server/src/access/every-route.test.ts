/** Every route with every kind of credential: who is not let in learns nothing and changes nothing. */
import { openStore, systemClock } from "@sennit/core";
import { withTemporaryDirectory } from "@sennit/core/testing";
import { expect, test } from "vitest";

import { createKey, revokeKey } from "../keys/manage-keys.ts";
import { allRoutes } from "../routes/index.ts";
import { scopes, type Scope } from "../scopes.ts";
import { startServer, type RunningServer } from "../start.ts";
import { forAllTests } from "../testing/for-all-tests.ts";

const past = { nowUs: () => Date.parse("2020-01-01T00:00:00Z") * 1000 };
const clock = systemClock;

/** Credentials by what is right or wrong with them; undefined for none. */
const credentials: Record<string, string | undefined> = { missing: undefined };
const server = forAllTests<RunningServer>((use) =>
  withTemporaryDirectory(async (directory) => {
    const store = await openStore(directory);
    await store.append([
      { type: "record.created", recordId: "there", data: { kind: "k", name: "records" } },
    ]);
    await store.label("there", 1);
    await store.close();
    await makeCredentials(directory);
    const limits = { readsPerSecondMax: 0, writesPerSecondMax: 0, refusalsPerMinuteMax: 0 };
    const started = await startServer({ directory, port: 0, auth: "on", ...limits });
    await use(started);
    await started.close();
  }),
);

async function makeCredentials(directory: string): Promise<void> {
  // One actor, so that scopes alone make the difference.
  const make = async (name: string, options: Partial<Parameters<typeof createKey>[1]> = {}) => {
    const given = { name: "maria", scopes: [...scopes], clock, ...options };
    const { key, about } = await createKey(directory, given);
    credentials[name] = key;
    return about.id;
  };
  for (const scope of scopes) await make(scope, { scopes: [scope] });
  await make("expired", { clock: past, expiresAt: "2020-01-02T00:00:00Z" });
  await revokeKey(directory, await make("revoked"), clock);
  credentials["garbage"] = "garbage";
  credentials["mistyped"] = `${credentials["read"]?.slice(0, -2)}22`;
  const whole = credentials["read"] ?? "";
  credentials["of another store"] = (await otherKey()) ?? whole;
}

function otherKey(): Promise<string> {
  return withTemporaryDirectory(async (directory) => {
    await (await openStore(directory)).close();
    return (await createKey(directory, { name: "x", scopes: [...scopes], clock })).key;
  });
}

interface Answered {
  readonly status: number;
  readonly headers: Headers;
  /** Undefined for what is no problem document. */
  readonly problem: Readonly<Record<string, unknown>> | undefined;
}

/** @param named what the parameters of the path name */
async function ask(
  route: (typeof allRoutes)[number],
  credential: string | undefined,
  named: string,
): Promise<Answered> {
  const path = route.url.replaceAll(/:[A-Za-z]+/g, named);
  const abort = new AbortController();
  const response = await fetch(`${server().url}${path}`, {
    method: route.method,
    headers: {
      ...(credential !== undefined && { authorization: `Bearer ${credential}` }),
      ...(route.method !== "GET" && { "content-type": route.bodyTypes?.[0] ?? "application/json" }),
    },
    ...(route.method !== "GET" && { body: "{}" }),
    signal: abort.signal,
  });
  const { status, headers } = response;
  const isProblem = headers.get("content-type")?.startsWith("application/problem+json") === true;
  const problem = isProblem ? ((await response.json()) as Record<string, unknown>) : undefined;
  // Live streams have no end.
  abort.abort();
  return { status, headers, problem };
}

async function headNow(): Promise<string | null> {
  const headers = { authorization: `Bearer ${credentials["read"]}` };
  return (await fetch(`${server().url}/v1/store`, { headers })).headers.get("sennit-position");
}

const guarded = allRoutes.flatMap((route) =>
  route.scope === "none" ? [] : [{ route, scope: route.scope }],
);
const named = (route: (typeof allRoutes)[number]) => `${route.method} ${route.url}`;

test("there are routes to try, of every scope that guards any", () => {
  expect(guarded.length).toBeGreaterThan(25);
  expect([...new Set(guarded.map(({ scope }) => scope))]).toContain("admin");
});

/** Status, code, and what the challenge says. */
type Refusal = readonly [status: number, code: string, challenge: RegExp];

function refusalOf(name: string, scope: Scope): Refusal {
  if (name === "missing") return [401, "unauthenticated", /^Bearer realm="sennit"$/];
  if (scopes.some((one) => one === name)) {
    return [403, "forbidden", new RegExp(`error="insufficient_scope".*scope="${scope}"`)];
  }
  return [401, "unauthenticated", /error="invalid_token"/];
}

test.each(guarded.map(({ route, scope }) => ({ name: named(route), route, scope })))(
  "$name refuses every other credential, says the same of what is there and what is not, and changes nothing",
  async ({ route, scope }) => {
    const before = await headNow();
    for (const [name, credential] of Object.entries(credentials)) {
      if (name === scope) continue;
      const [status, code, challenge] = refusalOf(name, scope);
      const there = await ask(route, credential, "there");
      const missing = await ask(route, credential, "nowhere");
      expect([name, there.status, there.problem?.["code"]]).toEqual([name, status, code]);
      expect(there.headers.get("www-authenticate")).toMatch(challenge);
      expect(there.headers.get("sennit-position")).toBeNull();
      expect({ ...there.problem, instance: "" }).toEqual({ ...missing.problem, instance: "" });
      expect(there.status).toBe(missing.status);
    }
    expect(await headNow()).toBe(before);
  },
);

test.each(guarded.map(({ route, scope }) => ({ name: named(route), route, scope })))(
  "$name lets in who has its scope alone",
  async ({ route, scope }) => {
    const { status, problem } = await ask(route, credentials[scope], "nowhere");
    expect([401, 403, 429]).not.toContain(status);
    expect(status, JSON.stringify(problem)).toBeLessThan(500);
  },
);

const open: readonly (readonly [method: string, url: string])[] = [
  ...allRoutes.flatMap(({ scope, method, url }) =>
    scope === "none" ? [[method, url] as const] : [],
  ),
  ["GET", "/openapi.json"],
  ["GET", "/docs/"],
];

test.each(open)("%s %s asks for no credential", async (method, url) => {
  const { status } = await fetch(`${server().url}${url}`, { method });
  expect([401, 403]).not.toContain(status);
});

test("what is no route is told so to everybody alike", async () => {
  for (const path of ["/v1/nothing", "/v2/records", "/v1/records/a/b/c/d", "/.env", "/v1"]) {
    const answers = await Promise.all(
      Object.values(credentials).map(async (credential) => {
        const headers = credential === undefined ? {} : { authorization: `Bearer ${credential}` };
        const response = await fetch(`${server().url}${path}`, { headers });
        const { code } = (await response.json()) as { code: string };
        return [response.status, code, response.headers.get("sennit-position")];
      }),
    );
    expect(answers).toEqual(answers.map(() => [404, "route-not-found", null]));
  }
});

test("a method that an address does not have is told to everybody alike", async () => {
  for (const path of ["/v1/records/there", "/v1/records/nowhere", "/v1/erase", "/v1/metrics/.."]) {
    const answers = await Promise.all(
      Object.values(credentials).map(async (credential) => {
        const headers = credential === undefined ? {} : { authorization: `Bearer ${credential}` };
        const response = await fetch(`${server().url}${path}`, { method: "DELETE", headers });
        const { code } = (await response.json()) as { code: string };
        return [code, response.headers.get("allow"), response.headers.get("sennit-position")];
      }),
    );
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]?.[2]).toBeNull();
  }
});
