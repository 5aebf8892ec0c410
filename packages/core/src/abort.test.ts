/** Stopping on request while something is waited for. */
import { expect, test } from "vitest";

import { throwIfAborted, untilAborted } from "./abort.ts";
import { openMemoryStore } from "./open-store.ts";
import { make } from "./testing/samples.ts";
import { codeOf } from "./testing/storage-contract.ts";

test("waiting ends when the signal fires, and what was waited for goes on", async () => {
  const stop = new AbortController();
  let finish: (value: string) => void = () => undefined;
  const work = new Promise<string>((resolve) => {
    finish = resolve;
  });
  const waiting = codeOf(() => untilAborted(work, stop.signal));
  stop.abort();
  expect(await waiting).toBe("aborted");
  finish("done");
  expect(await work).toBe("done");
});

test("without a signal, or with one that never fires, the promise decides", async () => {
  expect(await untilAborted(Promise.resolve(1), undefined)).toBe(1);
  expect(await untilAborted(Promise.resolve(2), new AbortController().signal)).toBe(2);
  await expect(untilAborted(Promise.reject(new Error("no")), undefined)).rejects.toThrow("no");
  expect(await codeOf(async () => throwIfAborted(AbortSignal.abort()))).toBe("aborted");
});

test("an append given up after it was decided is stored all the same", async () => {
  const store = await openMemoryStore();
  const stop = new AbortController();
  const append = codeOf(() => store.append([make("a")], { signal: stop.signal }));
  stop.abort();
  expect(await append).toBe("aborted");
  await store.append([make("b")]);
  expect((await store.record("a")).position).toBe(1);
});
