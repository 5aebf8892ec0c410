/** When lines are stored: by batches, and soon when fewer come. */
import { setTimeout as sleep } from "node:timers/promises";

import { expect, test } from "vitest";

import { openMemoryStore } from "../open-store.ts";
import { ingest, type IngestOptions } from "./ingest.ts";

const line = (recordId: string) =>
  Buffer.from(
    `${JSON.stringify({ type: "record.created", recordId, data: { kind: "k", name: "n" } })}\n`,
  );

/** Sends a line every few milliseconds until the first is stored, or a batch has become full. @returns how many */
async function linesUntilStored(options: IngestOptions): Promise<number> {
  const store = await openMemoryStore();
  let sent = 0;
  async function* steadily(): AsyncGenerator<Uint8Array> {
    for (; sent < 1000 && store.head === 0; sent += 1) {
      yield line(`r${sent}`);
      await sleep(2);
    }
  }
  for await (const _ of ingest(store, steadily(), options)) continue;
  await store.close();
  return sent;
}

test("lines that come steadily, but slowly, do not wait for a batch to become full", async () => {
  expect(await linesUntilStored({ lingerMs: 100 })).toBeLessThan(1000);
});

test("without a time to linger they do, and all or nothing waits for the end", async () => {
  expect(await linesUntilStored({ batchEvents: 50 })).toBe(50);
  const store = await openMemoryStore();
  async function* withPause(): AsyncGenerator<Uint8Array> {
    yield line("a");
    await sleep(50);
    expect(store.head).toBe(0);
    yield line("b");
  }
  for await (const _ of ingest(store, withPause(), { atomic: true, lingerMs: 1 })) continue;
  expect(store.head).toBe(2);
  await store.close();
});
