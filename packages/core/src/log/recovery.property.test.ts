/** Random histories on a storage that fails at random, against the oracle: nothing acknowledged is lost, nothing is doubled. */
import { setImmediate } from "node:timers/promises";

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { isStoreError } from "../errors.ts";
import type { NewEvent } from "../event/event.ts";
import { openStoreOn } from "../open-store.ts";
import type { EmbeddedStore } from "../store.ts";
import { EventPlanner, histories } from "../testing/arbitraries.ts";
import { appendToBoth, compareAt, type ComparedStore } from "../testing/compare.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { FaultStorage, type WriteFate } from "../testing/fault-storage.ts";
import { Oracle } from "../testing/oracle.ts";
import { eventId } from "../testing/samples.ts";
import { propertySettings } from "../testing/settings.ts";
import type { AppendResult } from "./event-log.ts";

type Fault = "none" | "fails" | "full" | "crash" | "power cut";

const faults = fc.record({
  type: fc.constantFrom<Fault>("none", "fails", "full", "crash", "power cut"),
  fate: fc.constantFrom<WriteFate>("lost", "stored"),
  turns: fc.nat(4),
});

/** A store whose appends are sent again until the storage has taken them. */
class StubbornStore {
  #storage: FaultStorage;
  store: EmbeddedStore;
  /** Outcomes met, to see that the test meets them at all. */
  readonly met = new Set<string>();
  readonly #clock = new FakeClock("2026-03-02T10:00:00Z", 1000);

  constructor(storage: FaultStorage, store: EmbeddedStore) {
    this.#storage = storage;
    this.store = store;
  }

  static async open(seed: number): Promise<StubbornStore> {
    const storage = new FaultStorage(undefined, seed);
    return new StubbornStore(storage, await openStoreOn(storage));
  }

  /** Sends a batch into a fault, then again. @returns the answer as if it had been stored by this call */
  async append(
    batch: readonly NewEvent[],
    fault: { readonly type: Fault; readonly fate: WriteFate; readonly turns: number },
    statuses: readonly ("stored" | "duplicate")[],
  ): Promise<AppendResult> {
    const acknowledged = this.store.head;
    if (fault.type === "fails") this.#storage.failWrite(1, fault.fate);
    if (fault.type === "full") this.#storage.fill(fault.fate);
    const first = this.store.append(batch);
    if (fault.type === "crash" || fault.type === "power cut") {
      first.catch(() => undefined);
      await this.#crash(fault.type === "crash", fault.turns, acknowledged);
    } else {
      const answer = await this.#answer(first);
      if (answer !== undefined) return answer;
    }
    this.#storage.free();
    const again = await this.store.append(batch);
    const events = again.events.map((event, index) => ({
      ...event,
      status: statuses[index] ?? event.status,
    }));
    return { ...again, events };
  }

  /** Undefined when the batch is to be sent again. */
  async #answer(first: Promise<AppendResult>): Promise<AppendResult | undefined> {
    try {
      return await first;
    } catch (error) {
      if (!isStoreError(error)) throw error;
      this.met.add(error.code);
      if (error.category !== "unavailable") throw error;
      if (error.code === "outcome-unknown") return undefined;
      expect(error.details["stored"]).toBe(false);
      return undefined;
    }
  }

  async #crash(keepsUnsynced: boolean, turns: number, acknowledged: number): Promise<void> {
    for (let turn = 0; turn < turns; turn += 1) await setImmediate();
    const { head } = this.store;
    this.#storage = await this.#storage.crash(keepsUnsynced);
    this.store = await openStoreOn(this.#storage, { clock: this.#clock });
    expect(this.store.damage).toBeUndefined();
    expect(this.store.head).toBeGreaterThanOrEqual(Math.max(head, acknowledged));
    this.met.add("crash");
  }
}

const met = new Set<string>();

test("with writes that fail, full disks and power cuts a store gives the oracle's answers, each event once", async () => {
  let number = 0;
  const withIds = (batch: readonly NewEvent[]): NewEvent[] =>
    batch.map((event) => ({ ...event, id: event.id ?? eventId(1_000_000 + (number += 1)) }));
  await fc.assert(
    fc.asyncProperty(
      histories(),
      fc.array(faults, { minLength: 40, maxLength: 40 }),
      fc.integer(),
      async (steps, planned, seed) => {
        const oracle = new Oracle();
        const planner = new EventPlanner();
        const stubborn = await StubbornStore.open(seed);
        for (const [index, step] of steps.entries()) {
          if (step.type !== "batch") continue;
          const fault = planned[index % planned.length] ?? { type: "none", fate: "lost", turns: 0 };
          const batch = withIds(planner.plan(step.drafts, oracle));
          const outcome = oracle.fork().append(batch);
          const statuses =
            outcome.code === null ? outcome.appended.map(({ status }) => status) : [];
          const compared: Pick<ComparedStore, "append" | "events"> = {
            append: (events) => stubborn.append(events, fault, statuses),
            events: (options) => stubborn.store.events(options),
          };
          await appendToBoth(compared, oracle, batch);
          expect(stubborn.store.head).toBe(oracle.head);
          await compareAt(stubborn.store, oracle, oracle.head);
        }
        const { store } = stubborn;
        expect(await store.verify()).toMatchObject({ ok: true, events: oracle.head });
        await store.close();
        for (const code of stubborn.met) met.add(code);
      },
    ),
    propertySettings(40),
  );
  expect([...met]).toEqual(expect.arrayContaining(["outcome-unknown", "write-failed", "crash"]));
});
