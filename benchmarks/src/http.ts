/** P7: appends over HTTP by 64 connections, beside a route that parses the same body and does nothing. */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import { openStore, type NewEvent } from "@sennit/core";
import { openViews } from "@sennit/projections";
import autocannon from "autocannon";

import { toRow, type BoundedRow } from "./report.ts";
import type { Benchmark, Run } from "./run.ts";
import { compare, secondsOf, takeTurns } from "./timing.ts";
import { document } from "./workload.ts";

const connections = 64;
const sizes = {
  small: { rounds: 5, requests: 30_000 },
  full: { rounds: 9, requests: 100_000 },
} as const;

const child = fileURLToPath(new URL("http-child.js", import.meta.url));

/** One event of three tags and a URI, with an id that is another one in each request. */
const idMark = "[<id>]";
const body = JSON.stringify({
  type: "record.created",
  recordId: `rec-${idMark}`,
  data: document(1),
});

/** Appends over HTTP against a route that drops what it is sent. */
export const http: Benchmark = { budgets: ["P7"], measure };

async function measure({ scale, scratch }: Run): Promise<BoundedRow[]> {
  const { rounds, requests } = sizes[scale];
  const [directory, beside] = [scratch.directory(), scratch.directory()];
  const [ours, peer] = [await ServedProcess.start(directory), await ServedProcess.start()];
  const callers = await Callers.start(beside);
  const figures = await takeTurns(rounds, {
    ours: () => ours.rate(requests),
    peer: () => peer.rate(requests),
    callers: () => callers.rate(requests),
  });
  for (const each of [ours, peer, callers]) await each.close();
  const sent = (rounds + 1) * requests;
  for (const each of [directory, beside]) await assertHolds(each, sent);
  const n = rounds * requests;
  const unbounded = { floor: null, aim: null, n } as const;
  return [
    toRow(
      {
        row: "P7",
        work: `HTTP append, ${connections} connections : Fastify parses the body and drops it`,
        unit: "events/s",
        bounds: "ratio",
        floor: 0.5,
        aim: 0.8,
        n,
      },
      compare(figures.ours, figures.peer),
    ),
    toRow(
      {
        row: "P7-callers",
        work: `the same bodies, parsed and appended by ${connections} callers without HTTP : the same peer`,
        unit: "events/s",
        bounds: "ratio",
        ...unbounded,
      },
      compare(figures.callers, figures.peer),
    ),
    toRow(
      {
        row: "P7-cpu",
        work: "HTTP append, processor time of the server per request : the same peer",
        unit: "us",
        bounds: "ratio",
        ...unbounded,
      },
      compare(ours.cpuUs.slice(1), peer.cpuUs.slice(1)),
    ),
  ];
}

/** A server in a process of its own, which goes on from round to round as a server does. */
class ServedProcess {
  /** Processor time per request, microseconds, round by round. */
  readonly cpuUs: number[] = [];
  readonly #process: ChildProcess;
  readonly #url: string;

  private constructor(process: ChildProcess, url: string) {
    this.#process = process;
    this.#url = url;
  }

  /** @param directory of a new store; without it, the peer */
  static async start(directory?: string): Promise<ServedProcess> {
    const process = fork(child, directory === undefined ? [] : [directory]);
    const { url } = await told<{ readonly url: string }>(process);
    return new ServedProcess(process, url);
  }

  /** Requests a second. @throws when one of them was not answered with success */
  async rate(requests: number): Promise<number> {
    this.#process.send("start");
    const result = await autocannon({
      url: `${this.#url}/v1/events`,
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
    this.#process.send("stop");
    const { cpuMs } = await told<{ readonly cpuMs: number }>(this.#process);
    if (result["2xx"] !== requests || result.errors > 0) {
      throw new Error(`${requests} requests were sent: ${JSON.stringify(result)}`);
    }
    this.cpuUs.push((cpuMs * 1000) / requests);
    return requests / result.duration;
  }

  async close(): Promise<void> {
    this.#process.send("close");
    await once(this.#process, "exit");
  }
}

/** What HTTP costs nothing of: as many callers in this process, of a store with its views. */
class Callers {
  readonly #append: (event: NewEvent) => Promise<unknown>;
  readonly close: () => Promise<void>;
  #count = 0;

  private constructor(append: (event: NewEvent) => Promise<unknown>, close: () => Promise<void>) {
    this.#append = append;
    this.close = close;
  }

  static async start(directory: string): Promise<Callers> {
    const store = await openStore(directory);
    const views = await openViews(store);
    return new Callers(
      (event) => store.append([event]),
      async () => {
        await views.close();
        await store.close();
      },
    );
  }

  /** Appends a second. */
  async rate(appends: number): Promise<number> {
    const end = this.#count + appends;
    const caller = async (): Promise<void> => {
      while (this.#count < end) {
        const text = body.replace(idMark, String((this.#count += 1)));
        await this.#append(JSON.parse(text) as NewEvent);
      }
    };
    const seconds = await secondsOf(async () => {
      await Promise.all(Array.from({ length: connections }, caller));
    });
    return appends / seconds;
  }
}

/** @throws when a store holds another number of events than were acknowledged */
async function assertHolds(directory: string, events: number): Promise<void> {
  const store = await openStore(directory, { create: false });
  const { head } = store;
  await store.close();
  if (head === events) return;
  throw new Error(`${events} appends were acknowledged, and the store holds ${head} events`);
}

async function told<Message>(from: ChildProcess): Promise<Message> {
  const [message] = (await once(from, "message")) as [Message];
  return message;
}
