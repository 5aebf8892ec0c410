/** Events over HTTP: the forms they come in, and what is wrong with those that are refused. */
import { gzipSync } from "node:zlib";

import { expect, test } from "vitest";

import { withServedStore } from "../testing/serve-store.ts";

function creation(recordId: string, data: object = {}): Record<string, unknown> {
  return { type: "record.created", recordId, data: { kind: "dataset", name: recordId, ...data } };
}

const eventId = (index: number) => `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`;

test("one event, a list and a list with conditions are stored, and the answer is that of the store", async () => {
  await withServedStore(async ({ send, store }) => {
    const one = await send("POST", "/v1/events", { ...creation("a"), id: eventId(1) });
    expect(one.status).toBe(200);
    expect(one.headers.get("sennit-position")).toBe("1");
    const again = await store.append([{ ...creation("a"), id: eventId(1) } as never]);
    expect(one.body).toEqual({
      head: 1,
      events: again.events.map((event) => ({ ...event, status: "stored" })),
    });
    const list = await send("POST", "/v1/events", [creation("b"), creation("c")]);
    expect(list.body).toMatchObject({ head: 3, events: [{ position: 2 }, { position: 3 }] });
    const right = { events: [creation("d")], expectedHead: 3 };
    expect((await send("POST", "/v1/events", right)).body).toMatchObject({ head: 4 });
    const wrong = { events: [creation("e")], expectedHead: 3 };
    const refused = await send("POST", "/v1/events", wrong);
    expect(refused).toMatchObject({ status: 409, body: { code: "head-conflict" } });
    const since = {
      events: [creation("e")],
      unchangedSince: { position: 3, records: [{ recordId: "d" }] },
    };
    const changed = await send("POST", "/v1/events", since);
    expect(changed).toMatchObject({ status: 409, body: { code: "condition-failed" } });
    expect(store.head).toBe(4);
  });
});

test.each([
  ["one", creation("a", { name: 7 }), "/data/name"],
  ["a list of one", [creation("a", { name: 7 })], "/0/data/name"],
  ["a list", [creation("a"), creation("b", { name: 7 })], "/1/data/name"],
  ["an envelope of one", { events: [creation("a", { name: 7 })] }, "/events/0/data/name"],
  ["an envelope", { events: [creation("a"), creation("b", { name: 7 })] }, "/events/1/data/name"],
])("%s: the pointer leads to the place in the body", async (_form, body, pointer) => {
  await withServedStore(async ({ send, store }) => {
    const refused = await send("POST", "/v1/events", body);
    expect(refused).toMatchObject({ status: 400, body: { code: "event-invalid" } });
    expect(refused.body.errors.map((error: { pointer: string }) => error.pointer)).toEqual([
      pointer,
    ]);
    expect(refused.body.detail).toContain(pointer);
    expect(store.head).toBe(0);
  });
});

test.each([
  ["nothing", undefined, "body-invalid"],
  ["no text", "", "body-invalid"],
  ["no JSON", "{", "body-invalid"],
  ["a member twice", '{"type":"record.created","type":"record.created"}', "body-invalid"],
  [
    "lost digits",
    JSON.stringify(creation("a")).replace('"a"', "12345678901234567890"),
    "body-invalid",
  ],
  [
    "__proto__",
    '{"type":"record.created","recordId":"a","__proto__":{},"data":{}}',
    "event-invalid",
  ],
  ["no UTF-8", Buffer.from([0x22, 0xff, 0x22]), "body-invalid"],
  ["half a surrogate pair", JSON.stringify(creation("a", { name: "\ud800" })), "event-invalid"],
  ["deep", `${"[".repeat(60_000)}${"]".repeat(60_000)}`, "event-invalid"],
  ["very deep", `${"[".repeat(2_000_000)}${"]".repeat(2_000_000)}`, "body-invalid"],
  [
    "deep attributes",
    `{"type":"record.created","recordId":"a","data":{"kind":"k","name":"n","attributes":${"[".repeat(30_000)}${"]".repeat(30_000)}}}`,
    "event-invalid",
  ],
  ["an empty list", [], "event-invalid"],
  ["a number", "7", "event-invalid"],
  ["an unknown condition", { events: [creation("a")], expectHead: 1 }, "request-invalid"],
  ["events that are no list", { events: creation("a") }, "request-invalid"],
  ["a wrong condition", { events: [creation("a")], expectedHead: "1" }, "argument-invalid"],
])("%s is refused, and nothing is stored", async (_what, body, code) => {
  await withServedStore(async ({ send, store }) => {
    const refused = await send("POST", "/v1/events", body);
    expect(refused).toMatchObject({ status: 400, body: { code } });
    expect(refused.headers.get("content-type")).toMatch(/^application\/problem\+json/);
    expect(store.head).toBe(0);
  });
});

test("a byte order mark is passed over", async () => {
  await withServedStore(async ({ send }) => {
    expect(
      (await send("POST", "/v1/events", `\ufeff${JSON.stringify(creation("a"))}`)).status,
    ).toBe(200);
  });
});

test.each(["text/plain", "application/xml", "application/x-www-form-urlencoded"])(
  "a body of type %s is refused",
  async (type) => {
    await withServedStore(async ({ send }) => {
      const refused = await send("POST", "/v1/events", "{}", { "content-type": type });
      const { code, details } = refused.body;
      expect([refused.status, code]).toEqual([415, "media-type-unsupported"]);
      expect(details).toMatchObject({
        value: type,
        types: expect.arrayContaining(["application/json"]),
      });
    });
  },
);

test("a body as gzip is inflated, up to the size that a body may have", async () => {
  await withServedStore(
    async ({ send, store }) => {
      const gzip = { "content-encoding": "gzip" };
      const event = gzipSync(JSON.stringify(creation("a")));
      expect((await send("POST", "/v1/events", event, gzip)).status).toBe(200);
      const bomb = gzipSync(Buffer.alloc(50_000_000, " "));
      const refused = await send("POST", "/v1/events", bomb, gzip);
      expect(refused).toMatchObject({ status: 413, body: { code: "body-too-large" } });
      const broken = await send("POST", "/v1/events", event.subarray(0, 20), gzip);
      expect(broken).toMatchObject({ status: 400, body: { code: "body-invalid" } });
      const other = await send("POST", "/v1/events", event, { "content-encoding": "br" });
      expect(other).toMatchObject({ status: 415, body: { code: "media-type-unsupported" } });
      expect(store.head).toBe(1);
    },
    { settings: { bodyBytesMax: 1_000_000 } },
  );
});

test("a body above the limit is refused, whether it says how long it is or not", async () => {
  await withServedStore(
    async ({ send, store }) => {
      const large = JSON.stringify(creation("a", { attributes: "x".repeat(200_000) }));
      const told = await send("POST", "/v1/events", large);
      expect(told).toMatchObject({ status: 413, body: { code: "body-too-large" } });
      const chunked = await send("POST", "/v1/events", new Blob([large]).stream());
      expect(chunked).toMatchObject({ status: 413, body: { code: "body-too-large" } });
      expect(store.head).toBe(0);
    },
    { settings: { bodyBytesMax: 100_000 } },
  );
});

test("bodies that would fill the memory are refused until there is room again", async () => {
  await withServedStore(
    async ({ send, url }) => {
      const half = "x".repeat(80_000);
      let finish: (() => void) | undefined;
      const slow = new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(Buffer.from(`{"type":"${half}`));
          finish = () => {
            controller.enqueue(Buffer.from('"}'));
            controller.close();
          };
        },
      });
      const first = send("POST", "/v1/events", slow);
      const full = async () => (await send("POST", "/v1/events", JSON.stringify(half))).status;
      await expect.poll(full).toBe(503);
      const refused = await send("POST", "/v1/events", JSON.stringify(half));
      expect(refused.body).toMatchObject({ code: "too-many-pending-appends" });
      expect(refused.headers.get("retry-after")).toBe("1");
      expect((await fetch(`${url}/v1/records`)).status).toBe(200);
      finish?.();
      expect((await first).status).toBe(400);
      await expect.poll(full).toBe(400);
    },
    { settings: { bodiesBytesMax: 150_000 } },
  );
});

test("a batch under a key is stored once, and the answer says that it was there", async () => {
  await withServedStore(async ({ send, store }) => {
    const key = { "idempotency-key": '"run-7 \\"x\\""' };
    const first = await send("POST", "/v1/events", [creation("a"), creation("b")], key);
    expect(first.headers.get("idempotency-replayed")).toBeNull();
    const again = await send("POST", "/v1/events", [creation("a"), creation("b")], {
      "idempotency-key": 'run-7 "x"',
    });
    expect(again.status).toBe(200);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(again.body.events).toEqual(
      first.body.events.map((event: object) => ({ ...event, status: "duplicate" })),
    );
    const other = await send("POST", "/v1/events", [creation("c")], key);
    expect(other).toMatchObject({ status: 409, body: { code: "idempotency-key-reused" } });
    expect(store.head).toBe(2);
  });
});

test.each(['""', "", '"open', "x".repeat(257), "a, b"])("%s is no idempotency key", async (key) => {
  await withServedStore(async ({ send }) => {
    const refused = await send("POST", "/v1/events", creation("a"), { "idempotency-key": key });
    expect(refused).toMatchObject({
      status: 400,
      body: { code: "request-invalid", details: { header: "Idempotency-Key" } },
    });
  });
});
