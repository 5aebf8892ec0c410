/**
 * Requests made from the OpenAPI document, to a real socket: no answer is a 500, each has a status and a shape that the
 * document declares, and the store is whole at the end. `SENNIT_FUZZ_RUNS` and `SENNIT_FUZZ_SEED` make it longer, or
 * other requests: what is sent by default is always the same, so that a change that is tested is not blamed for a find.
 */
import { Agent, request } from "node:http";
import { join } from "node:path";
import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib";

import { openStore } from "@sennit/core";
import { FakeClock, withTemporaryDirectory } from "@sennit/core/testing";
import { startServer } from "@sennit/server";
import { expect, test } from "vitest";

import { makeRichStore } from "../doors/rich-store.ts";
import { loadContract } from "../support/checking-fetch.ts";
import type { Answered, Contract } from "../support/open-api.ts";
import { Random } from "./random.ts";
import { makeRequest, type MadeRequest } from "./requests.ts";

const runs = Number(process.env["SENNIT_FUZZ_RUNS"] ?? 1000);
const seed = Number(process.env["SENNIT_FUZZ_SEED"] ?? 1);

/** How long an answer may take, milliseconds: a question that is waited for in vain is a finding. */
const patienceMs = 20_000;

test(`answers to ${runs} requests with seed ${seed} are what the document declares`, async () => {
  await withTemporaryDirectory(async (directory) => {
    const store = join(directory, "store");
    const clock = new FakeClock("2026-03-02T10:00:00Z", 1000);
    await makeRichStore(store, clock);
    const quick = { minPositionSeconds: 0.05, readsPerSecondMax: 0, writesPerSecondMax: 0 };
    const server = await startServer({ directory: store, port: 0, clock, ...quick });
    const agent = new Agent({ keepAlive: true });
    try {
      const contract = await loadContract(server.url);
      const { found, answered } = await fuzz(server.url, contract, agent);
      expect(found.slice(0, 10)).toEqual([]);
      // Requests that all are refused would not get far.
      expect(answered).toBeGreaterThan(runs / 5);
      expect(server.store.head).toBeGreaterThan(40);
    } finally {
      agent.destroy();
      await server.close();
    }
    await using again = await openStore(store, { clock });
    expect(await again.verify()).toMatchObject({ ok: true, problemCount: 0 });
  });
});

async function fuzz(
  url: string,
  contract: Contract,
  agent: Agent,
): Promise<{ readonly found: string[]; readonly answered: number }> {
  const random = new Random(seed);
  const found: string[] = [];
  let head = 0;
  let answered = 0;
  for (let run = 0; run < runs; run += 1) {
    const made = makeRequest(random, contract, (schema) => contract.resolve(schema));
    const answer = await send(url, made, agent);
    if (answer.status >= 200 && answer.status < 300) answered += 1;
    const problems = problemsOf(contract, made, answer);
    if (problems.length > 0) found.push(`run ${run}: ${describe(made)} → ${problems.join("; ")}`);
    if (run % 50 !== 0) continue;
    const told = (await (await fetch(`${url}/v1/store`)).json()) as { readonly head: number };
    if (told.head < head) found.push(`run ${run}: the head went back from ${head} to ${told.head}`);
    ({ head } = told);
  }
  return { found, answered };
}

function problemsOf(
  contract: Contract,
  { operation, isPlain }: MadeRequest,
  answer: Answered,
): string[] {
  const { status, text } = answer;
  if (status === 0) return [text];
  if (status === 500) return [`500 ${text.slice(0, 300)}`];
  if (isPlain) return contract.answerProblems(operation, answer);
  // An address of another operation, or of none: then at least what it refuses is refused in the one shape.
  if (status < 400) return [];
  const { code } = JSON.parse(text) as { readonly code?: unknown };
  return typeof code === "string" ? [] : [`${status} without a code`];
}

function describe({ operation, target, headers, body }: MadeRequest): string {
  const sent = body === undefined ? "" : ` ${body.toString().slice(0, 200)}`;
  return `${operation.method} ${target.slice(0, 200)} ${JSON.stringify(headers)}${sent}`;
}

const unpackers: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  identity: (bytes) => bytes,
  gzip: (bytes) => gunzipSync(bytes),
  deflate: (bytes) => inflateSync(bytes),
  br: (bytes) => brotliDecompressSync(bytes),
};

function send(
  url: string,
  { operation, target, headers, body }: MadeRequest,
  agent: Agent,
): Promise<Answered> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const fail = (text: string) => resolve({ status: 0, contentType: null, text });
    const length = body === undefined ? {} : { "content-length": String(body.length) };
    const options = {
      hostname,
      port,
      agent,
      method: operation.method,
      path: target,
      timeout: patienceMs,
    };
    const sent = request({ ...options, headers: { ...headers, ...length } }, (response) => {
      const { statusCode: status = 0 } = response;
      const contentType = response.headers["content-type"] ?? null;
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        if (contentType?.startsWith("text/event-stream") !== true) return;
        response.destroy();
        resolve({ status, contentType, text: "" });
      });
      response.on("end", () => {
        const unpack = unpackers[response.headers["content-encoding"] ?? "identity"];
        if (unpack === undefined) fail("the answer is packed in a way that nobody asked for");
        else resolve({ status, contentType, text: unpack(Buffer.concat(chunks)).toString() });
      });
      response.on("error", () => fail("the answer breaks off"));
    });
    sent.on("timeout", () => {
      sent.destroy();
      fail("no answer");
    });
    sent.on("error", (error) => fail(error.message));
    sent.end(body);
  });
}
