/** NDJSON over HTTP: results while it is read, back-pressure both ways, and senders that misbehave. */
import { memoryUsage } from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";

import { FaultStorage } from "@sennit/core/testing";
import { expect, test } from "vitest";

import { RawRequest } from "../testing/raw-request.ts";
import { withServedStore } from "../testing/serve-store.ts";

const lines = { "content-type": "application/x-ndjson" };
const chunked = { ...lines, "transfer-encoding": "chunked" };
const path = "/v1/events";

function line(recordId: string, more: object = {}): string {
  const data = { kind: "dataset", name: recordId };
  return `${JSON.stringify({ type: "record.created", recordId, data, ...more })}\n`;
}

const eventId = (index: number) => `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`;

test("every line gets its result in order, and the summary counts them", async () => {
  await withServedStore(async ({ send }) => {
    const input = [
      line("a", { id: eventId(1) }),
      "\n",
      "{\n",
      line("a"),
      line("a", { id: eventId(1) }),
      line("b", { data: { kind: "k", name: 7 } }),
      line("c"),
    ].join("");
    const { status, body, headers } = await send("POST", path, input, lines);
    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("application/x-ndjson");
    expect(body).toMatchObject([
      { line: 1, status: "stored", recordId: "a", version: 1, position: 1, consequences: 0 },
      { line: 3, status: "refused", code: "event-invalid" },
      { line: 4, status: "refused", code: "record-already-exists", pointer: "/recordId" },
      { line: 5, status: "duplicate", position: 1 },
      { line: 6, status: "refused", code: "event-invalid", pointer: "/data/name" },
      { line: 7, status: "stored", position: 2 },
      { summary: { stored: 2, duplicates: 1, refused: 3, head: 2 } },
    ]);
  });
});

test("only refused lines are told, or none, when that is asked for", async () => {
  await withServedStore(async ({ send }) => {
    const input = `${line("a")}{\n${line("b")}`;
    const refused = await send("POST", `${path}?results=refused`, input, lines);
    expect(refused.body).toMatchObject([{ line: 2 }, { summary: { stored: 2, refused: 1 } }]);
    const none = await send("POST", `${path}?results=none`, input, lines);
    expect(none.body).toMatchObject([{ summary: { stored: 0, refused: 3 } }]);
    expect((await send("POST", `${path}?results=some`, input, lines)).status).toBe(400);
    expect((await send("POST", `${path}?batch=0`, input, lines)).status).toBe(400);
  });
});

test("all or nothing: one refused line refuses the rest, and a key is for the whole", async () => {
  await withServedStore(async ({ send, store }) => {
    const input = `${line("a")}${line("b")}${line("a")}`;
    const refused = await send("POST", `${path}?atomic=true`, input, lines);
    expect(refused.body).toMatchObject([
      { line: 3, code: "record-already-exists" },
      { summary: { stored: 0, refused: 3, head: 0 } },
    ]);
    const early = await send("POST", `${path}?atomic=true`, `{\n${line("a")}{\n`, lines);
    expect(early.body).toMatchObject([{ line: 1 }, { line: 3 }, { summary: { refused: 3 } }]);
    const key = { ...lines, "idempotency-key": "k-1" };
    const good = `${line("a")}${line("b")}`;
    const without = await send("POST", path, good, key);
    expect(without).toMatchObject({ status: 400, body: { code: "request-invalid" } });
    await send("POST", `${path}?atomic=true`, good, key);
    const again = await send("POST", `${path}?atomic=true`, good, key);
    expect(again.body.at(-1)).toMatchObject({ summary: { stored: 0, duplicates: 2 } });
    expect(store.head).toBe(2);
    const many = line("x").repeat(10_001);
    const long = await send("POST", `${path}?atomic=true`, many, lines);
    expect(long.body).toMatchObject([{ error: { code: "batch-too-large" } }]);
  });
});

test("lines that are no gzip, in a request that is refused before they are read, harm nobody", async () => {
  const refusals = [
    [`${path}?unknown=1`, {}, 400],
    [path, { accept: "text/html" }, 406],
    [path, { "sennit-min-position": "9" }, 503],
  ] as const;
  await withServedStore(
    async ({ send }) => {
      for (const [to, more, status] of refusals) {
        const headers = { ...lines, "content-encoding": "gzip", ...more };
        expect((await send("POST", to, "this is no gzip", headers)).status).toBe(status);
      }
      expect((await send("GET", "/v1/store", undefined)).body.head).toBe(0);
    },
    { settings: { minPositionSeconds: 0.01 } },
  );
});

test("a compressed stream is stored, and one that is no gzip ends with an error", async () => {
  await withServedStore(async ({ send }) => {
    const gzip = { ...lines, "content-encoding": "gzip" };
    const packed = gzipSync(line("a") + line("b"));
    const stored = await send("POST", path, packed, gzip);
    expect(stored.body.at(-1)).toMatchObject({ summary: { stored: 2 } });
    const broken = await send("POST", path, packed.subarray(0, 30), gzip);
    expect(broken.body.at(-1)).toMatchObject({ error: { code: "body-invalid" } });
  });
});

test("a sender that waits for each result gets it while it goes on", async () => {
  await withServedStore(async ({ port, store }) => {
    const request = await RawRequest.open(port, `POST ${path}`, chunked);
    for (let index = 1; index <= 3; index += 1) {
      await request.chunk(line(`r${index}`));
      await request.until(new RegExp(`"recordId":"r${index}".*"position":${index}`));
      expect(store.head).toBe(index);
    }
    await request.send("0\r\n\r\n");
    // Half-closed: the sender is done, and reads on.
    request.socket.end();
    await request.until(/"summary":\{"stored":3/);
  });
});

test("what was acknowledged stays when the sender vanishes, and the server goes on", async () => {
  await withServedStore(
    async ({ port, store, send }) => {
      const request = await RawRequest.open(port, `POST ${path}`, chunked);
      await request.chunk(line("a"));
      await request.until(/"recordId":"a"/);
      await request.chunk('{"type":"record.crea');
      request.socket.destroy();
      const next = async () => (await send("POST", path, line("b"), lines)).status;
      // The one stream there may be is free again once the server has noticed.
      await expect.poll(next).toBe(200);
      expect(store.head).toBe(2);
    },
    { settings: { ingestStreamsMax: 1 } },
  );
});

test("a sender that half-closes in the middle of a chunk ends its own request alone", async () => {
  await withServedStore(async ({ port, store, send }) => {
    const request = await RawRequest.open(port, `POST ${path}`, chunked);
    await request.chunk(line("a"));
    await request.until(/"recordId":"a"/);
    await request.send("ff\r\n{");
    request.socket.end();
    await request.untilClosed();
    expect(store.head).toBe(1);
    expect((await send("POST", path, line("b"), lines)).status).toBe(200);
  });
});

test("more streams than there may be are refused with a time to come again", async () => {
  await withServedStore(
    async ({ port, send }) => {
      const open = await RawRequest.open(port, `POST ${path}`, chunked);
      await open.chunk(line("a"));
      await open.until(/"recordId":"a"/);
      const refused = await send("POST", path, line("b"), lines);
      expect(refused).toMatchObject({ status: 503, body: { code: "too-many-pending-appends" } });
      expect(refused.headers.get("retry-after")).toBe("1");
      await open.send("0\r\n\r\n");
      await open.untilClosed();
      await expect.poll(async () => (await send("POST", path, line("b"), lines)).status).toBe(200);
    },
    { settings: { ingestStreamsMax: 1 } },
  );
});

test("a full disk ends the stream with its code, and reads go on", async () => {
  const storage = new FaultStorage();
  await withServedStore(
    async ({ port, url, send }) => {
      const request = await RawRequest.open(port, `POST ${path}`, chunked);
      await request.chunk(line("a"));
      await request.until(/"recordId":"a"/);
      storage.fill();
      await request.chunk(line("b"));
      expect(await request.until(/"error":.*\n/)).toMatch(/"code":"disk-full"/);
      expect((await fetch(`${url}/v1/records/a`)).status).toBe(200);
      const refused = await send("POST", path, JSON.parse(line("c")));
      expect(refused).toMatchObject({ status: 503, body: { code: "disk-full" } });
      expect(refused.headers.get("retry-after")).toBe("1");
      storage.free();
      expect((await send("POST", path, JSON.parse(line("c")))).status).toBe(200);
      request.socket.destroy();
    },
    { storage },
  );
});

test("a sender that does not read its results is not read either, and memory stays", async () => {
  await withServedStore(async ({ port, store }) => {
    const request = await RawRequest.open(port, `POST ${path}`, chunked);
    request.socket.pause();
    const refused = Buffer.from("x\n".repeat(50_000));
    let sent = 0;
    const sending = (async () => {
      for (; sent < 1000 && !request.socket.destroyed; sent += 1) await request.chunk(refused);
    })();
    let before = -1;
    while (before !== sent) {
      before = sent;
      await sleep(300);
    }
    // 100 MB of lines would become far more of results; the sockets' buffers hold a few of them.
    expect(sent).toBeLessThan(500);
    expect(store.head).toBe(0);
    request.socket.destroy();
    await sending;
  });
});

test("lines of any length and number take memory for one batch", async () => {
  await withServedStore(async ({ port }) => {
    const request = await RawRequest.open(port, `POST ${path}?results=none`, chunked);
    const endless = Buffer.alloc(1024 * 1024, "x");
    const before = memoryUsage().rss;
    for (let mebibytes = 0; mebibytes < 100; mebibytes += 1) await request.chunk(endless);
    await request.chunk(`\n${line("a")}`);
    const many = Buffer.from(`{"x":1}\n`.repeat(16 * 1024));
    for (let sent = 0; sent < 16; sent += 1) await request.chunk(many);
    await request.send("0\r\n\r\n");
    expect(await request.until(/"summary":.*\n/)).toMatch(
      /"stored":1,"duplicates":0,"refused":262145/,
    );
    expect(memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024);
  });
});
