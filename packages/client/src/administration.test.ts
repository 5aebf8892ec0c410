/** What is told of long work by a server that does not come to its end. */
import type { ServerResponse } from "node:http";

import { afterEach, expect, test } from "vitest";

import { eraseContent } from "./administration.ts";
import { ClientError } from "./client-error.ts";
import { hangUp, problem, scriptedServer, type ScriptedServer } from "./testing/scripted-server.ts";
import { Transport } from "./transport.ts";

let server: ScriptedServer | undefined;

afterEach(async () => {
  await server?.close();
});

/** Says how far it is, and the connection breaks. */
const breakOff = (_: unknown, response: ServerResponse): void => {
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  response.write('{"progress":{"in":"log"}}\n');
  setTimeout(() => response.socket?.destroy(), 20);
};

/** Ends as if all had been said. */
const endEarly = (_: unknown, response: ServerResponse): void => {
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  response.end('{"progress":{"in":"log"}}\n');
};

test.each([
  ["hangs up", hangUp],
  ["breaks off", breakOff],
  ["ends early", endEarly],
])("an erasure whose answer %s is sent once, and may be at work all the same", async (_, end) => {
  server = await scriptedServer([end]);
  const transport = new Transport(server.url, { retry: { pauseMs: 1 } });
  const failure: unknown = await eraseContent(transport, ["a"], { cause: "c" }).catch(
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(ClientError);
  expect(failure).toMatchObject({ code: "server-unreachable" });
  expect((failure as ClientError).hint).toMatch(/goes on by itself; send it again.*Check /s);
  expect(server.received).toHaveLength(1);
});

test("an erasure that is refused fails with what the server says", async () => {
  server = await scriptedServer([problem(404, "record-not-found", "not-found")]);
  const erasing = eraseContent(new Transport(server.url), ["a"], { cause: "c" });
  await expect(erasing).rejects.toMatchObject({ code: "record-not-found", hint: "Wait." });
});
