/** What every `EventLog` must do, as tests that run against any implementation. */
import { afterEach, beforeEach, describe } from "vitest";

import type { EventLog } from "../log/event-log.ts";
import { declareConditionTests, declareIdempotencyTests } from "./log-contract-conditions.ts";
import {
  declareAtomicityTests,
  declareOrderTests,
  declareReadTests,
} from "./log-contract-order.ts";
import { declareSubscriptionTests } from "./log-contract-subscribe.ts";
import { declareHistoryTests, declareWithdrawalTests } from "./log-contract-withdrawal.ts";
import { FakeClock } from "./fake-clock.ts";

/** A log under test. */
export interface OpenedLog {
  readonly log: EventLog;
  /** Closes the log and opens what it had stored; absent where nothing outlives a log. */
  readonly reopen?: (() => Promise<EventLog>) | undefined;
  /** Called once at the end, after the log is closed. */
  readonly remove: () => Promise<void>;
}

/** What the tests of one log share. */
export interface LogUnderTest {
  readonly clock: FakeClock;
  /** The log, new and empty in every test. */
  log(): EventLog;
  /** Closes and opens the log where it can be; otherwise leaves it as it is. */
  reopen(): Promise<EventLog>;
}

/** Declares the contract's tests. `open` gives a new, empty log each time; its time comes from the clock given. */
export function runLogContract(name: string, open: (clock: FakeClock) => Promise<OpenedLog>): void {
  describe(`${name} log`, () => {
    const clock = new FakeClock();
    let opened: OpenedLog;
    let log: EventLog;
    beforeEach(async () => {
      opened = await open(clock);
      log = opened.log;
    });
    afterEach(async () => {
      await log.close();
      await opened.remove();
    });
    const under: LogUnderTest = {
      clock,
      log: () => log,
      reopen: async () => {
        if (opened.reopen !== undefined) log = await opened.reopen();
        return log;
      },
    };
    declareOrderTests(under);
    declareAtomicityTests(under);
    declareReadTests(under);
    declareIdempotencyTests(under);
    declareConditionTests(under);
    declareSubscriptionTests(under);
    declareWithdrawalTests(under);
    declareHistoryTests(open);
  });
}
