/** The log contract: idempotent ids and keys, and the conditions a batch may be sent under. */
import { expect, test } from "vitest";

import type { ExpectedVersion } from "../event/event.ts";
import type { AppendOptions, AppendResult } from "../log/event-log.ts";
import type { LogUnderTest } from "./log-contract.ts";
import { derive, eventId, make, readAll, revise, withdraw } from "./samples.ts";
import { codeOf } from "./storage-contract.ts";

/** What must be equal between a first answer and a repeated one. */
function places({ events }: AppendResult): unknown {
  return events.map(({ status: _status, ...rest }) => rest);
}

export function declareIdempotencyTests(under: LogUnderTest): void {
  test("S4: the same event with the same id returns the first result and stores nothing", async () => {
    const batch = [
      make("a", [], { id: eventId(1) }),
      make("b", ["a", "ghost"], { id: eventId(2), unknownSources: "placeholder" }),
      revise("a", 1, { id: eventId(3) }),
      withdraw("a@1", { id: eventId(4) }),
    ];
    const first = await under.log().append(batch);
    await under.log().append([revise("a", 2)]);
    const head = under.log().head;
    await under.reopen();
    for (const again of [batch, batch.toReversed()]) {
      const second = await under.log().append(again);
      expect(second.events.map(({ status }) => status)).toEqual(again.map(() => "duplicate"));
      const inOrder = again === batch ? second : { ...second, events: second.events.toReversed() };
      expect(places(inOrder)).toEqual(places(first));
    }
    expect(first.events[1]?.placeholders).toHaveLength(1);
    expect(first.events[3]?.consequences).toHaveLength(1);
    expect(under.log().head).toBe(head);
  });

  test("S4: the same id with other content is refused, whatever differs", async () => {
    const first = make("a", [], { id: eventId(1), actor: "me" });
    await under.log().append([first]);
    for (const other of [
      make("b", [], { id: eventId(1), actor: "me" }),
      make("a", [], { id: eventId(1), actor: "you" }),
      make("a", [], { id: eventId(1) }),
      { ...first, occurredAt: "2026-03-02T09:58:00Z" },
      { ...first, correlationId: eventId(9) },
      revise("a", 1, { id: eventId(1), actor: "me" }),
    ]) {
      expect(await codeOf(() => under.log().append([other]))).toBe("event-id-reused");
    }
    expect(under.log().head).toBe(1);
  });

  test("S4: an event sent again without what the store filled in is the same event", async () => {
    await under.log().append([make("s"), make("a", ["s"], { id: eventId(1) }), revise("s", 1)]);
    const [, stored] = await readAll(under.log());
    expect(stored?.data).toMatchObject({ derivedFrom: [{ recordId: "s", version: 1 }] });
    const same = [make("a", ["s"], { id: eventId(1) }), make("a", ["s@1"], { id: eventId(1) })];
    const { events } = await under.log().append(same);
    expect(events.map(({ status }) => status)).toEqual(["duplicate", "duplicate"]);
    const other = make("a", ["s@2"], { id: eventId(1) });
    expect(await codeOf(() => under.log().append([other]))).toBe("event-id-reused");
  });

  test("S4: an id made by the store is taken like any other", async () => {
    const { events } = await under.log().append([make("a"), make("b", ["a"])]);
    const cascade = await under.log().append([withdraw("a")]);
    const id = events[0]?.eventId;
    const again = await under.log().append([make("a", [], { id })]);
    expect(again.events[0]).toMatchObject({ status: "duplicate", position: 1 });
    expect(await codeOf(() => under.log().append([make("c", [], { id })]))).toBe("event-id-reused");
    const [consequence] = cascade.events[0]?.consequences ?? [];
    const stolen = withdraw("b", { id: consequence?.id });
    expect(await codeOf(() => under.log().append([stolen]))).toBe("event-id-reused");
  });

  test("S4: an id twice in one batch, or in many at once, is stored once", async () => {
    const event = make("a", [], { id: eventId(1) });
    const { events } = await under.log().append([event, event]);
    expect(events.map(({ status, position }) => [status, position])).toEqual([
      ["stored", 1],
      ["duplicate", 1],
    ]);
    const results = await Promise.all(
      Array.from({ length: 8 }, () => under.log().append([make("b", [], { id: eventId(2) })])),
    );
    const statuses = results.map((result) => result.events[0]?.status);
    expect(statuses.filter((status) => status === "stored")).toHaveLength(1);
    expect(under.log().head).toBe(2);
  });

  test("S4: the id of a refused event is still free", async () => {
    expect(await codeOf(() => under.log().append([revise("a", 1, { id: eventId(1) })]))).toBe(
      "record-not-found",
    );
    const { events } = await under.log().append([make("a", [], { id: eventId(1) })]);
    expect(events[0]?.status).toBe("stored");
  });

  test("S4: a batch repeated under its idempotency key returns the first result", async () => {
    const options = { idempotencyKey: "key-1" };
    const batch = [
      make("a"),
      make("b", ["a", "ghost"], { unknownSources: "placeholder" }),
      withdraw("a"),
    ];
    const first = await under.log().append(batch, options);
    await under.reopen();
    const second = await under.log().append(batch, options);
    expect(second.events.map(({ status }) => status)).toEqual([
      "duplicate",
      "duplicate",
      "duplicate",
    ]);
    expect(places(second)).toEqual(places(first));
    expect(under.log().head).toBe(first.head);
  });

  test("S4: another batch under a known idempotency key is refused", async () => {
    const options = { idempotencyKey: "key-1" };
    await under.log().append([make("a")], options);
    for (const other of [[make("b")], [make("a"), make("b")], [make("a", [], { actor: "x" })]]) {
      expect(await codeOf(() => under.log().append(other, options))).toBe("idempotency-key-reused");
    }
    expect(under.log().head).toBe(1);
  });

  test("S4: a key is known from the moment its batch is taken", async () => {
    const options = { idempotencyKey: "key-1" };
    const results = await Promise.all(
      Array.from({ length: 5 }, () => under.log().append([make("a")], options)),
    );
    expect(results.map(({ events }) => events[0]?.position)).toEqual([1, 1, 1, 1, 1]);
    expect(under.log().head).toBe(1);
  });

  test("S4: a key stays known while its batch waits behind another write", async () => {
    await under.log().append([make("old", [], { id: eventId(1) })]);
    const old = make("old", [], { id: eventId(1) });
    const options = { idempotencyKey: "key-1" };
    const isSecond = under.log().append([make("x")]);
    // The next write begins in a microtask; what comes after it waits for the disk.
    await Promise.resolve();
    await Promise.resolve();
    const keyed = under.log().append([revise("old", 1), old], options);
    await isSecond;
    const again = under.log().append([revise("old", 1), old], options);
    expect(places(await again)).toEqual(places(await keyed));
    expect(under.log().head).toBe(3);
  });

  test("S4: the key of a refused batch is still free", async () => {
    const options = { idempotencyKey: "key-1" };
    expect(await codeOf(() => under.log().append([revise("a", 1)], options))).toBe(
      "record-not-found",
    );
    const { events } = await under.log().append([make("a")], options);
    expect(events[0]?.status).toBe("stored");
  });
}

export function declareConditionTests(under: LogUnderTest): void {
  const expectations: readonly (readonly [
    expected: ExpectedVersion,
    onNothing: string,
    onVersionTwo: string,
  ])[] = [
    ["any", "no error", "no error"],
    ["none", "no error", "version-conflict"],
    ["exists", "version-conflict", "no error"],
    [0, "no error", "version-conflict"],
    [1, "version-conflict", "version-conflict"],
    [2, "version-conflict", "no error"],
    [3, "version-conflict", "version-conflict"],
  ];
  test.each(expectations)("expectedVersion %s is checked", async (expected, onNothing, onTwo) => {
    await under.log().append([make("two"), revise("two", 1)]);
    const options = { expectedVersion: expected };
    expect(await codeOf(() => under.log().append([make("new", [], options)]))).toBe(onNothing);
    expect(await codeOf(() => under.log().append([revise("two", 2, options)]))).toBe(onTwo);
  });

  test("an expected version is that of the record after the events before in the batch", async () => {
    const { events } = await under
      .log()
      .append([make("a", [], { expectedVersion: "none" }), revise("a", 1, { expectedVersion: 1 })]);
    expect(events.map(({ version }) => version)).toEqual([1, 2]);
  });

  test("of many callers who expect the same version, one gets it", async () => {
    await under.log().append([make("a")]);
    const codes = await Promise.all(
      Array.from({ length: 16 }, (_, index) =>
        codeOf(() => under.log().append([revise("a", index, { expectedVersion: 1 })])),
      ),
    );
    expect(codes.filter((code) => code === "no error")).toHaveLength(1);
    expect(codes.filter((code) => code === "version-conflict")).toHaveLength(15);
  });

  test("expectedHead lets a batch in at that head only", async () => {
    await under.log().append([make("a")], { expectedHead: 0 });
    expect(await codeOf(() => under.log().append([make("b")], { expectedHead: 0 }))).toBe(
      "head-conflict",
    );
    expect(await codeOf(() => under.log().append([make("b")], { expectedHead: 2 }))).toBe(
      "head-conflict",
    );
    expect(await codeOf(() => under.log().append([make("b")], { expectedHead: 1 }))).toBe(
      "no error",
    );
  });

  const conditions: readonly (readonly [
    what: string,
    records: readonly { recordId: string; version?: number }[],
    code: string,
  ])[] = [
    ["nothing named", [], "no error"],
    ["an untouched record", [{ recordId: "still" }], "no error"],
    ["a record that is not there", [{ recordId: "nobody" }], "no error"],
    ["an updated record", [{ recordId: "updated" }], "condition-failed"],
    ["an updated record's version", [{ recordId: "updated", version: 1 }], "condition-failed"],
    ["a withdrawn record", [{ recordId: "withdrawn" }], "condition-failed"],
    ["a withdrawn version", [{ recordId: "withdrawn", version: 2 }], "condition-failed"],
    [
      "a version that another's withdrawal spares",
      [{ recordId: "withdrawn", version: 1 }],
      "no error",
    ],
    [
      "a version that carries withdrawn content",
      [{ recordId: "carried", version: 3 }],
      "condition-failed",
    ],
    ["a withdrawn record by cascade", [{ recordId: "fallen" }], "condition-failed"],
    ["a created record", [{ recordId: "created" }], "condition-failed"],
    [
      "one changed among others",
      [{ recordId: "still" }, { recordId: "updated" }],
      "condition-failed",
    ],
  ];
  test.each(conditions)("unchangedSince with %s is checked", async (_what, records, code) => {
    const before = [
      make("still"),
      make("updated"),
      make("withdrawn"),
      revise("withdrawn", 1),
      make("fallen", ["withdrawn@2"]),
      make("carried"),
      revise("carried", 1),
      withdraw("carried@1"),
    ];
    const { head } = await under.log().append(before);
    const after = [
      revise("updated", 1),
      withdraw("withdrawn@2"),
      withdraw("carried@2"),
      make("created"),
    ];
    await under.log().append(after);
    const since = (position: number): AppendOptions => ({ unchangedSince: { position, records } });
    expect(await codeOf(() => under.log().append([make("x")], since(head)))).toBe(code);
    const now = under.log().head;
    expect(await codeOf(() => under.log().append([make("y")], since(now)))).toBe("no error");
  });

  test("malformed append options are refused", async () => {
    const malformed: readonly unknown[] = [
      { expectedHead: -1 },
      { expectedHead: "1" },
      { idempotencyKey: "" },
      { idempotencyKey: "x".repeat(257) },
      { unchangedSince: { position: 0 } },
      { unchangedSince: { position: 0, records: [{ recordId: "" }] } },
      { unchangedSince: { position: 0, records: [null] } },
      { expectedhead: 1 },
    ];
    for (const options of malformed) {
      const call = () => under.log().append([make("a")], options as AppendOptions);
      expect(await codeOf(call)).toBe("argument-invalid");
    }
    expect(under.log().head).toBe(0);
  });

  test("a batch of duplicates alone is answered whatever the head", async () => {
    const event = make("a", [], { id: eventId(1) });
    const options = {
      expectedHead: 0,
      unchangedSince: { position: 0, records: [{ recordId: "a" }] },
    };
    await under.log().append([event], options);
    const { events } = await under.log().append([event], options);
    expect(events[0]?.status).toBe("duplicate");
    const more = [event, derive("a", [])];
    expect(await codeOf(() => under.log().append(more, options))).toBe("head-conflict");
  });
}
