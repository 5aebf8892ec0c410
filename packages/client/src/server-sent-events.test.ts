/** Server-Sent Events: how they are read, and what is asked for when a stream breaks off. */
import type { ServerResponse } from "node:http";

import { expect, test } from "vitest";

import { ClientError } from "./client-error.ts";
import { liveMessages, messagesOf, type Message } from "./server-sent-events.ts";
import {
  hangUp,
  json,
  problem,
  scriptedServer,
  type ScriptedServer,
} from "./testing/scripted-server.ts";
import { Transport, type TransportOptions } from "./transport.ts";

async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** A body that comes in pieces of so many bytes. */
function bodyOf(text: string, size: number): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) controller.close();
      else controller.enqueue(bytes.slice(at, at + size));
      at += size;
    },
  });
}

const text = [
  ": a comment",
  "id: 7",
  "data: one",
  "",
  "event: gone",
  "data: two ü\u{1f9ea}",
  "data:three",
  "",
  "retry: 10",
  "",
  "id: 8",
  "data",
  "",
  "data: never finished",
].join("\r\n");

const messages: Message[] = [
  { event: "message", data: "one", id: "7" },
  { event: "gone", data: "two ü\u{1f9ea}\nthree", id: "7" },
  { event: "message", data: "", id: "8" },
];

test.each([1, 2, 3, 5, 1000])("messages are read from pieces of %i bytes", async (size) => {
  expect(await collected(messagesOf(bodyOf(text, size)))).toEqual(messages);
  const lineFeeds = text.replaceAll("\r\n", "\n");
  expect(await collected(messagesOf(bodyOf(lineFeeds, size)))).toEqual(messages);
});

const streaming = { "content-type": "text/event-stream" };

/** Sends the messages with these ids, and then ends well or badly. */
function sends(ids: readonly number[], end: "end" | "cut") {
  return (_: unknown, response: ServerResponse) => {
    response.writeHead(200, streaming);
    for (const id of ids) response.write(`id: ${id}\ndata: ${id}\n\n`);
    if (end === "end") response.end();
    else setTimeout(() => response.socket?.destroy(), 20);
  };
}

test("a stream is taken up behind the last message, however often and however it ends", async () => {
  const busy = problem(503, "store-reopening", "busy");
  const script = [sends([1, 2], "cut"), hangUp, busy, sends([3], "end"), sends([4, 5], "end")];
  const server = await scriptedServer(script);
  const transport = new Transport(server.url, { retry: { pauseMs: 1 } });
  const seen: string[] = [];
  for await (const { data } of liveMessages(transport, { path: ["stream"] })) {
    seen.push(data);
    if (seen.length === 5) break;
  }
  await server.close();
  expect(seen).toEqual(["1", "2", "3", "4", "5"]);
  const asked = server.received.map(({ headers }) => headers["last-event-id"]);
  expect(asked).toEqual([undefined, "2", "2", "2", "3"]);
});

test("a stream that is refused is not asked for again", async () => {
  const server = await scriptedServer([problem(403, "forbidden", "denied"), json({})]);
  const transport = new Transport(server.url, { retry: { pauseMs: 1 } });
  const ask = { path: ["stream"] };
  await expect(collected(liveMessages(transport, ask))).rejects.toMatchObject({
    code: "forbidden",
  });
  await server.close();
  expect(server.received).toHaveLength(1);
});

test("a server that does not come back is given up", async () => {
  const server = await scriptedServer([hangUp]);
  const transport = new Transport(server.url, { retry: { pauseMs: 1, liveAttempts: 3 } });
  await expect(collected(liveMessages(transport, { path: ["stream"] }))).rejects.toMatchObject({
    code: "server-unreachable",
  });
  await server.close();
  expect(server.received).toHaveLength(3);
});

test("a stream ends when the client is closed, and fails when its signal fires", async () => {
  const silent = (_: unknown, response: ServerResponse) => {
    response.writeHead(200, streaming);
    response.write("id: 1\ndata: 1\n\n");
  };
  const server = await scriptedServer([silent]);
  const closed = new Transport(server.url);
  const seen: string[] = [];
  for await (const { data } of liveMessages(closed, { path: ["stream"] })) {
    seen.push(data);
    closed.close();
  }
  expect(seen).toEqual(["1"]);
  const abort = new AbortController();
  const stopped = async () => {
    const ask = { path: ["stream"], signal: abort.signal };
    for await (const { data } of liveMessages(new Transport(server.url), ask)) {
      seen.push(data);
      abort.abort();
    }
  };
  await expect(stopped()).rejects.toMatchObject({ code: "aborted" });
  await server.close();
  expect(seen).toEqual(["1", "1"]);
});

test("what a server says at the end of a stream is no message, and a problem is a failure", async () => {
  const says = (said: string) => (_: unknown, response: ServerResponse) => {
    response.writeHead(200, streaming);
    response.end(said);
  };
  const told = {
    code: "log-gap",
    category: "corrupt",
    detail: "A gap.",
    hint: "Run: sennit verify",
  };
  const server = await scriptedServer([
    says("id: 3\nevent: e\ndata: 3\n\n: heartbeat\nid: 5\n\nevent: cut-off\ndata: {}\n\n"),
    says("id: 6\nevent: e\ndata: 6\n\nevent: closing\ndata: {}\n\n"),
    says(`event: problem\ndata: ${JSON.stringify(told)}\n\n`),
  ]);
  const seen: string[] = [];
  const transport = new Transport(server.url, { retry: { pauseMs: 1 } });
  const reading = async () => {
    for await (const { data } of liveMessages(transport, { path: ["stream"] })) seen.push(data);
  };
  await expect(reading()).rejects.toMatchObject({ code: "log-gap", category: "corrupt" });
  await server.close();
  expect(seen).toEqual(["3", "6"]);
  const asked = server.received.map(({ headers }) => headers["last-event-id"]);
  expect(asked).toEqual([undefined, "5", "6"]);
});

test("a stream whose token has ended is taken up with the next one, and given up when there is none", async () => {
  const told = { code: "unauthenticated", category: "denied", detail: "Ended.", hint: "Ask." };
  const ends = (id: number) => (_: unknown, response: ServerResponse) => {
    response.writeHead(200, streaming);
    const last = `event: problem\ndata: ${JSON.stringify(told)}\n\n`;
    response.end(`id: ${id}\ndata: ${id}\n\n${last}`);
  };
  const server = await scriptedServer([
    ends(1),
    ends(2),
    problem(401, "unauthenticated", "denied"),
  ]);
  const tokens = ["one", "two", "three"];
  const token = () => tokens.shift() ?? "none";
  const transport = new Transport(server.url, { token, retry: { pauseMs: 1 } });
  const seen: string[] = [];
  const reading = async () => {
    for await (const { data } of liveMessages(transport, { path: ["stream"] })) seen.push(data);
  };
  await expect(reading()).rejects.toMatchObject({ code: "unauthenticated" });
  await server.close();
  expect(seen).toEqual(["1", "2"]);
  expect(
    server.received.map(({ headers }) => [headers.authorization, headers["last-event-id"]]),
  ).toEqual([
    ["Bearer one", undefined],
    ["Bearer two", "1"],
    ["Bearer three", "2"],
  ]);
});

/** Reads a stream until it fails. */
async function failureOf(
  server: ScriptedServer,
  token: TransportOptions["token"],
): Promise<{ readonly code: string; readonly details: unknown }> {
  const transport = new Transport(server.url, { token, retry: { pauseMs: 1 } });
  try {
    await collected(liveMessages(transport, { path: ["stream"] }));
  } catch (error) {
    if (error instanceof ClientError) return { code: error.code, details: error.details };
    throw error;
  } finally {
    await server.close();
  }
  throw new Error("The stream has ended without a failure.");
}

/** Begins as a server does, and ends with a problem. */
const ending =
  (code: string) =>
  (_: unknown, response: ServerResponse): void => {
    const details = { reason: "revoked" };
    const told = { code, category: "denied", detail: "Ended.", hint: "Ask.", details };
    response.writeHead(200, streaming);
    response.end(`retry: 1\n\n: \nid: 1\n\nevent: problem\ndata: ${JSON.stringify(told)}\n\n`);
  };

test.each<[string, TransportOptions["token"], number]>([
  ["unauthenticated", "one", 1],
  ["unauthenticated", undefined, 1],
  ["forbidden", "one", 1],
  ["forbidden", () => "one", 1],
  // The first time it might have given another one.
  ["unauthenticated", () => "one", 2],
])("a stream that ends as %s with the token %s fails with that", async (code, token, times) => {
  const server = await scriptedServer([ending(code)]);
  expect(await failureOf(server, token)).toEqual({ code, details: { reason: "revoked" } });
  expect(server.received).toHaveLength(times);
});
