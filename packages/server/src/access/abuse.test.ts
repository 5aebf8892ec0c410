/** What no well-behaved client sends, on bare sockets: nothing breaks, nothing leaks, and others are served on. */
import { randomBytes } from "node:crypto";

import { systemClock } from "@sennit/core";
import { eventually } from "@sennit/core/testing";
import { expect, test } from "vitest";

import type { SomeSettings } from "../config/settings.ts";
import { createKey } from "../keys/manage-keys.ts";
import { forAllTests } from "../testing/for-all-tests.ts";
import { withServer, type Serving } from "../testing/serving.ts";
import { withStartedServer } from "../testing/started-server.ts";
import { exchange, get, statusesIn, Wire } from "../testing/wire.ts";

/** What is given up is given up soon. */
const quick: SomeSettings = { headersSeconds: 0.4, idleSeconds: 1 };

const shared = forAllTests<Serving>((use) => withServer(quick, use));

/** A server that is still well at the end: it answers, and has nothing to blame itself for. */
async function withWell(use: (serving: Serving) => Promise<void>): Promise<void> {
  await use(shared());
  expect((await fetch(`${shared().url}/v1/store`)).status).toBe(200);
  expect(shared().logged.filter(({ level }) => level === "error" || level === "fatal")).toEqual([]);
}

test("headers that come a byte at a time are waited for no longer than the setting says", async () => {
  await withWell(async ({ port }) => {
    const wire = await Wire.open(port);
    wire.socket.write("GET /v1/store HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
    const trickle = setInterval(() => wire.socket.write("a"), 50);
    const received = await wire.untilEnd();
    clearInterval(trickle);
    expect(statusesIn(received)).toEqual([408]);
    expect(received).toContain('"code":"request-timeout"');
  });
});

test("a connection that never asks, and a body that does not come, are given up", async () => {
  await withWell(async ({ port, store }) => {
    const silent = await Wire.open(port);
    const stalled = await Wire.open(port);
    stalled.socket.write(
      "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n[",
    );
    const answers = await Promise.all([silent.untilEnd(), stalled.untilEnd()]);
    expect(answers.flatMap(statusesIn).filter((status) => status === 200)).toEqual([]);
    expect(store.head).toBe(0);
  });
});

test("who has said all is answered, and who leaves in the middle of a body has sent nothing", async () => {
  await withWell(async ({ port, store }) => {
    const asking = await Wire.open(port);
    asking.socket.end(get("/v1/store"));
    expect(statusesIn(await asking.untilEnd())).toEqual([200]);
    const event = JSON.stringify({ type: "record.created", recordId: "a", data: { kind: "k" } });
    const leaving = await Wire.open(port);
    leaving.socket.end(
      `POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n${event}`,
    );
    await leaving.untilEnd();
    const vanishing = await Wire.open(port);
    vanishing.socket.write(get("/v1/events"));
    vanishing.socket.resetAndDestroy();
    expect(store.head).toBe(0);
  });
});

test.each<[string, string, number]>([
  ["one huge header", get("/v1/store", `X-Bomb: ${"a".repeat(60_000)}`), 431],
  ["many small ones", get("/v1/store", ...Array.from({ length: 4000 }, () => "a: b")), 431],
  ["more than anybody needs", get("/v1/store", ...Array.from({ length: 150 }, () => "a: b")), 431],
  ["a long URL", get(`/v1/records/${"a".repeat(60_000)}`), 431],
  ["a long name in the path", get(`/v1/records/${"a".repeat(9000)}`), 400],
  ["a query of many names", get(`/v1/records?${"a=1&".repeat(3000)}`), 400],
])("%s is refused", async (_what, bytes, status) => {
  await withWell(async ({ port }) => {
    const received = await exchange(port, bytes);
    expect(statusesIn(received)).toEqual([status]);
    expect(received.toLowerCase()).toContain("content-type: application/problem+json");
  });
});

const pathTricks = [
  "//v1/store",
  "/v1//store",
  "/v1/./store",
  "/v1/x/../store",
  "/v1/%2e%2e/store",
  "/%2e%2e/%2e%2e/etc/passwd",
  "/../../etc/passwd",
  "/docs/static/../../../package.json",
  "/docs/static/..%2f..%2f..%2f..%2fpackage.json",
  "/docs/static/%2e%2e%2f%2e%2e%2fpackage.json",
  "/docs/static/..%5c..%5cpackage.json",
  "/v1/..;/store",
  "/v1/store;a=b",
  "/v1/store/",
  "/V1/STORE",
  "/v1/store%00",
  "/v1/records/%00",
  "/v1/records/%c0%ae%c0%ae",
  "/v1/records/%ff",
  "/v1/records/%",
  "/v1/records/%zz",
  "/v1/store%3f",
  "/v1/store%23",
  "/v1/store?%",
  "/v1/store?%00=%00",
  "http://evil.example/v1/store",
  "http://localhost/v1/store",
  "https://localhost:4600/v1/store?x",
  "*",
  "store",
  "?",
  "/v1/records/__proto__",
  "/v1/records/constructor",
  "/v1/projections/__proto__",
  "/v1/labels/toString",
  "/v1/records?__proto__=1",
  "/v1/records?__proto__[status]=valid",
  "/v1/records?constructor.prototype.x=1",
  "/v1/records?where=kind:__proto__",
  "/v1/records?tag.__proto__=x",
  "/v1/timeline?by=__proto__",
];

test.each(pathTricks)("GET %s neither breaks nor leaks anything", async (target) => {
  await withWell(async ({ port }) => {
    const received = await exchange(port, get(target));
    const [status = 0, ...others] = statusesIn(received);
    expect(others).toEqual([]);
    expect(status).toBeGreaterThanOrEqual(200);
    expect(status).toBeLessThan(500);
    expect(received).not.toMatch(/root:|"dependencies"|node_modules| at .*\.[jt]s:\d+/);
  });
});

test("no spelling of a path gets around the need for a credential", async () => {
  await withStartedServer({ auth: "on", refusalsPerMinuteMax: 0, ...quick }, async ({ url }) => {
    const port = Number(new URL(url).port);
    const bodyOf = (received: string) => received.slice(received.indexOf("\r\n\r\n"));
    // Some name the entrance, which is open to all.
    const entrance = bodyOf(await exchange(port, get("/")));
    for (const target of pathTricks) {
      if (bodyOf(await exchange(port, get(target))) === entrance) continue;
      for (const method of ["GET", "HEAD", "get", "OPTIONS", "TRACE", "PROPFIND"]) {
        const received = await exchange(port, get(target).replace("GET", method));
        expect([method, target, statusesIn(received)[0]]).not.toContain(200);
        expect(received.toLowerCase()).not.toContain("sennit-position");
      }
    }
  });
});

const smuggled = "GET /v1/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";
const post = "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";

test.each<[string, string]>([
  [
    "two lengths",
    `${post}Content-Length: 2\r\nContent-Length: ${smuggled.length}\r\n\r\n{}${smuggled}`,
  ],
  [
    "a length and chunks",
    `${post}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
  ],
  ["chunks named oddly", `${post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`],
  ["chunks named twice", `${post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${smuggled}`],
  ["a space before the colon", `${post}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${smuggled}`],
  ["a folded header", `${post}Content-Length:\r\n 2\r\n\r\n{}`],
  ["a length that is none", `${post}Content-Length: +2\r\n\r\n{}${smuggled}`],
  ["a length below nothing", `${post}Content-Length: -1\r\n\r\n${smuggled}`],
  ["lines that end in LF", `${post.replaceAll("\r\n", "\n")}Content-Length: 2\n\n{}${smuggled}`],
  ["a header without a name", `${post}: chunked\r\n\r\n`],
  ["two hosts", `${post}Host: evil.example\r\nContent-Length: 2\r\n\r\n{}`],
  ["no host", "GET /v1/store HTTP/1.1\r\nConnection: close\r\n\r\n"],
  [
    "a chunk longer than it says",
    `${post}Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n${smuggled}`,
  ],
  [
    "a chunk of endless length",
    `${post}Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}`,
  ],
  ["a version to come", "GET /v1/store HTTP/9.9\r\nHost: localhost\r\n\r\n"],
])("a request with %s is refused, and nothing hides behind it", async (_what, bytes) => {
  await withWell(async ({ port, store }) => {
    const received = await exchange(port, bytes);
    expect(statusesIn(received).length).toBeLessThanOrEqual(1);
    expect(statusesIn(received).filter((status) => status < 400)).toEqual([]);
    expect(received).not.toContain("/v1/smuggled");
    expect(store.head).toBe(0);
  });
});

test.each<[string, string | Uint8Array]>([
  ["a TLS greeting", Buffer.from("16030100a5010000a10303", "hex")],
  ["zeros", Buffer.alloc(5000)],
  ["line ends", "\r\n".repeat(500)],
  ["another protocol", "SSH-2.0-OpenSSH_9.6\r\n"],
  ["HTTP/2 from the start", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  ["an upgrade", get("/v1/store", "Upgrade: h2c").replace("close", "Upgrade")],
  ["a tunnel", "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n"],
  ["an expectation that is none", get("/v1/store", "Expect: the-unexpected")],
])("%s is given up", async (_what, bytes) => {
  await withWell(async ({ port }) => {
    const received = await exchange(port, bytes);
    expect(statusesIn(received).filter((status) => status >= 500)).toEqual([]);
  });
});

test("random bytes are given up", async () => {
  await withWell(async ({ port }) => {
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        const received = await exchange(
          port,
          Buffer.concat([randomBytes(300), Buffer.from("\r\n\r\n")]),
        );
        expect(statusesIn(received)).toEqual([400]);
      }),
    );
  });
});

test("requests in a row on one connection are answered in order, and old clients too", async () => {
  await withWell(async ({ port }) => {
    const keep = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    const paths = Array.from({ length: 50 }, (_, index) => `/v1/nothing-${index}`);
    const received = await exchange(port, `${paths.map(keep).join("")}${get("/v1/store")}`);
    expect(statusesIn(received)).toEqual([...paths.map(() => 404), 200]);
    const order = [...received.matchAll(/nothing-(\d+)\./g)].map(([, index]) => Number(index));
    expect(order).toEqual(paths.map((_, index) => index));
    const old = await exchange(port, "GET /v1/store HTTP/1.0\r\nHost: localhost\r\n\r\n");
    expect(statusesIn(old)).toEqual([200]);
    // Without a Host nothing says that it means this machine.
    expect(statusesIn(await exchange(port, "GET /v1/store HTTP/1.0\r\n\r\n"))).toEqual([403]);
  });
});

test("connections beyond the limit are closed, and there is room again when others go", async () => {
  await withServer({ connectionsMax: 2 }, async ({ port }) => {
    const kept = [await Wire.open(port), await Wire.open(port)];
    expect(await exchange(port, get("/v1/store"))).toBe("");
    for (const { socket } of kept) socket.destroy();
    await eventually(async () => {
      expect(statusesIn(await exchange(port, get("/v1/store")))).toEqual([200]);
    });
  });
});

test("a key that is sent in another place than it belongs is not taken, and not repeated", async () => {
  let key = "";
  await withStartedServer(
    { auth: "on" },
    async ({ url }) => {
      const port = Number(new URL(url).port);
      const places = [
        get(`/v1/records?access_token=${key}`),
        get(`/v1/records?token=${key}`),
        get("/v1/records", `Cookie: token=${key}`),
        get("/v1/records", `X-Api-Key: ${key}`),
        get("/v1/records", `Authorization: Basic ${Buffer.from(`${key}:`).toString("base64")}`),
        get("/v1/records", `Proxy-Authorization: Bearer ${key}`),
      ];
      for (const place of places) {
        const received = await exchange(port, place);
        expect(statusesIn(received)).toEqual([401]);
        expect(received).not.toContain(key);
      }
      const received = await exchange(port, get("/v1/records", `Authorization: bearer  ${key} `));
      expect(statusesIn(received)).toEqual([200]);
    },
    async (directory) => {
      ({ key } = await createKey(directory, { name: "a", scopes: ["read"], clock: systemClock }));
    },
  );
});
