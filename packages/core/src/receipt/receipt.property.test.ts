/** Receipts over random histories: every version of every record has one, and it proves what the oracle knows. */
import * as fc from "fast-check";
import { expect, test } from "vitest";

import { SigningKey } from "../checkpoint/signing-key.ts";
import { openMemoryStore } from "../open-store.ts";
import type { EmbeddedStore } from "../store.ts";
import { EventPlanner, histories } from "../testing/arbitraries.ts";
import { appendToBoth } from "../testing/compare.ts";
import { Oracle } from "../testing/oracle.ts";
import { propertySettings } from "../testing/settings.ts";
import { codeOf } from "../testing/storage-contract.ts";
import { makeReceipt } from "./make-receipt.ts";
import type { Receipt } from "./receipt-format.ts";
import { verifyReceipt } from "./verify-receipt.ts";

const key = await SigningKey.generate("log-1");
const { verifierKey } = key;

function receiptOf(store: EmbeddedStore, ref: string, against: number): Promise<Receipt> {
  const sign = async (size: number) =>
    key.signCheckpoint({ origin: "log-1", ...store.log.proofs.treeHead(size) });
  return makeReceipt(store.log, sign, ref, { against: { size: against } });
}

async function expectReceipt(store: EmbeddedStore, oracle: Oracle, ref: string): Promise<void> {
  const model = oracle.at(oracle.head);
  const replay = await store.replay(ref);
  const receipt = await receiptOf(store, ref, replay.decidedAt);
  const verified = await verifyReceipt(JSON.parse(JSON.stringify(receipt)), verifierKey);
  expect(verified.digest).toBe(replay.digest);
  expect(verified.decision).toEqual({
    recordId: replay.decision.id,
    version: replay.decision.version,
  });
  expect(verified.closure.map(({ position }) => position)).toEqual(
    replay.closure.map(({ position }) => position),
  );
  for (const { recordId, version, document } of verified.closure) {
    expect(document).toEqual(model.document({ recordId, version }));
  }
  for (const at of receipt.entries.keys()) {
    const entries = receipt.entries.filter((_, index) => index !== at);
    const code = await codeOf(() => verifyReceipt({ ...receipt, entries }, verifierKey));
    expect(code).toBe("receipt-incomplete");
  }
}

test("the receipt of every version of every record verifies, has the replay's digest, and misses no event", async () => {
  expect.hasAssertions();
  await fc.assert(
    fc.asyncProperty(histories(8), async (steps) => {
      const oracle = new Oracle();
      const planner = new EventPlanner();
      const store = await openMemoryStore();
      for (const step of steps) {
        if (step.type === "batch")
          await appendToBoth(store, oracle, planner.plan(step.drafts, oracle));
      }
      const model = oracle.at(oracle.head);
      for (const recordId of model.recordIds()) {
        for (let version = 1; version <= model.currentVersion(recordId); version += 1) {
          await expectReceipt(store, oracle, `${recordId}@${version}`);
        }
      }
      await store.close();
    }),
    propertySettings(25),
  );
}, 60_000);
