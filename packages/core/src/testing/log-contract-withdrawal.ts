/** The log contract: withdrawal, late edges, unknown sources, and random histories against the oracle. */
import * as fc from "fast-check";
import { expect, test } from "vitest";

import type { NewEvent } from "../event/event.ts";
import { EventPlanner, histories } from "./arbitraries.ts";
import { appendToBoth } from "./compare.ts";
import { FakeClock } from "./fake-clock.ts";
import type { LogUnderTest, OpenedLog } from "./log-contract.ts";
import { Oracle } from "./oracle.ts";
import { derive, eventId, make, readAll, revise, withdraw, withdrawals } from "./samples.ts";
import { propertySettings } from "./settings.ts";
import { codeOf } from "./storage-contract.ts";

export function declareWithdrawalTests(under: LogUnderTest): void {
  /** Appends a history, then an event, and gives that event's consequences in one line each. */
  const consequences = async (history: readonly NewEvent[], event: NewEvent): Promise<string[]> => {
    await under.log().append(history);
    const { events } = await under.log().append([event]);
    return withdrawals(events[0]?.consequences ?? []);
  };

  test("S7: everything derived falls with its source, transitively, nearest first", async () => {
    const history = [make("a"), make("b", ["a"]), make("c", ["b"]), make("d", ["c"]), make("x")];
    expect(await consequences(history, withdraw("a"))).toEqual([
      "b 1-1 via a@1",
      "c 1-1 via b@1",
      "d 1-1 via c@1",
    ]);
  });

  test("S7: consequences follow their event in the same batch and name root, cause and actor", async () => {
    await under.log().append([make("a"), make("b", ["a"])]);
    const root = withdraw("a", { id: eventId(1), actor: "me" });
    const { head, events } = await under.log().append([root, make("z")]);
    expect(head).toBe(5);
    expect(events.map(({ position }) => position)).toEqual([3, 5]);
    const [, , first, fallen] = await readAll(under.log());
    expect(events[0]?.consequences).toEqual([fallen]);
    expect(fallen).toMatchObject({
      position: 4,
      version: 2,
      recordId: "b",
      actor: "me",
      causationId: eventId(1),
      recordedAt: first?.recordedAt,
      data: {
        cause: "a is wrong",
        root: { eventId: eventId(1), recordId: "a" },
        via: { recordId: "a", version: 1 },
      },
    });
    expect(first?.data).toEqual({ cause: "a is wrong", versions: { from: 1, to: 1 } });
  });

  test("S7: a diamond falls once", async () => {
    const history = [make("a"), make("b", ["a"]), make("c", ["a"]), make("d", ["b", "c"])];
    const fallen = await consequences(history, withdraw("a"));
    expect(fallen.toSorted()).toEqual(["b 1-1 via a@1", "c 1-1 via a@1", "d 1-1 via b@1"]);
  });

  test("S7: siblings fall oldest first", async () => {
    const history = [make("a"), make("b", ["a"]), make("c", ["a"]), make("d", ["b", "c"])];
    expect(await consequences(history, withdraw("a"))).toEqual([
      "b 1-1 via a@1",
      "c 1-1 via a@1",
      "d 1-1 via b@1",
    ]);
  });

  test("S7: the walk passes through versions that are withdrawn already", async () => {
    const history = [
      make("a"),
      make("b", ["a"]),
      make("c", ["b"]),
      withdraw("b", { cascade: false }),
    ];
    expect(await consequences(history, withdraw("a"))).toEqual(["c 1-1 via b@1"]);
  });

  test("S7: retraining in a cycle between records ends", async () => {
    const history = [make("a"), make("b", ["a"]), derive("a", ["b"]), derive("b", ["a"])];
    expect(await consequences(history, withdraw("a@1"))).toEqual([
      "b 1-2 via a@1",
      "a 2-2 via b@1",
    ]);
  });

  test("S7: a revision is not a derivation", async () => {
    const history = [make("a"), revise("a", 1), make("b", ["a@2"])];
    expect(await consequences(history, withdraw("a@1"))).toEqual([]);
  });

  test("S7: a version that names an earlier one of its own record falls with it", async () => {
    const history = [make("a"), derive("a", ["a@1"]), make("b", ["a@2"])];
    expect(await consequences(history, withdraw("a@1"))).toEqual([
      "a 2-2 via a@1",
      "b 1-1 via a@2",
    ]);
  });

  test("S7: sources carry over to later versions until an update names others", async () => {
    const history = [
      make("a"),
      make("b", ["a"]),
      revise("b", 1),
      derive("b", []),
      revise("b", 2),
      derive("b", ["a"]),
    ];
    expect(await consequences(history, withdraw("a"))).toEqual(["b 1-2 via a@1", "b 5-5 via a@1"]);
  });

  test("S7: a withdrawal may name one version, or one and all later ones", async () => {
    const history = [make("a"), revise("a", 1), revise("a", 2)];
    await under.log().append(history);
    await under.log().append([make("x", ["a@1"]), make("y", ["a@2"]), make("z", ["a@3"])]);
    const one = await under.log().append([withdraw("a@1")]);
    expect(withdrawals(one.events[0]?.consequences ?? [])).toEqual(["x 1-1 via a@1"]);
    const later = await under.log().append([withdraw("a@2+")]);
    expect(withdrawals(later.events[0]?.consequences ?? [])).toEqual([
      "y 1-1 via a@2",
      "z 1-1 via a@3",
    ]);
  });

  test("S7: without cascade the record falls alone, and a second withdrawal takes the rest", async () => {
    const history = [make("a"), make("b", ["a"])];
    expect(await consequences(history, withdraw("a", { cascade: false }))).toEqual([]);
    const { events } = await under.log().append([withdraw("a"), withdraw("a")]);
    expect(events.map(({ version }) => version)).toEqual([3, 4]);
    expect(withdrawals(events[0]?.consequences ?? [])).toEqual(["b 1-1 via a@1"]);
    expect(events[1]?.consequences).toEqual([]);
  });

  test("S7: a version that an invalidation made stands for the content it carries", async () => {
    const history = [
      make("a"),
      revise("a", 1),
      withdraw("a@1"),
      make("b", ["a@3"]),
      make("c", ["a@2"]),
    ];
    expect(await consequences(history, withdraw("a@3"))).toEqual([
      "b 1-1 via a@3",
      "c 1-1 via a@2",
    ]);
    const events = await readAll(under.log());
    expect(withdrawals(events)[1]).toBe("a 2-3");
  });

  test("S7: what was restored stays valid when an earlier version falls", async () => {
    const document = { kind: "thing", name: "b" };
    const restored: NewEvent = {
      type: "record.updated",
      recordId: "b",
      data: { document, restores: 1 },
    };
    const rests: NewEvent = {
      type: "record.updated",
      recordId: "b",
      data: { patch: { derivedFrom: [{ recordId: "a" }] } },
    };
    const history = [make("a"), make("b"), rests, restored];
    expect(await consequences(history, withdraw("a"))).toEqual(["b 2-2 via a@1"]);
  });

  test("S8: a late edge is taken and falls at once, for the reason its source fell", async () => {
    await under.log().append([make("r"), make("s", ["r"]), withdraw("r", { id: eventId(1) })]);
    const { events } = await under.log().append([make("late", ["s@1"], { actor: "me" })]);
    const [fallen] = events[0]?.consequences ?? [];
    expect(fallen).toMatchObject({
      recordId: "late",
      version: 2,
      actor: "me",
      causationId: events[0]?.eventId,
      data: {
        cause: "r is wrong",
        versions: { from: 1, to: 1 },
        root: { eventId: eventId(1), recordId: "r" },
        via: { recordId: "s", version: 1 },
      },
    });
  });

  test("S8: allowInvalidSources keeps the new version valid", async () => {
    const history = [make("s"), withdraw("s")];
    const event = make("late", ["s"], { allowInvalidSources: true });
    expect(await consequences(history, event)).toEqual([]);
  });

  test("S8: an update whose carried sources are withdrawn falls alone", async () => {
    const history = [make("s"), make("b", ["s"]), withdraw("s")];
    expect(await consequences(history, revise("b", 1))).toEqual(["b 3-3 via s@1"]);
    const { events } = await under.log().append([derive("b", [])]);
    expect(events[0]?.consequences).toEqual([]);
  });

  test("S8: a pin of the version an invalidation made rests on the withdrawn content", async () => {
    expect(await consequences([make("s"), withdraw("s")], make("late", ["s@2"]))).toEqual([
      "late 1-1 via s@2",
    ]);
  });

  test("S8: a source withdrawn and then revised is a good source again", async () => {
    const history = [make("s"), withdraw("s"), revise("s", 1)];
    expect(await consequences(history, make("late", ["s"]))).toEqual([]);
  });

  test("S9: an unknown record or version is refused as a source", async () => {
    await under.log().append([make("a")]);
    for (const from of ["nobody", "nobody@1", "a@2"]) {
      expect(await codeOf(() => under.log().append([make("b", [from])]))).toBe("source-unknown");
    }
    expect(await codeOf(() => under.log().append([make("b", ["b"])]))).toBe("source-unknown");
    expect(await codeOf(() => under.log().append([derive("a", ["a@2"])]))).toBe("source-unknown");
  });

  test("S9: a placeholder stands before its event, named by its id, and only for version 1", async () => {
    const asksPlaceholders = { unknownSources: "placeholder", actor: "importer" } as const;
    const { events } = await under.log().append([make("a", ["p", "q@1"], asksPlaceholders)]);
    expect(events[0]?.position).toBe(3);
    expect(events[0]?.placeholders).toEqual(await readAll(under.log(), { until: 2 }));
    expect(events[0]?.placeholders[0]).toMatchObject({
      recordId: "p",
      actor: "importer",
      data: { kind: "unknown", name: "p" },
    });
    for (const from of ["r@2", "p@2"]) {
      expect(await codeOf(() => under.log().append([make("b", [from], asksPlaceholders)]))).toBe(
        "source-unknown",
      );
    }
    expect(under.log().head).toBe(3);
  });

  test("S9: a creation fills a placeholder in as its next version, once", async () => {
    await under.log().append([make("a", ["p"], { unknownSources: "placeholder" })]);
    const { events } = await under.log().append([make("p")]);
    expect(events[0]).toMatchObject({ version: 2, consequences: [] });
    expect(await codeOf(() => under.log().append([make("p")]))).toBe("record-already-exists");
  });
}

/** Random histories need a new log for each run, so these tests open their own. */
export function declareHistoryTests(open: (clock: FakeClock) => Promise<OpenedLog>): void {
  test("S7-S9: random histories are taken, refused and continued as the oracle predicts", async () => {
    expect.hasAssertions();
    await fc.assert(
      fc.asyncProperty(histories(8), async (steps) => {
        const opened = await open(new FakeClock("2026-03-02T10:00:00Z", -1));
        const oracle = new Oracle();
        const planner = new EventPlanner();
        let { log } = opened;
        for (const step of steps) {
          if (step.type === "batch") {
            const target = { append: log.append.bind(log), events: log.read.bind(log) };
            const batch = planner.plan(step.drafts, oracle);
            await appendToBoth(target, oracle, batch);
            expect(log.head).toBe(oracle.head);
          } else {
            log = (await opened.reopen?.()) ?? log;
          }
        }
        await log.close();
        await opened.remove();
      }),
      propertySettings(15),
    );
  });
}
