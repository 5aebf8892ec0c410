/** Chunks that are read until somebody stops. */
import { memoryUsage } from "node:process";

import { expect, test } from "vitest";

import { until } from "./line-results.ts";

test("what has been read is let go, however long nobody stops", async () => {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let index = 0; index < 6000; index += 1) yield Buffer.alloc(64 * 1024, index);
  }
  const before = memoryUsage().rss;
  let bytes = 0;
  for await (const chunk of until(new AbortController().signal, chunks())) bytes += chunk.length;
  expect(bytes).toBe(6000 * 64 * 1024);
  expect(memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024);
});

test("a chunk that is waited for when somebody stops is not waited for any longer", async () => {
  const stop = new AbortController();
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("a");
    stop.abort();
    yield await new Promise<Uint8Array>(() => undefined);
  }
  const read: string[] = [];
  for await (const chunk of until(stop.signal, chunks())) read.push(String(chunk));
  expect(read).toEqual(["a"]);
});
