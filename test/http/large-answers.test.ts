/** Answers of any length: in pieces, without holding up others, cut when something fails, let go when the caller goes. */
import { randomBytes } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";

import { created, invalidated, updated, type NewEvent } from "@sennit/core";
import { eventually } from "@sennit/core/testing";
import { unpack } from "msgpackr";
import { afterEach, beforeEach, expect, test } from "vitest";

import { serve, type Served } from "./served-store.ts";

let served: Served;

beforeEach(async () => {
  served = await serve();
});

afterEach(() => served.close());

/** Records with so much in each that all of them do not fit into the buffers of a socket. */
async function fill({ store }: Served, records: number): Promise<void> {
  // What cannot be compressed.
  const text = () => randomBytes(6144).toString("base64");
  for (let start = 0; start < records; start += 500) {
    const events: NewEvent[] = Array.from({ length: 500 }, (_, index) =>
      created(`r-${start + index}`, { kind: "k", name: "n", attributes: { text: text() } }),
    );
    await store.append(events);
  }
}

/** A chain of records with ids and names as long as they may be, some of them updated, withdrawn and erased. */
async function fillChain({ store }: Served, records: number): Promise<string> {
  const idOf = (number: number) => `r-${number}-`.padEnd(500, "i");
  for (let start = 0; start < records; start += 500) {
    const events: NewEvent[] = Array.from({ length: 500 }, (_, index) => {
      const number = start + index;
      const derivedFrom = number === 0 ? [] : [{ recordId: idOf(number - 1), role: "before" }];
      const name = `${number} ü `.padEnd(900, "n");
      return created(idOf(number), { kind: `k${number % 3}`, name, derivedFrom });
    });
    await store.append(events);
  }
  const last = idOf(records - 1);
  await store.append([
    updated(idOf(7), { name: "renamed" }),
    invalidated(last, { cause: "wrong" }),
    created("top", { kind: "k", name: "top", derivedFrom: [{ recordId: last, version: 1 }] }),
  ]);
  await store.erase([`${idOf(9)}@1`], { cause: "asked" });
  return "top";
}

/** The first piece of an answer, and what its reading comes to. */
async function begin(url: string, init: RequestInit = {}) {
  const response = await fetch(url, init);
  const reader = response.body?.getReader();
  await reader?.read();
  const rest = async (): Promise<string> => {
    try {
      while ((await reader?.read())?.done === false);
      return "whole";
    } catch {
      return "cut";
    }
  };
  return { response, rest, cancel: () => reader?.cancel() };
}

test("a large answer of the present has no tag and no length, and is the same as a small one would be", async () => {
  await fill(served, 500);
  const response = await fetch(`${served.url}/v1/state`);
  expect([response.headers.has("etag"), response.headers.has("content-length")]).toEqual([
    false,
    false,
  ]);
  const { records } = (await response.json()) as { readonly records: readonly unknown[] };
  expect(records).toHaveLength(500);
  const head = await fetch(`${served.url}/v1/state`, { method: "HEAD" });
  expect([head.status, await head.text()]).toEqual([200, ""]);
});

test.each(["identity", "gzip"])(
  "a large answer in %s as of a fixed instant has a weak tag, and is not sent to who has it",
  async (encoding) => {
    await fill(served, 500);
    const url = `${served.url}/v1/state?as-of=500`;
    const ask = async (more: Readonly<Record<string, string>> = {}, path = url) => {
      const headers = { "accept-encoding": encoding, ...more };
      const response = await fetch(path, { headers });
      const { length } = await response.text();
      return { status: response.status, tag: response.headers.get("etag") ?? "", length };
    };
    const { tag, length } = await ask();
    expect(tag).toMatch(/^W\/"[\w-]{22,}"$/);
    expect(length).toBeGreaterThan(1024 * 1024);
    await served.store.append([created("later", { kind: "k", name: "n" })]);
    expect(await ask({ "if-none-match": tag })).toEqual({ status: 304, tag, length: 0 });
    expect((await ask({ "if-none-match": '"other"' })).status).toBe(200);
    const lines = await ask({ accept: "application/x-ndjson", "if-none-match": tag });
    expect([lines.status, lines.tag === tag]).toEqual([200, false]);
    const later = await ask({ "if-none-match": tag }, `${served.url}/v1/state?as-of=499`);
    expect(later.status).toBe(200);
  },
);

test.each(["identity", "gzip"])(
  "an answer in %s that fails on its way is cut",
  async (encoding) => {
    await fill(served, 6000);
    const { rest } = await begin(`${served.url}/v1/state`, {
      headers: { accept: "application/x-ndjson", "accept-encoding": encoding },
    });
    await served.store.close();
    expect(await rest()).toBe("cut");
  },
);

test("others are answered while a large answer is read slowly", async () => {
  await fill(served, 2000);
  const { rest } = await begin(`${served.url}/v1/records`, {
    headers: { accept: "application/x-ndjson" },
  });
  expect((await fetch(`${served.url}/v1/records/r-1`)).status).toBe(200);
  expect(await rest()).toBe("whole");
});

test("a large lineage is in every form what the reader gives", async () => {
  const ref = await fillChain(served, 1500);
  const answer = await served.store.lineage(ref);
  expect(answer.nodes).toHaveLength(1500);
  expect(answer.nodes.filter(({ isErased }) => isErased)).toHaveLength(1);
  const ask = (accept: string) =>
    fetch(`${served.url}/v1/records/${ref}/lineage`, { headers: { accept } });
  expect(await (await ask("application/json")).text()).toBe(JSON.stringify(answer));
  const packed = Buffer.from(await (await ask("application/vnd.msgpack")).arrayBuffer());
  expect(unpack(packed)).toEqual(answer);
  const lines = await (await ask("application/x-ndjson")).text();
  expect(lines).toBe(answer.nodes.map((node) => `${JSON.stringify(node)}\n`).join(""));
  const rows = await (await ask("text/csv")).text();
  expect(rows.trimEnd().split("\r\n")).toHaveLength(1501);
});

test("a large lineage is read as it is taken, and no further when the caller has gone", async () => {
  const ref = await fillChain(served, 12_000);
  let read = 0;
  const { state } = served.store.log;
  const createdName = state.createdName.bind(state);
  state.createdName = (position) => {
    read += 1;
    return createdName(position);
  };
  const { cancel } = await begin(`${served.url}/v1/records/${ref}/lineage`, {
    headers: { "accept-encoding": "identity" },
  });
  await cancel();
  await eventually(async () => {
    const before = read;
    await wait(50);
    expect(read).toBe(before);
  });
  expect(read).toBeGreaterThan(0);
  expect(read).toBeLessThan(12_000);
});

test("reading stops when the caller has gone", async () => {
  await fill(served, 6000);
  let read = 0;
  const { log } = served.store;
  const entry = log.state.entry.bind(log.state);
  log.state.entry = (position) => {
    read += 1;
    return entry(position);
  };
  const { cancel } = await begin(`${served.url}/v1/state`, {
    headers: { "accept-encoding": "identity" },
  });
  await cancel();
  await eventually(async () => {
    const before = read;
    await wait(50);
    expect(read).toBe(before);
  });
  expect(read).toBeLessThan(6000);
});
