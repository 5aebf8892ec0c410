/** The log contract: subscriptions see every event once, stored ones first, then live. */
import { observeEvents } from "../log/subscribe.ts";
import { concatMap, lastValueFrom, take, toArray } from "rxjs";
import { expect, test } from "vitest";

import type { LogUnderTest } from "./log-contract.ts";
import { make } from "./samples.ts";

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

export function declareSubscriptionTests(under: LogUnderTest): void {
  const positions = async (count: number, from?: number): Promise<number[]> => {
    const events = await lastValueFrom(
      observeEvents(under.log(), from).pipe(take(count), toArray()),
    );
    return events.map(({ position }) => position);
  };
  const appendMany = async (prefix: string, count: number): Promise<void> => {
    await Promise.all(
      Array.from({ length: count }, (_, index) => under.log().append([make(`${prefix}-${index}`)])),
    );
  };

  test("a subscription delivers what is stored, then what comes, without gap or duplicate", async () => {
    await appendMany("before", 50);
    const seen = positions(150);
    await appendMany("after", 100);
    expect(await seen).toEqual(upTo(150));
  });

  test("a subscription may start anywhere, also ahead of the head", async () => {
    await appendMany("before", 10);
    expect(await positions(3, 8)).toEqual([8, 9, 10]);
    const ahead = positions(2, 13);
    await appendMany("after", 4);
    expect(await ahead).toEqual([13, 14]);
  });

  test("a slow subscriber misses nothing while many append", async () => {
    const seen: number[] = [];
    const slow = lastValueFrom(
      observeEvents(under.log()).pipe(
        take(120),
        concatMap(async ({ position }) => {
          await new Promise((resolve) => setImmediate(resolve));
          seen.push(position);
        }),
      ),
    );
    for (let round = 0; round < 4; round += 1) await appendMany(`round-${round}`, 30);
    await slow;
    expect(seen).toEqual(upTo(120));
  });

  test("what is appended while a subscriber catches up follows without a gap", async () => {
    await under.log().append(Array.from({ length: 2000 }, (_, index) => make(`r-${index}`)));
    const seen = positions(2100);
    for (let index = 0; index < 100; index += 1) await under.log().append([make(`late-${index}`)]);
    expect(await seen).toEqual(upTo(2100));
  });

  test("several subscribers see the same, and one that leaves disturbs no other", async () => {
    const all = positions(60);
    const few = positions(5);
    const late = positions(41, 20);
    await appendMany("r", 60);
    expect(await all).toEqual(upTo(60));
    expect(await few).toEqual(upTo(5));
    expect(await late).toEqual(upTo(60).slice(19));
  });

  test("an event is delivered after it is durable: the head is never behind it", async () => {
    const behind: number[] = [];
    const subscription = observeEvents(under.log()).subscribe(({ position }) => {
      if (position > under.log().head) behind.push(position);
    });
    await appendMany("r", 40);
    subscription.unsubscribe();
    expect(behind).toEqual([]);
  });

  test("nothing is delivered after a subscriber has left", async () => {
    const seen: number[] = [];
    const subscription = observeEvents(under.log()).subscribe(({ position }) =>
      seen.push(position),
    );
    await appendMany("before", 5);
    await positions(5);
    subscription.unsubscribe();
    const count = seen.length;
    await appendMany("after", 5);
    await positions(10);
    expect(seen).toHaveLength(count);
  });

  test("a subscriber that is still catching up when the log closes is told the end", async () => {
    await under.log().append(Array.from({ length: 3000 }, (_, index) => make(`r-${index}`)));
    const started = new EventTarget();
    const beginning = new Promise((resolve) => {
      started.addEventListener("event", resolve, { once: true });
    });
    const ended = new Promise<string>((resolve) => {
      observeEvents(under.log()).subscribe({
        next: () => started.dispatchEvent(new Event("event")),
        error: () => resolve("error"),
        complete: () => resolve("complete"),
      });
    });
    await beginning;
    await under.log().close();
    expect(await ended).toBe("complete");
  });
}
