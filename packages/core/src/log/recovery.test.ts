/** The log after writes that fail: what callers are told, what is stored, and that it goes on by itself. */
import { setImmediate } from "node:timers/promises";

import { expect, test } from "vitest";

import { isStoreError } from "../errors.ts";
import { openStoreOn } from "../open-store.ts";
import type { EmbeddedStore } from "../store.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { FaultStorage, type WriteFate } from "../testing/fault-storage.ts";
import { derive, eventId, make, revise, withdraw } from "../testing/samples.ts";
import { codeOf } from "../testing/storage-contract.ts";

const fates: readonly WriteFate[] = ["lost", "stored"];

async function given(): Promise<{ storage: FaultStorage; store: EmbeddedStore }> {
  const storage = new FaultStorage();
  const store = await openStoreOn(storage, { clock: new FakeClock("2026-03-02T10:00:00Z", 10) });
  await store.append([make("a"), make("b", ["a"])]);
  return { storage, store };
}

async function failureOf(call: Promise<unknown>): Promise<unknown> {
  const error: unknown = await call.then(
    () => "no error",
    (reason: unknown) => reason,
  );
  return isStoreError(error) ? [error.code, error.details["stored"]] : error;
}

async function idsOf(store: EmbeddedStore): Promise<string[]> {
  const ids: string[] = [];
  for await (const event of store.events()) ids.push(event.recordId);
  return ids;
}

test("S3: a write that failed and is lost is refused, and the same store takes the next one", async () => {
  const { storage, store } = await given();
  storage.failWrite(1, "lost");
  expect(await failureOf(store.append([make("c")]))).toEqual(["write-failed", false]);
  expect(store.status.state).toBe("ready");
  expect(await codeOf(() => store.record("c"))).toBe("record-not-found");
  expect((await store.append([make("c")])).head).toBe(3);
  expect(await store.verify()).toMatchObject({ ok: true, events: 3, records: 3 });
  await store.close();
});

test("S3: a write that failed and is stored all the same is acknowledged", async () => {
  const { storage, store } = await given();
  storage.failWrite(1, "stored");
  expect((await store.append([make("c")])).head).toBe(3);
  expect((await store.append([make("d", ["c"])])).head).toBe(4);
  expect(await store.verify()).toMatchObject({ ok: true, events: 4 });
  await store.close();
});

test.each(fates)(
  "on a full disk reads go on, and appends as soon as there is space: %s",
  async (fate) => {
    const { storage, store } = await given();
    const before = await store.at();
    storage.fill(fate);
    const batch = [make("c", ["b"], { id: eventId(1) }), revise("a", 1, { id: eventId(2) })];
    expect(await codeOf(() => store.append(batch))).toBe("outcome-unknown");
    expect(await failureOf(store.append([make("d")]))).toEqual(["disk-full", false]);
    expect(store.status).toMatchObject({
      state: "not-writable",
      reason: { code: "disk-full", category: "unavailable" },
    });
    expect(store.damage).toBeUndefined();
    expect(store.head).toBe(2);
    expect((await before.record("b")).id).toBe("b");
    expect(await idsOf(store)).toEqual(["a", "b"]);
    expect((await store.lineage("a", { direction: "descendants" })).nodes).toHaveLength(1);
    storage.free();
    const { events } = await store.append(batch);
    const status = fate === "stored" ? "duplicate" : "stored";
    expect(events).toMatchObject([
      { status, position: 3 },
      { status, position: 4 },
    ]);
    expect(store.status.state).toBe("ready");
    expect(await idsOf(store)).toEqual(["a", "b", "c", "a"]);
    expect((await store.lineage("a@1", { direction: "descendants" })).nodes).toHaveLength(2);
    expect(await store.verify()).toMatchObject({ ok: true, events: 4, records: 3 });
    await store.close();
  },
);

test("recovering can be asked for without an append, and says why it cannot be", async () => {
  const { storage, store } = await given();
  storage.fill();
  expect(await codeOf(() => store.append([make("c")]))).toBe("outcome-unknown");
  expect(await codeOf(() => store.recover())).toBe("disk-full");
  storage.free();
  await store.recover();
  expect(store.status.state).toBe("ready");
  await store.close();
});

test("callers whose batches wait behind a failed write are told that nothing of theirs is stored", async () => {
  const { storage, store } = await given();
  storage.fill("stored");
  const first = store.append([make("c", [], { id: eventId(1) })]);
  await setImmediate();
  const same = [make("d", ["c"], { id: eventId(2) })];
  const waiting = [store.append(same), store.append([derive("b", ["c"])])];
  const outcomes = await Promise.all([first, ...waiting].map(failureOf));
  expect(outcomes).toEqual([
    ["outcome-unknown", undefined],
    ["disk-full", false],
    ["disk-full", false],
  ]);
  storage.free();
  const again = await Promise.all([store.append(same), store.append([derive("b", ["d"])])]);
  expect(again.map(({ head }) => head)).toEqual([4, 5]);
  expect(await idsOf(store)).toEqual(["a", "b", "c", "d", "b"]);
  expect(await store.verify()).toMatchObject({ ok: true, events: 5 });
  await store.close();
});

test("appends sent while the log recovers wait for it, in the order of their calls", async () => {
  const { storage, store } = await given();
  storage.failWrite(1, "lost");
  const failed = failureOf(store.append([make("c")]));
  while (store.status.state === "ready") await setImmediate();
  const event = { ...make("d") };
  const sent = [store.append([event]), store.append([make("e", ["d"])])];
  Object.assign(event, { recordId: "changed" });
  expect((await Promise.all(sent)).map(({ head }) => head)).toEqual([3, 4]);
  expect(await failed).toEqual(["write-failed", false]);
  expect(await idsOf(store)).toEqual(["a", "b", "d", "e"]);
  await store.close();
});

test.each(fates)("a key alone on a failed write is known when it is stored: %s", async (fate) => {
  const { storage, store } = await given();
  const known = [make("c", [], { id: eventId(1) })];
  await store.append(known);
  storage.failWrite(1, fate);
  const outcome = await failureOf(store.append(known, { idempotencyKey: "k" }));
  const other = await codeOf(() => store.append([make("d")], { idempotencyKey: "k" }));
  if (fate === "lost") expect([outcome, other]).toEqual([["write-failed", false], "no error"]);
  else expect([outcome, other]).toEqual(["no error", "idempotency-key-reused"]);
  await store.close();
});

test("closing during a failure closes, and every caller gets an answer", async () => {
  const { storage, store } = await given();
  storage.fill();
  const appends = [store.append([make("c")]), store.append([make("d")])].map(failureOf);
  await setImmediate();
  const late = failureOf(store.append([make("e")]));
  await store.close();
  expect(await Promise.all(appends)).toEqual([
    ["outcome-unknown", undefined],
    ["outcome-unknown", undefined],
  ]);
  expect(await late).toEqual(["disk-full", false]);
  expect(await codeOf(() => store.append([make("f")]))).toBe("store-closed");
});

test("as of a time at which a write may have been stored nothing is answered before that is known", async () => {
  const { storage, store } = await given();
  const [first] = (await store.history("a")).events;
  storage.fill("stored");
  const append = failureOf(store.append([make("c")]));
  const present = "2026-03-02T10:00:00.000050Z";
  while (store.log.nowUs() < 1_772_445_600_000_200) await setImmediate();
  expect(await append).toEqual(["outcome-unknown", undefined]);
  expect((await store.at({ time: first?.recordedAt ?? "" })).asOf).toBe(2);
  expect(await codeOf(() => store.at({ time: present }))).toBe("disk-full");
  storage.free();
  expect((await store.at({ time: present })).asOf).toBe(3);
  expect((await store.record("c")).id).toBe("c");
  await store.close();
});

test("a subscriber sees what a failed write has stored, once and in order", async () => {
  const { storage, store } = await given();
  const seen: string[] = [];
  store.events$().subscribe((event) => seen.push(event.recordId));
  storage.fill("stored");
  expect(await codeOf(() => store.append([make("c"), make("d")]))).toBe("outcome-unknown");
  expect(await codeOf(() => store.append([make("e")]))).toBe("disk-full");
  storage.free();
  await store.append([make("e")]);
  await store.close();
  expect(seen).toEqual(["a", "b", "c", "d", "e"]);
});

test("reads wait for the moment in which the storage is shut", async () => {
  const { storage, store } = await given();
  storage.failWrite(1, "lost");
  const failed = failureOf(store.append([withdraw("a")]));
  const answers: string[] = [];
  while (store.log.readable() === undefined) await setImmediate();
  expect(await codeOf(() => store.log.state.entry(1))).toBe("store-reopening");
  answers.push((await store.record("a")).id, ...(await idsOf(store)));
  expect(answers).toEqual(["a", "a", "b"]);
  expect(await failed).toEqual(["write-failed", false]);
  expect((await store.record("a")).status).toBe("valid");
  expect((await store.append([withdraw("a")])).head).toBe(4);
  await store.close();
});
