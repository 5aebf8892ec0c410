/** Durable subscriptions: what is read, what is acknowledged, and what a restart or damage leaves of them. */
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { created, openStore, updated, type EmbeddedStore } from "@sennit/core";
import { eventually, withTemporaryDirectory } from "@sennit/core/testing";
import { expect, test } from "vitest";

import { startServer, type RunningServer } from "../start.ts";
import { withServer } from "../testing/serving.ts";
import { withStartedServer } from "../testing/started-server.ts";

const note = (id: string, kind = "note") => created(id, { kind, name: id });

interface Asked {
  readonly status: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into what they got
  readonly body: any;
}

async function ask(url: string, method: string, path = "", body?: unknown): Promise<Asked> {
  const response = await fetch(`${url}/v1/subscriptions${path}`, {
    method,
    ...(body !== undefined && {
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    }),
  });
  return { status: response.status, body: await response.json() };
}

const positions = ({ body }: Asked): number[] =>
  body.events.map((event: { position: number }) => event.position);

test("events come again until they are acknowledged, then those after them", async () => {
  await withServer({}, async ({ url, store }) => {
    await store.append([note("a"), note("b"), note("c")]);
    expect(await ask(url, "PUT", "/flow", { from: 1 })).toMatchObject({
      status: 201,
      body: { name: "flow", filter: {}, acknowledged: 0, delivered: 0, lag: 3 },
    });
    const first = await ask(url, "GET", "/flow/events?limit=2");
    expect([positions(first), first.body.upTo, first.body.head]).toEqual([[1, 2], 2, 3]);
    expect(positions(await ask(url, "GET", "/flow/events?limit=2"))).toEqual([1, 2]);
    const acknowledged = await ask(url, "POST", "/flow/acknowledge", { position: 2 });
    expect(acknowledged).toMatchObject({ status: 200, body: { acknowledged: 2, lag: 1 } });
    expect(positions(await ask(url, "GET", "/flow/events"))).toEqual([3]);
    // Acknowledged again or late: nothing goes back.
    expect((await ask(url, "POST", "/flow/acknowledge", { position: 1 })).body.acknowledged).toBe(
      2,
    );
  });
});

test("what was not delivered is not acknowledged", async () => {
  await withServer({}, async ({ url, store }) => {
    await store.append([note("a"), note("b")]);
    await ask(url, "PUT", "/flow", { from: 1 });
    const ahead = () => ask(url, "POST", "/flow/acknowledge", { position: 2 });
    expect(await ahead()).toMatchObject({ status: 409, body: { code: "not-delivered" } });
    await ask(url, "GET", "/flow/events?limit=1");
    expect(await ahead()).toMatchObject({ status: 409, body: { code: "not-delivered" } });
    await ask(url, "GET", "/flow/events");
    expect((await ahead()).status).toBe(200);
  });
});

test("a filter leaves events out, and what was looked at need not be looked at again", async () => {
  await withServer({}, async ({ url, store }) => {
    await store.append([note("m-1", "model"), note("n"), updated("m-1", { name: "M" }), note("o")]);
    const filters: [object, number[]][] = [
      [{ kinds: ["model"] }, [1, 3]],
      [{ types: ["record.updated"] }, [3]],
      [{ recordIdPrefix: "m-" }, [1, 3]],
      [{ recordId: "o", kinds: ["note"] }, [4]],
      [{ recordId: "nobody" }, []],
    ];
    for (const [index, [filter, expected]] of filters.entries()) {
      await ask(url, "PUT", `/s-${index}`, { filter, from: 1 });
      const found = await ask(url, "GET", `/s-${index}/events`);
      expect([positions(found), found.body.upTo]).toEqual([expected, 4]);
    }
  });
});

test("who waits gets the next event that fits, or none in time", async () => {
  await withServer({}, async ({ url, store }) => {
    await store.append([note("a")]);
    await ask(url, "PUT", "/flow", { filter: { kinds: ["model"] } });
    const waiting = ask(url, "GET", "/flow/events?wait=30");
    await store.append([note("b")]);
    await store.append([note("m", "model")]);
    expect(positions(await waiting)).toEqual([3]);
    await ask(url, "POST", "/flow/acknowledge", { position: 3 });
    const none = await ask(url, "GET", "/flow/events?wait=1");
    expect([none.status, positions(none)]).toEqual([200, []]);
  });
});

test.each([0, -1, 1.5, 2 ** 53, "1", null])("nothing is read from position %s", async (from) => {
  await withServer({}, async ({ url }) => {
    expect((await ask(url, "PUT", "/flow", { from })).status).toBe(400);
    expect((await ask(url, "GET", "/flow")).status).toBe(404);
  });
});

test("a subscription is made once, under a name that can be a file's, and there are so many", async () => {
  await withServer({ subscriptionsMax: 2 }, async ({ url }) => {
    const filter = { kinds: ["a", "b"] };
    expect((await ask(url, "PUT", "/flow", { filter })).status).toBe(201);
    expect((await ask(url, "PUT", "/flow", { filter: { kinds: ["b", "a"] } })).status).toBe(200);
    const other = await ask(url, "PUT", "/flow", { filter: { kinds: ["a"] } });
    expect(other).toMatchObject({ status: 409, body: { code: "subscription-exists" } });
    for (const name of ["..%2Fx", "A", "a%00", "-", ".."]) {
      const { status } = await ask(url, "PUT", `/${name}`, {});
      expect([name, [400, 404].includes(status)]).toEqual([name, true]);
    }
    expect((await ask(url, "PUT", "/two", {})).status).toBe(201);
    const third = await ask(url, "PUT", "/three", {});
    expect(third).toMatchObject({ status: 409, body: { code: "too-many-subscriptions" } });
    const names = (await ask(url, "GET")).body.subscriptions.map(({ name }: Asked["body"]) => name);
    expect(names).toEqual(["flow", "two"]);
    expect((await ask(url, "DELETE", "/two")).status).toBe(200);
    expect((await ask(url, "PUT", "/three", {})).status).toBe(201);
    for (const [method, path] of [
      ["GET", ""],
      ["GET", "/events"],
      ["DELETE", ""],
    ] as const) {
      const gone = await ask(url, method, `/two${path}`);
      expect(gone).toMatchObject({ status: 404, body: { code: "subscription-not-found" } });
    }
  });
});

async function withStore(
  use: (directory: string, start: () => Promise<RunningServer>) => Promise<void>,
): Promise<void> {
  await withTemporaryDirectory(async (directory) => {
    const store: EmbeddedStore = await openStore(directory);
    await store.append([note("a"), note("b")]);
    await store.close();
    await use(directory, () => startServer({ directory, port: 0 }));
  });
}

test("a restart keeps what was made, delivered and acknowledged", async () => {
  await withStore(async (_directory, start) => {
    const before = await start();
    await ask(before.url, "PUT", "/flow", { filter: { kinds: ["note"] }, from: 1 });
    await ask(before.url, "GET", "/flow/events");
    await ask(before.url, "POST", "/flow/acknowledge", { position: 1 });
    await before.close();
    const after = await start();
    expect((await ask(after.url, "GET", "/flow")).body).toMatchObject({
      filter: { kinds: ["note"] },
      acknowledged: 1,
      delivered: 2,
    });
    expect(positions(await ask(after.url, "GET", "/flow/events"))).toEqual([2]);
    // Read before the restart, acknowledged after it.
    expect((await ask(after.url, "POST", "/flow/acknowledge", { position: 2 })).status).toBe(200);
    await after.close();
  });
});

test("any flipped bit of its file is noticed; the others work, and it can be made again", async () => {
  await withStore(async (directory, start) => {
    const made = await start();
    await ask(made.url, "PUT", "/flow", { from: 1 });
    await ask(made.url, "PUT", "/other", { from: 1 });
    await made.close();
    const files = join(directory, "subscriptions");
    expect((await readdir(files)).toSorted()).toEqual(["flow.json", "other.json"]);
    const path = join(files, "flow.json");
    const whole = await readFile(path);
    for (const at of [0, 5, whole.length >> 1, whole.length - 3]) {
      const flipped = Buffer.from(whole);
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      await writeFile(path, flipped);
      const server = await start();
      expect(await ask(server.url, "GET", "/flow")).toMatchObject({
        status: 500,
        body: { code: "file-damaged" },
      });
      expect((await ask(server.url, "GET", "/other")).status).toBe(200);
      await server.close();
    }
    const server = await start();
    expect((await ask(server.url, "DELETE", "/flow")).status).toBe(200);
    expect((await ask(server.url, "PUT", "/flow", { from: 1 })).status).toBe(201);
    await server.close();
  });
});

test("who did not make a subscription neither reads, acknowledges nor deletes it; its maker's next key does", async () => {
  await withStartedServer({ auth: "on" }, async ({ ask: send, append, makeKey }) => {
    const scopes = ["read", "append"] as const;
    const maria = await makeKey({ scopes });
    const next = await makeKey({ scopes });
    const ben = await makeKey({ name: "ben", scopes });
    const admin = await makeKey({ name: "root", scopes: ["read", "admin"] });
    const json = { "content-type": "application/json" };
    const asks = (key: string) => ({
      make: (name = "flow") =>
        send(`/v1/subscriptions/${name}`, key, { method: "PUT", body: "{}", headers: json }),
      read: () => send("/v1/subscriptions/flow/events", key),
      look: () => send("/v1/subscriptions/flow", key),
      acknowledge: () =>
        send("/v1/subscriptions/flow/acknowledge", key, {
          method: "POST",
          body: '{"position":1}',
          headers: json,
        }),
      remove: () => send("/v1/subscriptions/flow", key, { method: "DELETE" }),
    });
    await eventually(async () => expect((await asks(ben.key).make("ben")).status).toBe(201));
    await eventually(async () => expect((await asks(admin.key).look()).status).toBe(404));
    expect((await asks(maria.key).make()).status).toBe(201);
    await append(note("a"), maria.key);
    expect((await asks(maria.key).read()).status).toBe(200);
    const other = asks(ben.key);
    expect(await (await other.look()).json()).toMatchObject({ maker: "maria", lag: 1 });
    for (const refused of [other.read, other.acknowledge, other.remove]) {
      const answer = await refused();
      expect([answer.status, await answer.json()]).toMatchObject([403, { code: "forbidden" }]);
    }
    expect(await (await other.look()).json()).toMatchObject({ acknowledged: 0, lag: 1 });
    expect((await asks(admin.key).read()).status).toBe(200);
    expect((await asks(next.key).acknowledge()).status).toBe(200);
    expect((await asks(next.key).remove()).status).toBe(200);
  });
});
