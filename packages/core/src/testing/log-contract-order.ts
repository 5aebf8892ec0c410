/** The log contract: order, time, whole batches, immutability, reading. */
import { observeEvents } from "../log/subscribe.ts";
import { expect, test } from "vitest";

import { StoreError } from "../errors.ts";
import type { NewEvent } from "../event/event.ts";
import type { LogUnderTest } from "./log-contract.ts";
import { eventId, make, readAll, revise, withdraw } from "./samples.ts";
import { codeOf } from "./storage-contract.ts";

export function declareOrderTests(under: LogUnderTest): void {
  test("S1: positions run 1, 2, 3 without gaps, over batches, refusals and reopening", async () => {
    expect(under.log().head).toBe(0);
    await under.log().append([make("a"), make("b")]);
    expect(await codeOf(() => under.log().append([make("c"), make("a")]))).toBe(
      "record-already-exists",
    );
    await under.reopen();
    const { head, events } = await under.log().append([make("c", ["a"]), withdraw("a")]);
    expect(head).toBe(5);
    expect(under.log().head).toBe(5);
    expect(events.map(({ position, version }) => [position, version])).toEqual([
      [3, 1],
      [4, 2],
    ]);
    const read = await readAll(under.log());
    expect(read.map(({ position }) => position)).toEqual([1, 2, 3, 4, 5]);
  });

  test("S1: a batch has one time, later than the one before it even when the clock steps back", async () => {
    await under.log().append([make("a"), make("b")]);
    under.clock.advance(-3_600_000_000);
    await under.log().append([make("c", ["a"]), withdraw("a")]);
    await under.reopen();
    await under.log().append([make("d")]);
    under.clock.advance(7_200_000_000);
    await under.log().append([make("e")]);
    const times = (await readAll(under.log())).map(({ recordedAt }) => recordedAt);
    expect(times[0]).toBe(times[1]);
    expect(new Set(times.slice(2, 5)).size).toBe(1);
    expect(new Set(times).size).toBe(4);
    expect(times).toEqual(times.toSorted());
    expect(times.every((time) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(time))).toBe(true);
  });

  test("S1: 64 concurrent callers get positions without gaps and a later time for each batch", async () => {
    const callers = Array.from({ length: 64 }, async (_, caller) => {
      for (let turn = 0; turn < 5; turn += 1) {
        under.clock.advance(turn % 2 === 0 ? -1000 : 500);
        const batch = [make(`${caller}-${turn}-x`), make(`${caller}-${turn}-y`)];
        const { events } = await under.log().append(batch);
        expect((events[1]?.position ?? 0) - (events[0]?.position ?? 0)).toBe(1);
        expect(events[0]?.recordedAt).toBe(events[1]?.recordedAt);
        expect(under.log().head).toBeGreaterThanOrEqual(events[1]?.position ?? Infinity);
      }
    });
    await Promise.all(callers);
    const events = await readAll(under.log());
    expect(events.map(({ position }) => position)).toEqual(
      Array.from({ length: 640 }, (_, index) => index + 1),
    );
    const times = events.filter((_, index) => index % 2 === 0).map(({ recordedAt }) => recordedAt);
    expect(new Set(times).size).toBe(320);
    expect(times).toEqual(times.toSorted());
  });
}

export function declareAtomicityTests(under: LogUnderTest): void {
  const refused: readonly (readonly [code: string, event: NewEvent])[] = [
    ["record-already-exists", make("a")],
    ["record-not-found", revise("nobody", 1)],
    ["version-not-found", withdraw("a@9")],
    ["source-unknown", make("z", ["nobody"])],
    ["version-conflict", revise("a", 1, { expectedVersion: 9 })],
    ["event-invalid", { ...make("z"), actor: "" }],
    ["event-id-reused", make("z", [], { id: eventId(1) })],
    [
      "kind-immutable",
      { ...revise("a", 1), type: "record.updated", data: { patch: { kind: "other" } } },
    ],
  ];

  test.each(refused)(
    "S2: a batch with an event refused as %s stores nothing",
    async (code, bad) => {
      await under.log().append([make("a", [], { id: eventId(1) })]);
      for (const batch of [[bad], [bad, make("x")], [make("x"), withdraw("a"), bad]]) {
        expect(await codeOf(() => under.log().append(batch))).toBe(code);
      }
      expect(under.log().head).toBe(1);
      // What the refused batches began must be forgotten too: the same names are still free, and nothing is withdrawn.
      const { events } = await under.log().append([make("x", ["a"]), withdraw("a")]);
      expect(events.map(({ position }) => position)).toEqual([2, 3]);
      expect(events[1]?.consequences.map(({ recordId }) => recordId)).toEqual(["x"]);
      await under.reopen();
      expect(await readAll(under.log())).toHaveLength(4);
    },
  );

  test("S2: a refusal names the event by its place in the batch", async () => {
    const refusal = await under
      .log()
      .append([make("a"), make("b"), make("a")])
      .catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(StoreError);
    expect(refusal).toMatchObject({ code: "record-already-exists", details: { index: 2 } });
  });

  test("S2: an event sees what the events before it in its batch did", async () => {
    const { events } = await under
      .log()
      .append([make("a"), revise("a", 1), make("b", ["a"]), withdraw("a@2"), make("c", ["b"])]);
    expect(events.map(({ version }) => version)).toEqual([1, 2, 1, 3, 1]);
    expect(events[3]?.consequences.map(({ recordId }) => recordId)).toEqual(["b"]);
    expect(events[4]?.consequences.map(({ recordId }) => recordId)).toEqual(["c"]);
    const read = await readAll(under.log());
    expect(read[2]?.data).toMatchObject({ derivedFrom: [{ recordId: "a", version: 2 }] });
  });

  test("S2: the head moves over whole batches only", async () => {
    const heads = new Set<number>();
    const subscription = observeEvents(under.log()).subscribe(() => heads.add(under.log().head));
    await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        under.log().append([make(`${index}-x`), make(`${index}-y`), make(`${index}-z`)]),
      ),
    );
    subscription.unsubscribe();
    expect(under.log().head).toBe(90);
    expect([...heads].filter((head) => head % 3 !== 0)).toEqual([]);
  });

  test("S2: an empty batch and what is no batch are refused", async () => {
    expect(await codeOf(() => under.log().append([]))).toBe("event-invalid");
    expect(await codeOf(() => under.log().append({} as unknown as NewEvent[]))).toBe(
      "event-invalid",
    );
    expect(await codeOf(() => under.log().append([null as unknown as NewEvent]))).toBe(
      "event-invalid",
    );
  });

  test("S5: stored events read the same whatever is appended after them", async () => {
    await under.log().append([make("a"), make("b", ["a"])]);
    const before = await readAll(under.log());
    await under.log().append([revise("a", 1), withdraw("a@1"), revise("b", 2)]);
    await under.reopen();
    expect(await readAll(under.log(), { until: 2 })).toEqual(before);
  });

  test("S5: an event changed by its sender after append is stored as it was sent", async () => {
    const attributes = { value: 1 };
    const sent = {
      type: "record.created" as const,
      recordId: "a",
      data: { kind: "k", name: "n", attributes },
    };
    const pending = under.log().append([sent]);
    attributes.value = 2;
    await pending;
    const [event] = await readAll(under.log());
    expect(event?.data).toMatchObject({ attributes: { value: 1 } });
  });
}

export function declareReadTests(under: LogUnderTest): void {
  const positions = async (options: Parameters<typeof readAll>[1]): Promise<number[]> =>
    (await readAll(under.log(), options)).map(({ position }) => position);

  test("reads give ranges, limits and both directions", async () => {
    await under.log().append(["a", "b", "c", "d", "e"].map((id) => make(id)));
    expect(await positions({})).toEqual([1, 2, 3, 4, 5]);
    expect(await positions({ from: 3 })).toEqual([3, 4, 5]);
    expect(await positions({ from: 2, until: 4 })).toEqual([2, 3, 4]);
    expect(await positions({ from: 2, limit: 2 })).toEqual([2, 3]);
    expect(await positions({ limit: 0 })).toEqual([]);
    expect(await positions({ limit: 99 })).toEqual([1, 2, 3, 4, 5]);
    expect(await positions({ until: 99 })).toEqual([1, 2, 3, 4, 5]);
    expect(await positions({ from: 6 })).toEqual([]);
    expect(await positions({ from: 4, until: 2 })).toEqual([]);
    expect(await positions({ reverse: true })).toEqual([5, 4, 3, 2, 1]);
    expect(await positions({ reverse: true, limit: 2 })).toEqual([5, 4]);
    expect(await positions({ reverse: true, from: 3 })).toEqual([3, 2, 1]);
    expect(await positions({ reverse: true, until: 2 })).toEqual([2, 1]);
  });

  test("a read of an empty log is empty", async () => {
    expect(await positions({})).toEqual([]);
    expect(await positions({ reverse: true })).toEqual([]);
  });

  test("a read with a fired signal is aborted", async () => {
    await under.log().append([make("a")]);
    expect(await codeOf(() => positions({ signal: AbortSignal.abort() }))).toBe("aborted");
  });

  test("an append with a fired signal stores nothing", async () => {
    const call = () => under.log().append([make("a")], { signal: AbortSignal.abort() });
    expect(await codeOf(call)).toBe("aborted");
    expect(under.log().head).toBe(0);
  });

  test("long reads are whole", async () => {
    await under.log().append(Array.from({ length: 2500 }, (_, index) => make(`r-${index}`)));
    expect(await positions({})).toEqual(Array.from({ length: 2500 }, (_, index) => index + 1));
    expect(await positions({ reverse: true, limit: 1500 })).toEqual(
      Array.from({ length: 1500 }, (_, index) => 2500 - index),
    );
  });

  test("a recorded event holds what was sent, and its place, time and hash", async () => {
    const envelope = {
      id: eventId(1),
      actor: "beamline-7",
      occurredAt: "2026-03-02T09:58:00Z",
      causationId: eventId(8),
      correlationId: eventId(9),
    };
    const data = {
      kind: "dataset",
      name: "raw",
      tags: { loss: 0.5, ok: true, text: "" },
      uris: ["file:///a"],
      attributes: { nested: [null, { deep: 1e300 }], big: 2 ** 53 - 1, negative: -1.5 },
      artifacts: [
        {
          name: "f",
          uri: "file:///f",
          mediaType: "text/plain",
          sizeBytes: 0,
          sha256: "0".repeat(64),
        },
      ],
      onInvalidate: ["act"],
    };
    await under.log().append([{ ...envelope, type: "record.created", recordId: "ä/1", data }]);
    await under.reopen();
    const [event] = await readAll(under.log());
    const { hash, recordedAt, ...rest } = event ?? {};
    expect(rest).toEqual({
      ...envelope,
      type: "record.created",
      recordId: "ä/1",
      data,
      position: 1,
      version: 1,
    });
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(recordedAt).toMatch(/Z$/);
  });

  test("a closed log refuses appends, ends subscriptions, and can be closed again", async () => {
    await under.log().append([make("a")]);
    const ended = new Promise<string>((resolve) => {
      observeEvents(under.log()).subscribe({
        error: () => resolve("error"),
        complete: () => resolve("complete"),
      });
    });
    await under.log().close();
    await under.log().close();
    expect(await ended).toBe("complete");
    expect(await codeOf(() => under.log().append([make("b")]))).toBe("store-closed");
    expect(await codeOf(() => readAll(under.log()))).toBe("store-closed");
  });

  test("S3: close waits for what is being written, and what was acknowledged is there afterwards", async () => {
    const writes = Array.from({ length: 20 }, (_, index) =>
      under.log().append([make(`r-${index}`)]),
    );
    const closing = under.log().close();
    const results = await Promise.all(writes);
    await closing;
    expect(results.map(({ head }) => head)).toEqual(
      Array.from({ length: 20 }, (_, index) => index + 1),
    );
    expect(under.log().head).toBe(20);
  });
}
