/** A server that starts: where it answers, what it says when it cannot, and what it leaves behind. */
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { Agent, get } from "node:https";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";

import { isStoreError, openStore } from "@sennit/core";
import { withTemporaryDirectory } from "@sennit/core/testing";
import { expect, test } from "vitest";

import { startServer, type StartServerOptions } from "./start.ts";
import { testCertificate, testKey } from "./testing/test-certificate.ts";

async function withStore(use: (directory: string) => Promise<void>): Promise<void> {
  await withTemporaryDirectory(async (directory) => {
    await (await openStore(directory)).close();
    await use(directory);
  });
}

async function codeOf(options: StartServerOptions): Promise<string> {
  try {
    await (await startServer(options)).close();
  } catch (error) {
    if (isStoreError(error)) return error.code;
    throw error;
  }
  return "started";
}

test.each([
  ["127.0.0.1", /^http:\/\/127\.0\.0\.1:\d+$/],
  ["::1", /^http:\/\/\[::1\]:\d+$/],
])("at %s it answers at the URL it gives", async (host, url) => {
  await withStore(async (directory) => {
    const server = await startServer({ directory, host, port: 0 });
    expect(server.url).toMatch(url);
    expect((await fetch(`${server.url}/openapi.json`)).status).toBe(200);
    await server.close();
  });
});

test("with a certificate it speaks TLS and nothing else, and closes with connections open", async () => {
  await withStore(async (directory) => {
    const [tlsCert, tlsKey] = [join(directory, "cert.pem"), join(directory, "key.pem")];
    await writeFile(tlsCert, testCertificate);
    await writeFile(tlsKey, testKey);
    const server = await startServer({ directory, port: 0, tlsCert, tlsKey });
    expect(server.url).toMatch(/^https:/);
    const agent = new Agent({ keepAlive: true, ca: testCertificate });
    const [response] = (await once(get(`${server.url}/healthz`, { agent }), "response")) as [
      IncomingMessage,
    ];
    expect(response.statusCode).toBe(200);
    response.resume();
    await once(response, "end");
    await expect(fetch(server.url.replace("https:", "http:"))).rejects.toThrow("fetch failed");
    await expect(fetch(server.url)).rejects.toThrow("fetch failed");
    await server.close();
    agent.destroy();
  });
});

test("a port that is taken is said, and the store is closed again", async () => {
  await withStore(async (directory) => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const { port } = other.address() as AddressInfo;
    expect(await codeOf({ directory, port })).toBe("listen-failed");
    other.close();
    expect(await codeOf({ directory, port: 0 })).toBe("started");
  });
});

test("a certificate that cannot be read is said, and the store is closed again", async () => {
  await withStore(async (directory) => {
    const tls = { tlsCert: "/nowhere/cert.pem", tlsKey: "/nowhere/key.pem" };
    expect(await codeOf({ directory, port: 0, ...tls })).toBe("file-unreadable");
    expect(await codeOf({ directory, port: 0 })).toBe("started");
  });
});

test("a setting that cannot be used is refused before anything is opened", async () => {
  expect(await codeOf({ directory: "/nowhere", port: -1 })).toBe("setting-invalid");
});
