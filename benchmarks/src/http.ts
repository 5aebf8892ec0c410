/** P7: appends over HTTP by 64 connections, beside a route that parses the same body and does nothing. */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import { openStore } from "@sennit/core";
import autocannon from "autocannon";

import { toRow, type BoundedRow } from "./report.ts";
import type { Benchmark, Run } from "./run.ts";
import type { Scratch } from "./scratch.ts";
import { compare, takeTurns } from "./timing.ts";
import { document } from "./workload.ts";

const connections = 64;
const sizes = {
  small: { rounds: 5, requests: 20_000 },
  full: { rounds: 9, requests: 100_000 },
} as const;

const child = fileURLToPath(new URL("http-child.js", import.meta.url));

/** One event of three tags and a URI, with an id that is another one in each request. */
const body = JSON.stringify({
  type: "record.created",
  recordId: "rec-[<id>]",
  data: document(1),
});

/** Appends over HTTP against a route that drops what it is sent. */
export const http: Benchmark = { budgets: ["P7"], measure };

async function measure({ scale, scratch }: Run): Promise<BoundedRow[]> {
  const { rounds, requests } = sizes[scale];
  const cpu = { ours: [] as number[], peer: [] as number[] };
  const figures = await takeTurns(rounds, {
    ours: async () => appendRate(scratch, requests, cpu.ours),
    peer: async () => requestRate(undefined, requests, cpu.peer),
  });
  return [
    toRow(
      {
        row: "P7",
        work: `HTTP append, ${connections} connections : Fastify parses the body and drops it`,
        unit: "events/s",
        bounds: "ratio",
        floor: 0.5,
        aim: 0.8,
        n: rounds * requests,
      },
      compare(figures.ours, figures.peer),
    ),
    toRow(
      {
        row: "P7-cpu",
        work: "the same, processor time of the server per request",
        unit: "us",
        bounds: "ratio",
        floor: null,
        aim: null,
        n: rounds * requests,
      },
      compare(cpu.ours.slice(1), cpu.peer.slice(1)),
    ),
  ];
}

/** @throws when the store holds another number of events than were acknowledged */
async function appendRate(scratch: Scratch, requests: number, cpu: number[]): Promise<number> {
  return scratch.within(async (directory) => {
    const rate = await requestRate(directory, requests, cpu);
    const store = await openStore(directory, { create: false });
    const { head } = store;
    await store.close();
    if (head === requests) return rate;
    throw new Error(`${requests} appends were acknowledged, and the store holds ${head} events`);
  });
}

/** Requests a second, each answered with success. @param cpu gets the server's processor time, microseconds per request */
async function requestRate(
  directory: string | undefined,
  requests: number,
  cpu: number[],
): Promise<number> {
  const server = fork(child, directory === undefined ? [] : [directory]);
  const { url } = await told<{ url: string }>(server);
  server.send("start");
  const result = await autocannon({
    url: `${url}/v1/events`,
    connections,
    amount: requests,
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
    idReplacement: true,
    excludeErrorStats: true,
    // It looks only so often whether it is done, milliseconds, and counts until then.
    sampleInt: 10,
  });
  server.send("stop");
  const { cpuMs } = await told<{ cpuMs: number }>(server);
  server.send("close");
  await once(server, "exit");
  if (result["2xx"] !== requests || result.errors > 0) {
    throw new Error(`${requests} requests were sent: ${JSON.stringify(result)}`);
  }
  cpu.push((cpuMs * 1000) / requests);
  return requests / result.duration;
}

async function told<Message>(server: ChildProcess): Promise<Message> {
  const [message] = (await once(server, "message")) as [Message];
  return message;
}
