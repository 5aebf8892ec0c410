/** Bodies that no well-behaved client sends, on bare sockets: the server refuses or lets go, stores nothing, and goes on. */
import { expect, test } from "vitest";

import { RawRequest } from "../testing/raw-request.ts";
import { withServedStore, type ServedStore } from "../testing/serve-store.ts";

const json = { "content-type": "application/json" };
const event = JSON.stringify({
  type: "record.created",
  recordId: "a",
  data: { kind: "dataset", name: "a" },
});

/** That nothing has been stored, and that the next request is answered. */
async function expectUnharmed({ store, send }: ServedStore): Promise<void> {
  expect(store.head).toBe(0);
  expect((await send("POST", "/v1/events", event)).status).toBe(200);
}

test("a chunked body that ends in the middle of a chunk stores nothing", async () => {
  await withServedStore(async (served) => {
    const headers = { ...json, "transfer-encoding": "chunked" };
    const request = await RawRequest.open(served.port, "POST /v1/events", headers);
    await request.send(`${(event.length + 9).toString(16)}\r\n${event}`);
    request.socket.end();
    await request.untilClosed();
    expect(request.received).not.toContain("200 OK");
    await expectUnharmed(served);
  });
});

test.each(["zz\r\n{}", "-1\r\n{}", "ffffffffffffffffff\r\n{}"])(
  "a chunk of length %j is refused",
  async (chunk) => {
    await withServedStore(async (served) => {
      const headers = { ...json, "transfer-encoding": "chunked" };
      const request = await RawRequest.open(served.port, "POST /v1/events", headers);
      await request.send(chunk);
      expect(await request.untilClosed()).toMatch(/^HTTP\/1\.1 400 /);
      await expectUnharmed(served);
    });
  },
);

test("a body shorter than its Content-Length stores nothing when the sender goes", async () => {
  await withServedStore(async (served) => {
    const headers = { ...json, "content-length": String(event.length + 10) };
    const request = await RawRequest.open(served.port, "POST /v1/events", headers);
    await request.send(event);
    request.socket.end();
    await request.untilClosed();
    expect(request.received).not.toContain("200 OK");
    await expectUnharmed(served);
  });
});

test("what is sent behind a Content-Length is no part of the body, and ends the connection", async () => {
  await withServedStore(async ({ port, send }) => {
    const headers = { ...json, "content-length": String(event.length) };
    const request = await RawRequest.open(port, "POST /v1/events", headers);
    await request.send(`${event}garbage\r\n\r\n`);
    const received = await request.untilClosed();
    expect(received.match(/^HTTP\/1\.1 \d+/gm)?.at(-1)).toBe("HTTP/1.1 400");
    expect((await send("POST", "/v1/events", event.replaceAll('"a"', '"b"'))).status).toBe(200);
  });
});

test.each([
  { "content-length": "5", "transfer-encoding": "chunked" },
  { "content-length": "five" },
  { "content-length": "-5" },
  { "transfer-encoding": "chunked, chunked, gzip" },
])("a request with %j is refused", async (framing) => {
  await withServedStore(async (served) => {
    const headers = { ...json, ...framing } as Record<string, string>;
    const request = await RawRequest.open(served.port, "POST /v1/events", headers);
    await request.send("0\r\n\r\n");
    expect(await request.untilClosed()).toMatch(/^HTTP\/1\.1 400 /);
    await expectUnharmed(served);
  });
});

test("a sender that is done half-closes and still gets its answer", async () => {
  await withServedStore(async ({ port, store }) => {
    const headers = { ...json, "content-length": String(event.length) };
    const request = await RawRequest.open(port, "POST /v1/events", headers);
    await request.send(event);
    request.socket.end();
    expect(await request.untilClosed()).toMatch(/^HTTP\/1\.1 200 /);
    expect(store.head).toBe(1);
  });
});

test("a body that is announced too large is refused before it is sent", async () => {
  await withServedStore(async (served) => {
    const headers = { ...json, "content-length": String(1024 ** 4) };
    const request = await RawRequest.open(served.port, "POST /v1/events", headers);
    expect(await request.until(/"code":"[^"]*"/)).toMatch(/^HTTP\/1\.1 413 /);
    request.socket.destroy();
    await expectUnharmed(served);
  });
});

test.each(["__proto__", "constructor", "prototype", "toString"])(
  "a member named %s is refused where it is unknown, and changes no object",
  async (name) => {
    await withServedStore(async (served) => {
      const sent = `${event.slice(0, -1)},${JSON.stringify(name)}:{"polluted":true}}`;
      const refused = await served.send("POST", "/v1/events", sent);
      expect(refused).toMatchObject({ status: 400, body: { errors: [{ pointer: `/${name}` }] } });
      expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
      await expectUnharmed(served);
    });
  },
);
