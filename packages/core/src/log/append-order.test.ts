/** What happens around an append: senders that change their objects, waits for the graph, listeners that throw. */
import { expect, test } from "vitest";

import { updated, type NewEvent } from "../event/event.ts";
import { openMemoryStore, openStoreOn } from "../open-store.ts";
import { openMemoryStorage } from "../storage/memory-storage.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { make, revise, withdraw } from "../testing/samples.ts";
import { codeOf } from "../testing/storage-contract.ts";

test("a list the sender changes after its append does not get into the next patch", async () => {
  const store = await openMemoryStore();
  const list = [1];
  await store.append([make("a")]);
  const first = store.append([updated("a", { attributes: { list } })]);
  list.push(999);
  const second = store.append([updated("a", { tags: { t: 1 } })]);
  await Promise.all([first, second]);
  expect((await store.record("a")).attributes).toEqual({ list: [1] });
  expect((await store.verify()).ok).toBe(true);
});

/** A store whose lineage graph has not been built yet. */
async function storeWithoutGraph() {
  const storage = openMemoryStorage();
  const first = await openStoreOn(storage);
  await first.append([make("a"), make("b", ["a"])]);
  return openStoreOn(storage);
}

test("what the sender changes while the graph is built is not stored", async () => {
  const store = await storeWithoutGraph();
  const event = withdraw("a") as { recordId: string; data: { cause: string } };
  const pending = store.append([event as unknown as NewEvent]);
  event.recordId = "b";
  event.data.cause = "";
  const { events } = await pending;
  expect(events[0]?.recordId).toBe("a");
  expect((await store.record("a")).invalidation?.cause).toBe("a is wrong");
});

test("appends sent while the graph is built keep the order of their calls", async () => {
  const store = await storeWithoutGraph();
  const results = await Promise.all([
    store.append([withdraw("a")]),
    store.append([revise("b", 1)]),
    store.append([withdraw("b")]),
  ]);
  const positions = results.map(({ events }) => events[0]?.position ?? 0);
  expect(positions).toEqual(positions.toSorted((a, b) => a - b));
});

test("an append given up while the graph is built stores nothing", async () => {
  const store = await storeWithoutGraph();
  const stop = new AbortController();
  const pending = codeOf(() => store.append([withdraw("a")], { signal: stop.signal }));
  stop.abort();
  expect(await pending).toBe("aborted");
  await store.append([make("c")]);
  expect((await store.record("a")).status).toBe("valid");
});

test("a time is resolved although appends never stop", async () => {
  const clock = new FakeClock("2026-03-02T10:00:00Z");
  const store = await openMemoryStore({ clock });
  const stop = new AbortController();
  let count = 0;
  const appenders = Array.from({ length: 8 }, async () => {
    while (!stop.signal.aborted) await store.append([make(`r${(count += 1)}`)]);
  });
  const { asOf } = await store.at({ time: "2026-03-02T10:00:00Z" });
  stop.abort();
  await Promise.all(appenders);
  expect(asOf).toBeGreaterThanOrEqual(0);
  expect((await store.at({ time: "2026-03-02T10:00:00Z" })).asOf).toBe(asOf);
});

test("a listener that throws does not keep events from being stored", async () => {
  const store = await openMemoryStore();
  const thrown: unknown[] = [];
  const before = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", (error) => thrown.push(error));
  try {
    store.log.onHead(() => {
      throw new Error("listener");
    });
    await store.append([make("a")]);
    await store.append([make("b")]);
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    process.removeAllListeners("uncaughtException");
    for (const listener of before) process.on("uncaughtException", listener);
  }
  expect(store.head).toBe(2);
  expect(thrown.map(String)).toEqual(["Error: listener", "Error: listener"]);
});

test("a batch of duplicates under a new key leaves the time of the last batch as it was", async () => {
  const clock = new FakeClock("2026-03-02T10:00:00Z");
  const store = await openMemoryStore({ clock });
  const event = make("a", [], { id: "0198c2f0-7c3a-7b1e-8f00-5d2a9c1b4e77" });
  await store.append([event]);
  const { recordedAtUs } = store.log;
  clock.advance(5_000_000);
  await store.append([event], { idempotencyKey: "again" });
  expect(store.log.recordedAtUs).toBe(recordedAtUs);
});
