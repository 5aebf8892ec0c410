/** Who gets in: keys, the token of the discovery file, and everybody on this machine where no key is there. */
import { rm, writeFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { join } from "node:path";

import { openStore, readStoreOwner, systemClock } from "@sennit/core";
import { codeOf, eventually, withTemporaryDirectory } from "@sennit/core/testing";
import { expect, test } from "vitest";

import { createKey, revokeKey } from "../keys/manage-keys.ts";
import { startServer, type StartServerOptions } from "../start.ts";
import { EventSourceReader } from "../testing/event-source.ts";
import { made, problemOf, withStartedServer as withServer } from "../testing/started-server.ts";

const clock = systemClock;

test("without keys everybody on this machine may do everything; with the first key, who has one", async () => {
  await withServer({}, async ({ ask, append, makeKey }) => {
    expect((await append(made("a"))).status).toBe(200);
    const { key } = await makeKey({});
    await eventually(async () => expect((await ask("/v1/records")).status).toBe(401));
    const refused = await ask("/v1/records");
    expect(refused.headers.get("www-authenticate")).toBe('Bearer realm="sennit"');
    expect(await problemOf(refused)).toMatchObject({ code: "unauthenticated" });
    expect((await ask("/v1/records", key)).status).toBe(200);
    expect((await ask("/openapi.json")).status).toBe(200);
  });
});

test("a key that is revoked works no more, and is told so", async () => {
  await withServer({}, async ({ directory, ask, makeKey }) => {
    const { key, id } = await makeKey({});
    await eventually(async () => expect((await ask("/v1/records", key)).status).toBe(200));
    await revokeKey(directory, id, clock);
    await eventually(async () => expect((await ask("/v1/records", key)).status).toBe(401));
    const refused = await ask("/v1/records", key);
    expect(refused.headers.get("www-authenticate")).toContain('error="invalid_token"');
    expect((await problemOf(refused)).details).toEqual({ reason: "revoked" });
  });
});

test("a stream ends with a word when the key that it was opened with is revoked, and others go on", async () => {
  let log = "";
  const options = { auth: "on", log: { write: (line: string) => (log += line) } } as const;
  await withServer(options, async ({ directory, url, append, makeKey }) => {
    const { key, id } = await makeKey({});
    const other = await makeKey({ name: "ben" });
    const open = (credential: string, path: string) =>
      EventSourceReader.open(url + path, { authorization: `Bearer ${credential}` });
    await eventually(async () => expect((await append(made("a"), other.key)).status).toBe(200));
    const log$ = await open(key, "/v1/events/stream");
    const records = await open(key, "/v1/live/records");
    const kept = await open(other.key, "/v1/events/stream");
    for (const stream of [log$, records, kept]) await stream.take(1);
    await revokeKey(directory, id, clock);
    for (const stream of [log$, records]) {
      const [last] = await stream.take(1);
      expect(last).toMatchObject({
        lastEventId: "1",
        event: "problem",
        data: { status: 401, code: "unauthenticated", details: { reason: "revoked" } },
      });
      expect(await stream.next()).toBeUndefined();
    }
    await append(made("b"), other.key);
    expect((await kept.take(1))[0]?.lastEventId).toBe("2");
    kept.close();
    expect(log).toContain(`"caller":"key:${id}"`);
  });
});

test.each([
  ["mistyped", (key: string) => `${key.slice(0, -1)}${key.endsWith("a") ? "b" : "a"}`],
  ["unknown", () => "something-else"],
  ["malformed", () => "two words"],
])("a credential that is %s is refused as that", async (reason, spoil) => {
  await withServer({ auth: "on" }, async ({ ask, makeKey }) => {
    const { key } = await makeKey({});
    const refused = await ask("/v1/records", spoil(key));
    expect(refused.status).toBe(401);
    expect((await problemOf(refused)).details).toEqual({ reason });
  });
});

test("a key that has expired is refused", async () => {
  await withServer({ auth: "on" }, async ({ ask, makeKey }) => {
    const long = { nowUs: () => Date.parse("2020-01-01T00:00:00Z") * 1000 };
    const { key } = await makeKey({ expiresAt: "2020-01-02T00:00:00Z", clock: long });
    await eventually(async () => {
      const refused = await ask("/v1/records", key);
      expect((await problemOf(refused)).details).toEqual({ reason: "expired" });
    });
  });
});

test("what the discovery file tells opens the door, also where keys are asked for", async () => {
  await withServer({ auth: "on" }, async ({ directory, ask, append }) => {
    const { token } = (await readStoreOwner(directory)) ?? {};
    expect((await append(made("a", "dataset", { actor: "anyone" }), token)).status).toBe(200);
    expect((await ask("/v1/records", token)).status).toBe(200);
    expect((await ask("/v1/records")).status).toBe(401);
  });
});

test("a scope that a key does not have is refused with the scope that it would take", async () => {
  await withServer({ auth: "on" }, async ({ append, makeKey }) => {
    const { key } = await makeKey({ scopes: ["read"] });
    await eventually(async () => expect((await append(made("a"), key)).status).toBe(403));
    const refused = await append(made("a"), key);
    expect(refused.headers.get("www-authenticate")).toMatch(
      /error="insufficient_scope".*scope="append"/,
    );
  });
});

test("the actor is that of the key, and no other", async () => {
  await withServer({ auth: "on" }, async ({ ask, append, makeKey }) => {
    const { key } = await makeKey({});
    await eventually(async () => expect((await append(made("a"), key)).status).toBe(200));
    const record = (await (await ask("/v1/records/a", key)).json()) as { actor: string };
    expect(record.actor).toBe("maria");
    const refused = await append([made("b"), made("c", "dataset", { actor: "eve" })], key);
    expect(refused.status).toBe(403);
    expect((await problemOf(refused)).details).toMatchObject({ index: 1 });
    expect((await ask("/v1/records/b", key)).status).toBe(404);
  });
});

test("to withdraw by an event takes the scope that withdrawing takes", async () => {
  await withServer({ auth: "on" }, async ({ append, makeKey }) => {
    const { key } = await makeKey({ scopes: ["append"] });
    const withdrawn = { type: "record.invalidated", recordId: "a", data: { cause: "c" } };
    await eventually(async () => expect((await append(made("a"), key)).status).toBe(200));
    expect((await append([made("b"), withdrawn], key)).status).toBe(403);
    const { key: both } = await makeKey({ scopes: ["append", "invalidate"] });
    await eventually(async () => expect((await append(withdrawn, both)).status).toBe(200));
  });
});

test("a limited key writes records of its kinds and ids, and of no others", async () => {
  await withServer({ auth: "on" }, async ({ directory, append, makeKey }) => {
    const { token } = (await readStoreOwner(directory)) ?? {};
    await append([made("bl-7/model", "model"), made("other")], token);
    const limits = { kinds: ["scan"], recordIdPrefixes: ["bl-7/"] };
    const { key } = await makeKey({ scopes: ["append"], limits });
    const own = made("bl-7/1", "scan");
    const update = (recordId: string) => ({
      type: "record.updated",
      recordId,
      data: { patch: { name: "n" } },
    });
    await eventually(async () => expect((await append(own, key)).status).toBe(200));
    expect((await append([made("bl-7/2", "scan"), update("bl-7/2")], key)).status).toBe(200);
    expect((await append(update("bl-7/1"), key)).status).toBe(200);
    const answers = await Promise.all(
      [
        made("bl-8/1", "scan"),
        made("bl-7/3", "model"),
        update("bl-7/model"),
        update("bl-7/nothing"),
        update("other"),
        made("bl-7/4", "scan", { unknownSources: "placeholder" }),
        [made("bl-7/5", "scan"), made("bl-7/6", "model")],
      ].map((events) => append(events, key)),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 403));
    const [, , there, missing] = await Promise.all(answers.map(problemOf));
    expect({ ...there, instance: "" }).toEqual({ ...missing, instance: "" });
  });
});

test("a keys file that cannot be read lets nobody in, and its return lets them in again", async () => {
  await withServer({}, async ({ directory, ask, makeKey }) => {
    const { key } = await makeKey({});
    await eventually(async () => expect((await ask("/v1/records", key)).status).toBe(200));
    const path = join(directory, "keys.json");
    await writeFile(path, "{");
    await eventually(async () => expect((await ask("/v1/records", key)).status).toBe(503));
    expect((await ask("/v1/records")).status).toBe(401);
    await rm(path);
    // Keys that were there once are not forgotten when the file goes.
    await eventually(async () => expect((await ask("/v1/records", key)).status).toBe(401));
    expect((await ask("/v1/records")).status).toBe(401);
    const { key: another } = await makeKey({});
    await eventually(async () => expect((await ask("/v1/records", another)).status).toBe(200));
  });
});

/** A request with headers that fetch does not let one choose. */
function rawStatus(url: string, method: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = httpRequest(url, { method, headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.once("error", reject);
    asked.end();
  });
}

test.each([
  ["a name of somebody's that means this machine", "GET", { host: "evil.example:4600" }, 403],
  ["a name that begins like this machine's", "GET", { host: "localhost.evil.example" }, 403],
  ["a page of another origin that writes", "POST", { origin: "https://evil.example" }, 403],
  ["a page without an origin that writes", "POST", { origin: "null" }, 403],
  ["a form of another site", "POST", { "sec-fetch-site": "cross-site" }, 403],
  ["a proxy", "GET", { "x-forwarded-for": "192.0.2.1" }, 401],
  ["another name of this machine", "GET", { host: "localhost:1" }, 200],
  ["an address of this machine", "GET", { host: "[::1]:1" }, 200],
])("without keys, a request of %s gets its due", async (_what, method, headers, status) => {
  await withServer({}, async ({ url }) => {
    const path = method === "GET" ? "/v1/records" : "/v1/events";
    expect(await rawStatus(`${url}${path}`, method, headers as Record<string, string>)).toBe(
      status,
    );
  });
});

test("a page of the server itself may write without keys", async () => {
  await withServer({}, async ({ url, ask }) => {
    const headers = { "content-type": "application/json", origin: url };
    const body = JSON.stringify(made("a"));
    expect((await ask("/v1/events", undefined, { method: "POST", body, headers })).status).toBe(
      200,
    );
  });
});

test("the server does not listen where others reach it unless something says who may do what", async () => {
  await withTemporaryDirectory(async (directory) => {
    await (await openStore(directory)).close();
    const start = async (options: Partial<StartServerOptions>) => {
      const server = await startServer({ directory, port: 0, ...options });
      await server.close();
    };
    const host = "0.0.0.0";
    expect(await codeOf(() => start({ host }))).toBe("setting-invalid");
    expect(await codeOf(() => start({ host, auth: "off" }))).toBe("setting-invalid");
    expect(await codeOf(() => start({ host, auth: "on" }))).toBe("no error");
    await createKey(directory, { name: "a", scopes: ["read"], clock });
    expect(await codeOf(() => start({ host }))).toBe("no error");
    expect(await codeOf(() => start({ host, auth: "off" }))).toBe("setting-invalid");
  });
});

test("switched off, keys are not asked for, and one that is given still counts", async () => {
  const prepare = (directory: string) =>
    createKey(directory, { name: "a", scopes: ["read"], clock });
  await withServer(
    { auth: "off" },
    async ({ ask, append, makeKey }) => {
      expect((await ask("/v1/records")).status).toBe(200);
      const { key } = await makeKey({ scopes: ["read"] });
      await eventually(async () => expect((await append(made("a"), key)).status).toBe(403));
      expect((await ask("/v1/records", "no-key")).status).toBe(401);
    },
    prepare,
  );
});
