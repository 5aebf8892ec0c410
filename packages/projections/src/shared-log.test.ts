/** Readers share what is read of the log, and none gets what was erased before it began. */
import { join } from "node:path";

import { created, openStore, type EmbeddedStore, type RecordedEvent } from "@sennit/core";
import { withTemporaryDirectory } from "@sennit/core/testing";
import { expect, test } from "vitest";

import { SharedLog } from "./shared-log.ts";
import { creations } from "./testing/tally.ts";

const secret = "Marie Curie";
const { signal } = new AbortController();

async function withStore(use: (store: EmbeddedStore) => Promise<void>): Promise<void> {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(join(directory, "store"));
    await use(store);
    await store.close();
  });
}

async function textOf(chunks: AsyncIterable<Iterable<RecordedEvent>>): Promise<string> {
  const events: RecordedEvent[] = [];
  for await (const chunk of chunks) events.push(...chunk);
  return JSON.stringify(events);
}

test("a chunk kept since before an erasure is for nobody who begins after it", async () => {
  await withStore(async (store) => {
    await store.append([created("scan", { kind: "dataset", name: secret })]);
    const log = new SharedLog(store, false);
    const early = [1, 2].map(() => log.read({ from: 1, until: 1, begunAt: 1 }, signal));
    await Promise.all(early.map((chunks) => chunks.next()));
    await store.erase(["scan@1"], { cause: "asked for" });
    const { head } = store;
    expect(await textOf(log.read({ from: 1, until: head, begunAt: 1 }, signal))).toContain(secret);
    const late = await textOf(log.read({ from: 1, until: head, begunAt: head }, signal));
    expect(late).toContain("scan");
    expect(late).not.toContain(secret);
    await Promise.all(early.map((chunks) => chunks.return(undefined)));
  });
});

test("of two passes that come to the same position none stays open", async () => {
  await withStore(async (store) => {
    await store.append(creations(10));
    const { log } = store;
    const readStoredEntries = log.readStoredEntries.bind(log);
    let open = 0;
    log.readStoredEntries = async function* counted(options) {
      open += 1;
      try {
        yield* readStoredEntries(options);
      } finally {
        open -= 1;
      }
    };
    const shared = new SharedLog(store, false);
    const readers = [1, 2].map((from) => shared.read({ from, until: 10, begunAt: 0 }, signal));
    await Promise.all(readers.map((chunks) => chunks.next()));
    expect(open).toBe(1);
    await Promise.all(readers.map((chunks) => chunks.return(undefined)));
    expect(open).toBe(0);
  });
});
