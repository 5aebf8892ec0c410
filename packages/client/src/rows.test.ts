/** Lists of any length: read as they are asked for, and taken up where a connection broke off. */
import type { ServerResponse } from "node:http";

import { expect, test } from "vitest";

import { rowsOf } from "./rows.ts";
import { problem, scriptedServer } from "./testing/scripted-server.ts";
import { Transport } from "./transport.ts";

const headers = { "content-type": "application/x-ndjson", "sennit-position": "9" };
const retry = { pauseMs: 1, attempts: 3 };

interface Row {
  readonly n: number;
}

function sends(text: string, end: "end" | "cut") {
  return (_: unknown, response: ServerResponse) => {
    response.writeHead(200, headers);
    response.write(text);
    if (end === "end") response.end();
    else setTimeout(() => response.socket?.destroy(), 20);
  };
}

async function rowsFrom(
  script: Parameters<typeof scriptedServer>[0],
  rest?: (last: Row, delivered: number) => { query: { from: number } },
): Promise<{ seen: number[]; asked: string[]; code: unknown }> {
  const server = await scriptedServer(script);
  const seen: number[] = [];
  let code: unknown;
  try {
    const transport = new Transport(server.url, { retry });
    const ask = { path: ["rows"], instant: "as-of", ...(rest !== undefined && { rest }) };
    for await (const { n } of rowsOf<Row>(transport, ask)) seen.push(n);
  } catch (error) {
    ({ code } = error as { code: unknown });
  } finally {
    await server.close();
  }
  return { seen, asked: server.received.map(({ url }) => url), code };
}

test("rows are read, also when the last has no end of line", async () => {
  const { seen } = await rowsFrom([sends('{"n":1}\n{"n":2}\n\n{"n":3}', "end")]);
  expect(seen).toEqual([1, 2, 3]);
});

test("a list that breaks off is taken up as of the position it began with, and no row comes twice", async () => {
  const cut = sends('{"n":1}\n{"n":2}\n{"n', "cut");
  const { seen, asked, code } = await rowsFrom([cut, sends('{"n":1}\n{"n":2}\n{"n":3}\n', "end")]);
  expect([seen, code]).toEqual([[1, 2, 3], undefined]);
  expect(asked).toEqual(["/rows", "/rows?as-of=9"]);
});

test("where a list can be asked for from a row on, only what is missing is asked for", async () => {
  const cut = sends('{"n":1}\n{"n":2}\n', "cut");
  const rest = ({ n }: Row) => ({ query: { from: n + 1 } });
  const { seen, asked } = await rowsFrom([cut, sends('{"n":3}\n', "end")], rest);
  expect(seen).toEqual([1, 2, 3]);
  expect(asked).toEqual(["/rows", "/rows?as-of=9&from=3"]);
});

test("a list that does not get on is given up, and one that fails for good is not asked for again", async () => {
  const stuck = await rowsFrom([sends('{"n":1}\n', "cut")]);
  expect([stuck.seen, stuck.code]).toEqual([[1], "server-unreachable"]);
  const failed = await rowsFrom([
    sends('{"n":1}\n', "cut"),
    problem(500, "checksum-mismatch", "corrupt"),
  ]);
  expect([failed.seen, failed.code, failed.asked.length]).toEqual([[1], "checksum-mismatch", 2]);
});

test("a list of which no more is asked for is not read on", async () => {
  let sent = 0;
  const closed = new AbortController();
  const endless = (_: unknown, response: ServerResponse) => {
    response.writeHead(200, headers);
    response.on("close", () => closed.abort());
    const line = `{"n":1,"pad":"${"x".repeat(1000)}"}\n`;
    const more = (): void => {
      while (!closed.signal.aborted && response.write(line)) sent += 1;
    };
    response.on("drain", more);
    more();
  };
  const server = await scriptedServer([endless]);
  const rows = rowsOf<Row>(new Transport(server.url), { path: ["rows"], instant: "as-of" });
  await rows.next();
  let before = -1;
  while (sent !== before) {
    before = sent;
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
  // What fits the buffers of both ends was sent, and a list without end was not.
  expect(sent).toBeLessThan(50_000);
  await rows.return(undefined);
  while (!closed.signal.aborted) {
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
  await server.close();
});
