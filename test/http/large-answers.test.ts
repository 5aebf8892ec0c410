/** Answers of any length: in pieces, without holding up others, cut when something fails, let go when the caller goes. */
import { randomBytes } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";

import { created, type NewEvent } from "@sennit/core";
import { eventually } from "@sennit/core/testing";
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
