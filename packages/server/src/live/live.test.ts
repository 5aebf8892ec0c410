/** Streams over real sockets: what they send, where they go on, and how they end. */
import { connect, type Socket } from "node:net";

import { created, invalidated, updated, type EmbeddedStore } from "@sennit/core";
import { eventually } from "@sennit/core/testing";
import { expect, test } from "vitest";

import { EventSourceReader } from "../testing/event-source.ts";
import { withServer } from "../testing/serving.ts";
import { formatFrame } from "./frame.ts";

function note(id: string, kind = "note", attributes: unknown = {}) {
  return created(id, { kind, name: id, attributes: attributes as never });
}

/** Listeners of the log's head: each stream that waits has one. */
function waiting(store: EmbeddedStore): number {
  return store.log.headSignal.listeners;
}

test("the log is sent from a position on, then live, each event with its position and type", async () => {
  await withServer({}, async ({ url, store }) => {
    await store.append([note("a"), note("b"), note("c")]);
    const stream = await EventSourceReader.open(`${url}/v1/events/stream?from=2`);
    expect(stream.response.headers.get("content-type")).toBe("text/event-stream");
    expect(stream.response.headers.get("sennit-position")).toBe("3");
    const stored = await stream.take(2);
    await store.append([updated("a", { name: "A" })]);
    await store.append([invalidated("a", { cause: "wrong" })]);
    const live = await stream.take(2);
    const events = [];
    for await (const event of store.events({ from: 2 })) events.push(event);
    expect([...stored, ...live]).toEqual(
      events.map((event) => ({
        lastEventId: String(event.position),
        event: event.type,
        data: event,
      })),
    );
    expect(stream.retryMs).toBe(2000);
    stream.close();
  });
});

test("Last-Event-ID goes on after the message that was last", async () => {
  await withServer({}, async ({ url, store }) => {
    await store.append(Array.from({ length: 20 }, (_, index) => note(`r-${index}`)));
    const seen: string[] = [];
    let last = "";
    for (const count of [3, 1, 16]) {
      const headers = last === "" ? {} : { "last-event-id": last };
      const stream = await EventSourceReader.open(`${url}/v1/events/stream?from=1`, headers);
      for (const message of await stream.take(count)) {
        seen.push(message.lastEventId);
        last = message.lastEventId;
      }
      stream.close();
    }
    expect(seen).toEqual(Array.from({ length: 20 }, (_, index) => String(index + 1)));
  });
});

test("filters leave events out, and the position that was reached is told all the same", async () => {
  await withServer({ heartbeatSeconds: 0.02 }, async ({ url, store }) => {
    await store.append([note("m", "model"), note("n"), updated("m", { name: "M" }), note("o")]);
    const ask = async (query: string) => {
      const stream = await EventSourceReader.open(`${url}/v1/events/stream?${query}`);
      return stream;
    };
    const ofModels = await ask("kind=model");
    expect((await ofModels.take(2)).map(({ lastEventId }) => lastEventId)).toEqual(["1", "3"]);
    const next = ofModels.next();
    await eventually(() => expect(ofModels.lastEventId).toBe("4"));
    ofModels.close();
    await expect(next).rejects.toThrow("abort");
    const updates = await ask("type=record.updated&type=record.invalidated");
    expect((await updates.take(1))[0]?.lastEventId).toBe("3");
    updates.close();
    const ofOne = await ask("recordId=n");
    expect((await ofOne.take(1))[0]?.lastEventId).toBe("2");
    ofOne.close();
  });
});

test("a live query folds to the list, and goes on from an instant without its first answer", async () => {
  await withServer({}, async ({ url, store }) => {
    await store.append([note("a"), note("x", "other")]);
    const query = `${url}/v1/live/records?where=${encodeURIComponent("kind:note")}`;
    const stream = await EventSourceReader.open(query);
    const [first] = await stream.take(1);
    expect(first).toMatchObject({
      lastEventId: "2",
      event: "records",
      data: { asOf: 2, added: [{ id: "a" }], isComplete: true },
    });
    await store.append([note("b")]);
    expect((await stream.take(1))[0]).toMatchObject({ data: { asOf: 3, added: [{ id: "b" }] } });
    stream.close();
    await store.append([updated("a", { name: "A" })]);
    const resumed = await EventSourceReader.open(query, { "last-event-id": "3" });
    const [delta] = await resumed.take(1);
    expect(delta).toMatchObject({ data: { asOf: 4, added: [], changed: [{ id: "a" }] } });
    resumed.close();
  });
});

test("a live lineage sends what joins it, and goes on from an instant", async () => {
  await withServer({}, async ({ url, store }) => {
    await store.append([note("a")]);
    const query = `${url}/v1/records/a/lineage/stream?direction=descendants`;
    const stream = await EventSourceReader.open(query);
    expect((await stream.take(1))[0]).toMatchObject({ lastEventId: "1", event: "lineage" });
    const derived = (id: string) =>
      created(id, { kind: "note", name: id, derivedFrom: [{ recordId: "a" }] });
    await store.append([derived("b")]);
    const [joined] = await stream.take(1);
    expect(joined).toMatchObject({ data: { asOf: 2, added: { nodes: [{ recordId: "b" }] } } });
    stream.close();
    await store.append([derived("c")]);
    const resumed = await EventSourceReader.open(query, { "last-event-id": "2" });
    const [delta] = await resumed.take(1);
    expect(delta).toMatchObject({ data: { asOf: 3, added: { nodes: [{ recordId: "c" }] } } });
    resumed.close();
  });
});

test.each([
  ["/v1/events/stream", "x", 400, "argument-invalid"],
  ["/v1/events/stream", "2", 400, "as-of-ahead-of-head"],
  ["/v1/events/stream?from=x", "", 400, "request-invalid"],
  ["/v1/events/stream?type=record.deleted", "", 400, "request-invalid"],
  ["/v1/live/records?where=colour:red", "", 400, "query-invalid"],
  ["/v1/live/records?as-of=7", "", 400, "as-of-ahead-of-head"],
  ["/v1/records/nobody/lineage/stream", "", 404, "record-not-found"],
])("%s with Last-Event-ID %j is refused before it begins", async (path, last, status, code) => {
  await withServer({}, async ({ url, store }) => {
    await store.append([note("a")]);
    const { response } = await EventSourceReader.open(`${url}${path}`, { "last-event-id": last });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ code });
  });
});

test("what is stored cannot end a message or begin another", async () => {
  const evil = "a\n\nevent: closing\r\ndata: {}\n\n\u2028id: 9";
  expect(formatFrame({ id: 1, event: "x", data: evil }).split("\n")).toHaveLength(5);
  await withServer({}, async ({ url, store }) => {
    await store.append([created("r", { kind: "note", name: "r", attributes: { evil } })]);
    const stream = await EventSourceReader.open(`${url}/v1/events/stream`);
    expect(await stream.take(1)).toMatchObject([
      { lastEventId: "1", event: "record.created", data: { data: { attributes: { evil } } } },
    ]);
    stream.close();
  });
});

test("heartbeats come while nothing happens", async () => {
  await withServer({ heartbeatSeconds: 0.02 }, async ({ url }) => {
    const stream = await EventSourceReader.open(`${url}/v1/events/stream`);
    const next = stream.next();
    await eventually(() => expect(stream.heartbeats).toBeGreaterThan(2));
    stream.close();
    await expect(next).rejects.toThrow("abort");
  });
});

test("a reader that goes leaves nothing behind", async () => {
  await withServer({}, async ({ url, store, app }) => {
    const before = waiting(store);
    const streams = await Promise.all(
      ["events/stream", "live/records", "events/stream?kind=x"].map((path) =>
        EventSourceReader.open(`${url}/v1/${path}`),
      ),
    );
    await eventually(() => expect(waiting(store)).toBeGreaterThan(before));
    for (const stream of streams) stream.close();
    await eventually(() => expect(waiting(store)).toBe(before));
    expect(app.server.listening).toBe(true);
  });
});

test("there are so many streams and no more, and one that ends makes room", async () => {
  await withServer({ streamsMax: 1 }, async ({ url }) => {
    const first = await EventSourceReader.open(`${url}/v1/events/stream`);
    const { response } = await EventSourceReader.open(`${url}/v1/live/records`);
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(await response.json()).toMatchObject({ code: "too-many-streams" });
    first.close();
    await eventually(async () => {
      const again = await EventSourceReader.open(`${url}/v1/events/stream`);
      again.close();
      expect(again.response.status).toBe(200);
    });
  });
});

test("a server that closes says so, and from where to go on", async () => {
  let stream: EventSourceReader | undefined;
  await withServer({}, async ({ url, store }) => {
    await store.append([note("a")]);
    stream = await EventSourceReader.open(`${url}/v1/events/stream`);
    await stream.take(1);
  });
  expect(await stream?.next()).toEqual({
    lastEventId: "1",
    event: "closing",
    data: { resumeAfter: 1 },
  });
  expect(await stream?.next()).toBeUndefined();
});

test("HEAD of a stream ends", async () => {
  await withServer({}, async ({ url }) => {
    const response = await fetch(`${url}/v1/events/stream`, { method: "HEAD" });
    expect([response.status, response.headers.get("content-type")]).toEqual([
      200,
      "text/event-stream",
    ]);
  });
});

/** Asks for a stream on a socket that is not read. */
async function askWithoutReading(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.pause();
  await new Promise((resolve) => socket.once("connect", resolve));
  socket.write("GET /v1/events/stream HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
  return socket;
}

test("a reader that does not read is cut off, takes no more memory than its bound, and learns where to go on", async () => {
  const settings = { streamBufferBytes: 65_536, streamStallSeconds: 0.3 };
  await withServer(settings, async ({ port, app, store, logged, url }) => {
    let most = 0;
    app.server.on("connection", (socket: Socket) => {
      const look = setInterval(() => {
        most = Math.max(most, socket.writableLength);
      }, 1);
      socket.once("close", () => clearInterval(look));
    });
    const attributes = { text: "x".repeat(50_000) };
    const total = 400;
    for (let index = 0; index < total; index += 20) {
      const batch = Array.from({ length: 20 }, (_, at) => note(`r-${index + at}`, "k", attributes));
      await store.append(batch);
    }
    const socket = await askWithoutReading(port);
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
    });
    socket.pause();
    await eventually(() => expect(logged.some(({ end }) => end === "cut-off")).toBe(true));
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.resume();
    await closed;
    expect(most).toBeLessThan(settings.streamBufferBytes + 2 * 55_000);
    const ids = [...text.matchAll(/^id: (\d+)/gm)].map(([, id]) => Number(id));
    const last = ids.at(-1) ?? 0;
    expect(last).toBeGreaterThan(0);
    expect(last).toBeLessThan(total);
    expect(text).toContain(`id: ${last}\nevent: cut-off\ndata: {"resumeAfter":${last}}`);
    const headers = { "last-event-id": String(last) };
    const stream = await EventSourceReader.open(`${url}/v1/events/stream`, headers);
    const rest = await stream.take(total - last);
    expect(rest.map(({ lastEventId }) => Number(lastEventId))).toEqual(
      Array.from({ length: total - last }, (_, index) => last + 1 + index),
    );
    stream.close();
  });
});
