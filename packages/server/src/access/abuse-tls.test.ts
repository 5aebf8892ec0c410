/** What no well-behaved client sends, to a server with TLS: before the connection is secured, and behind that. */
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";

import { eventually, withTemporaryDirectory } from "@sennit/core/testing";
import { expect, test } from "vitest";

import type { SomeSettings } from "../config/settings.ts";
import { forAllTests } from "../testing/for-all-tests.ts";
import { withServer, type Serving } from "../testing/serving.ts";
import { testCertificate, testKey } from "../testing/test-certificate.ts";
import { exchange, get, statusesIn, Wire } from "../testing/wire.ts";

const isTls = true;

function withTlsServer(
  settings: SomeSettings,
  use: (serving: Serving) => Promise<void>,
): Promise<void> {
  return withTemporaryDirectory(async (directory) => {
    const [tlsCert, tlsKey] = [join(directory, "cert.pem"), join(directory, "key.pem")];
    await writeFile(tlsCert, testCertificate);
    await writeFile(tlsKey, testKey);
    await withServer({ ...settings, tlsCert, tlsKey }, use);
  });
}

/** What is given up is given up soon. */
const quick: SomeSettings = { headersSeconds: 0.5, idleSeconds: 1.5, connectionsMax: 20 };
const shared = forAllTests<Serving>((use) => withTlsServer(quick, use));

function statusNow(): Promise<number> {
  return new Promise((resolve, reject) => {
    const to = { port: shared().port, host: "127.0.0.1", path: "/v1/store", agent: false as const };
    request({ ...to, ca: testCertificate }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on("error", reject)
      .end();
  });
}

/** A server that is still well at the end: it answers, has nothing to blame itself for, and keeps no connection. */
async function withWell(use: (serving: Serving) => Promise<void>): Promise<void> {
  await use(shared());
  expect(await statusNow()).toBe(200);
  expect(shared().logged.filter(({ level }) => level === "error" || level === "fatal")).toEqual([]);
  await eventually(async () => {
    const open = await new Promise((resolve) => {
      shared().app.server.getConnections((_error, count) => resolve(count));
    });
    expect(open).toBe(0);
  });
}

/** The beginning of a TLS greeting that never goes on. */
const greeting = Buffer.from("16030100a5010000a10303", "hex");

test("connections that are never secured are given up, and take no place from others", async () => {
  await withWell(async ({ port }) => {
    const silent = await Promise.all(Array.from({ length: 10 }, () => Wire.open(port)));
    const stalled = await Promise.all(Array.from({ length: 10 }, () => Wire.open(port)));
    for (const { socket } of stalled) socket.write(greeting);
    const answers = await Promise.all([...silent, ...stalled].map((wire) => wire.untilEnd()));
    expect(answers.flatMap(statusesIn)).toEqual([]);
  });
});

test("a greeting that comes a byte at a time is waited for no longer than headers are", async () => {
  await withWell(async ({ port }) => {
    const wire = await Wire.open(port);
    wire.socket.write(greeting);
    const trickle = setInterval(() => wire.socket.write("a"), 50);
    expect(statusesIn(await wire.untilEnd())).toEqual([]);
    clearInterval(trickle);
  });
});

test("a server that closes does not wait for those that are not secured", async () => {
  await withTlsServer({ headersSeconds: 600, shutdownSeconds: 600 }, async ({ app, port }) => {
    const waiting = await Wire.open(port);
    await eventually(async () => {
      const open = await new Promise((resolve) => {
        app.server.getConnections((_error, count) => resolve(count));
      });
      expect(open).toBe(1);
    });
    await app.close();
    expect(await waiting.untilEnd()).toBe("");
  });
});

test.each<[string, string | Uint8Array]>([
  ["a request without TLS", get("/v1/store")],
  ["zeros", Buffer.alloc(5000)],
  ["random bytes", randomBytes(300)],
  ["another protocol", "SSH-2.0-OpenSSH_9.6\r\n"],
])("%s is given up without an answer in HTTP", async (_what, bytes) => {
  await withWell(async ({ port }) => {
    expect(statusesIn(await exchange(port, bytes))).toEqual([]);
  });
});

test("headers that come a byte at a time are waited for no longer than the setting says", async () => {
  await withWell(async ({ port }) => {
    const wire = await Wire.open(port, { isTls });
    wire.socket.write("GET /v1/store HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
    const trickle = setInterval(() => wire.socket.write("a"), 50);
    const received = await wire.untilEnd();
    clearInterval(trickle);
    expect(statusesIn(received)).toEqual([408]);
    expect(received).toContain('"code":"request-timeout"');
  });
});

test("a secured connection that never asks, and a body that does not come, are given up", async () => {
  await withWell(async ({ port, store }) => {
    const silent = await Wire.open(port, { isTls });
    const stalled = await Wire.open(port, { isTls });
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
    const asking = await Wire.open(port, { isTls });
    asking.socket.end(get("/v1/store"));
    expect(statusesIn(await asking.untilEnd())).toEqual([200]);
    const event = JSON.stringify({ type: "record.created", recordId: "a", data: { kind: "k" } });
    const leaving = await Wire.open(port, { isTls });
    leaving.socket.end(
      `POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n${event}`,
    );
    await leaving.untilEnd();
    const vanishing = await Wire.open(port, { isTls });
    vanishing.socket.write(get("/v1/events"));
    vanishing.socket.destroy();
    expect(store.head).toBe(0);
  });
});

test.each<[string, string, number]>([
  ["one huge header", get("/v1/store", `X-Bomb: ${"a".repeat(60_000)}`), 431],
  ["many small ones", get("/v1/store", ...Array.from({ length: 4000 }, () => "a: b")), 431],
  ["more than anybody needs", get("/v1/store", ...Array.from({ length: 150 }, () => "a: b")), 431],
  ["a long URL", get(`/v1/records/${"a".repeat(60_000)}`), 431],
  ["bytes that are no request", "\0".repeat(100), 400],
])("%s behind TLS is refused", async (_what, bytes, status) => {
  await withWell(async ({ port }) => {
    const received = await exchange(port, bytes, { isTls });
    expect(statusesIn(received)).toEqual([status]);
    expect(received.toLowerCase()).toContain("content-type: application/problem+json");
  });
});
