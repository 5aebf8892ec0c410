/** What keeps callers from each other's way, browsers from pages' wishes, and the log from secrets. */
import { request as httpRequest } from "node:http";

import { readStoreOwner, systemClock } from "@sennit/core";
import { expect, test } from "vitest";

import { createKey } from "../keys/manage-keys.ts";
import { made, problemOf, withStartedServer, type Started } from "../testing/started-server.ts";
import type { StartServerOptions } from "../start.ts";
import { TokenBuckets } from "./token-bucket.ts";

type Options = Omit<StartServerOptions, "directory">;

/** A server that asks for credentials, with two keys that were made before it started. */
async function withKeys(
  options: Options,
  use: (served: Started, keys: readonly [string, string]) => Promise<void>,
): Promise<void> {
  const keys: string[] = [];
  await withStartedServer(
    { auth: "on", ...options },
    (served) => use(served, keys as unknown as readonly [string, string]),
    async (directory) => {
      for (const name of ["maria", "ben"]) {
        const scopes = ["read", "append", "invalidate"] as const;
        keys.push((await createKey(directory, { name, scopes, clock: systemClock })).key);
      }
    },
  );
}

test("a bucket grants a burst, then as much as flows in, and forgets who has not come for longest", () => {
  let nowMs = 0;
  const buckets = new TokenBuckets({ perSecond: 2, burst: 3, bucketsMax: 2, nowMs: () => nowMs });
  const granted = (whose: string) => buckets.take(whose).isGranted;
  expect([granted("a"), granted("a"), granted("a"), granted("a")]).toEqual([
    true,
    true,
    true,
    false,
  ]);
  expect(buckets.take("a")).toEqual({ isGranted: false, remaining: 0, waitSeconds: 0.5 });
  nowMs = 500;
  expect([granted("a"), granted("a")]).toEqual([true, false]);
  nowMs = 60_000;
  expect(buckets.take("a").remaining).toBe(2);
  for (let who = 0; who < 100; who += 1) granted(`b${who}`);
  expect(buckets.size).toBe(2);
  expect(buckets.take("a").remaining).toBe(2);
});

test("a credential that asks too much is told to wait, and neither others nor its writes are", async () => {
  await withKeys({ readsPerSecondMax: 0.01, writesPerSecondMax: 1000 }, async (served, keys) => {
    const { ask, append } = served;
    const first = await ask("/v1/records", keys[0]);
    expect([first.status, first.headers.get("ratelimit")]).toEqual([200, '"reads";r=0;t=100']);
    expect(first.headers.get("ratelimit-policy")).toBe('"reads";q=1;w=2');
    const limited = await ask("/v1/records", keys[0]);
    expect([limited.status, limited.headers.get("retry-after")]).toEqual([429, "100"]);
    expect(await problemOf(limited)).toMatchObject({ code: "rate-limited" });
    expect((await ask("/v1/records", keys[1])).status).toBe(200);
    expect((await append(made("a"), keys[0])).status).toBe(200);
  });
});

test("without a limit, and for programs of the store's owner, no request is counted", async () => {
  await withKeys({ readsPerSecondMax: 0.01, writesPerSecondMax: 0 }, async (served, keys) => {
    const { token } = (await readStoreOwner(served.directory)) ?? {};
    for (let round = 0; round < 3; round += 1) {
      expect((await served.ask("/v1/records", token)).headers.get("ratelimit")).toBeNull();
      expect((await served.append([], keys[0])).headers.get("ratelimit")).toBeNull();
    }
  });
});

test("who tries out credentials is told to wait, and who has one is let in from the same address", async () => {
  await withKeys({ refusalsPerMinuteMax: 3 }, async ({ ask }, keys) => {
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 5; attempt += 1) {
      statuses.push((await ask("/v1/records", `guess-${attempt}`)).status);
    }
    expect(statuses).toEqual([401, 401, 401, 429, 429]);
    expect((await ask("/v1/records", keys[0])).status).toBe(200);
  });
});

test("every answer keeps browsers from doing more with it than read it", async () => {
  await withKeys({}, async ({ ask }, keys) => {
    for (const response of [await ask("/v1/records", keys[0]), await ask("/v1/records")]) {
      const { headers } = response;
      expect(headers.get("content-security-policy")).toBe(
        "default-src 'none'; frame-ancestors 'none'",
      );
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("cross-origin-resource-policy")).toBe("same-origin");
      expect(headers.get("strict-transport-security")).toBeNull();
    }
  });
});

test("the pages at /docs need nothing that their policy does not allow", async () => {
  await withKeys({}, async ({ ask }) => {
    const page = await ask("/docs/");
    const policy = page.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("script-src 'self';");
    const html = await page.text();
    const scripts = [...html.matchAll(/<script\b([^>]*)>([^]*?)<\/script>/g)];
    expect(scripts.length).toBeGreaterThan(0);
    for (const [, attributes = "", inline = ""] of scripts) {
      expect(inline.trim()).toBe("");
      const source = /src="([^"]*)"/.exec(attributes)?.[1] ?? "";
      expect(source).not.toMatch(/^(https?:)?\/\//);
      expect((await ask(new URL(source, page.url).pathname)).status).toBe(200);
    }
    expect(html).not.toMatch(/<[^>]+\son[a-z]+=/);
  });
});

const origin = "https://lab.example";

test("without a list of origins, no page of another origin is told anything", async () => {
  await withKeys({}, async ({ ask }, keys) => {
    const response = await ask("/v1/records", keys[0], { headers: { origin } });
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
    const preflight = await ask("/v1/records", undefined, {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "GET" },
    });
    expect(preflight.status).toBe(204);
    const names = [...preflight.headers.keys()];
    expect(names.filter((name) => name.startsWith("access-control"))).toEqual([]);
  });
});

test("pages of listed origins may ask and see the headers; others may not", async () => {
  await withKeys({ corsOrigins: [origin] }, async ({ ask }, keys) => {
    const preflight = (from: string) =>
      ask("/v1/events", undefined, {
        method: "OPTIONS",
        headers: {
          origin: from,
          "access-control-request-method": "POST",
          "access-control-request-headers": "authorization, content-type",
        },
      });
    const { status, headers } = await preflight(origin);
    expect([status, headers.get("access-control-allow-origin")]).toEqual([204, origin]);
    expect(headers.get("access-control-allow-headers")?.toLowerCase()).toContain("authorization");
    expect(headers.get("access-control-allow-credentials")).toBeNull();
    const other = await preflight("https://evil.example");
    expect(other.headers.get("access-control-allow-origin")).toBeNull();
    const answer = await ask("/v1/records", keys[0], { headers: { origin } });
    expect(answer.headers.get("access-control-allow-origin")).toBe(origin);
    expect(answer.headers.get("access-control-expose-headers")).toMatch(
      /ETag.*Idempotency-Replayed.*Sennit-Position.*X-Request-Id/,
    );
    expect(answer.headers.get("vary")?.toLowerCase()).toContain("origin");
    expect((await ask("/v1/records", undefined, { headers: { origin } })).status).toBe(401);
    const stream = await ask("/v1/events/stream", keys[0], { headers: { origin } });
    expect(stream.headers.get("content-type")).toBe("text/event-stream");
    expect(stream.headers.get("access-control-allow-origin")).toBe(origin);
    expect(stream.headers.get("access-control-expose-headers")).toContain("Sennit-Position");
    await stream.body?.cancel();
  });
});

test("who is not let in is not listened to any longer", async () => {
  await withKeys({}, async ({ url }) => {
    const answer = await new Promise<{ status: number; connection: string }>((resolve, reject) => {
      const asked = httpRequest(`${url}/v1/events`, {
        method: "POST",
        headers: { "content-type": "application/json", "transfer-encoding": "chunked" },
      });
      asked.once("error", reject);
      asked.once("response", (response) => {
        response.resume();
        const { connection = "" } = response.headers;
        response.once("close", () => resolve({ status: response.statusCode ?? 0, connection }));
      });
      // A body that has no end.
      asked.write("[");
    });
    expect(answer).toEqual({ status: 401, connection: "close" });
  });
});

test("a refused write leaves a line in the log: who, which route, why; and nothing that was sent", async () => {
  let log = "";
  const options = { log: { write: (line: string) => (log += line) }, logLevel: "trace" } as const;
  await withKeys(options, async ({ directory, ask, append }, keys) => {
    const { token = "" } = (await readStoreOwner(directory)) ?? {};
    const content = "what-was-measured";
    await append({ ...made("a"), data: { kind: content, nonsense: content } }, keys[0]);
    await append({ ...made("b", content), actor: "eve" }, keys[1]);
    await append(made(content), "guess");
    await ask("/v1/records", token);
    await ask("/v1/records/nothing", keys[0]);
    const audits = log
      .split("\n")
      .filter((line) => line.includes('"audit"'))
      .map((line) => JSON.parse(line) as { level: string; msg: string; audit: object });
    const route = { method: "POST", route: "/v1/events", address: "127.0.0.1" };
    const id = (index: 0 | 1) => `key:${keys[index].slice(7, 15)}`;
    expect(audits.map(({ audit }) => audit)).toEqual([
      { caller: id(0), actor: "maria", ...route, status: 400, code: "event-invalid" },
      { caller: id(1), actor: "ben", ...route, status: 403, code: "forbidden" },
      {
        caller: null,
        actor: null,
        ...route,
        status: 401,
        code: "unauthenticated",
        reason: "unknown",
      },
    ]);
    expect(audits.map(({ level, msg }) => [level, msg])).toEqual([
      ["warn", "refused"],
      ["warn", "refused"],
      ["warn", "refused"],
    ]);
    const figures = await (await ask("/metrics", keys[0])).text();
    expect(figures).toContain('route="/v1/events",status="401"');
    for (const text of [log, figures]) {
      for (const secret of [...keys, token, "guess", content]) expect(text).not.toContain(secret);
      for (const key of keys) expect(text).not.toContain(key.slice(16, 68));
    }
  });
});

test("refused lines of a stream leave one line in the log: how many, and why; and nothing that was sent", async () => {
  const lines: { readonly audit?: object }[] = [];
  const log = { write: (line: string) => lines.push(JSON.parse(line) as object) };
  await withKeys({ log }, async ({ ask }, keys) => {
    const content = "what-was-measured";
    const send = (body: string, path = "/v1/events") =>
      ask(path, keys[0], {
        method: "POST",
        body,
        headers: { "content-type": "application/x-ndjson" },
      }).then((answer) => answer.text());
    const good = JSON.stringify(made("a"));
    const foreign = JSON.stringify(made("b", "dataset", { actor: "eve" }));
    await send([good, content, good, foreign, foreign, `{"type":"${content}"}`].join("\n"));
    await send(`${JSON.stringify(made("c"))}\n`);
    const audits = () => lines.flatMap(({ audit }) => (audit === undefined ? [] : [audit]));
    expect(audits()).toEqual([
      {
        caller: `key:${keys[0].slice(7, 15)}`,
        actor: "maria",
        address: "127.0.0.1",
        method: "POST",
        route: "/v1/events",
        status: 200,
        lines: { "event-invalid": 2, "record-already-exists": 1, forbidden: 2 },
      },
    ]);
    expect(JSON.stringify(lines)).not.toContain(content);
  });
});
