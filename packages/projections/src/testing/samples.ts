/** Histories for the tests of this package. */
import { isStoreError, openMemoryStore, type NewEvent } from "@sennit/core";
import { EventPlanner, histories, Oracle } from "@sennit/core/testing";
import * as fc from "fast-check";

import type { ProjectionHistory } from "./projection-contract.ts";

/** Random histories, the same for the same seed, of batches that a store takes. */
export async function sampleHistories(count: number, seed = 1): Promise<ProjectionHistory[]> {
  const drafts = fc.sample(histories(12), { numRuns: count, seed });
  return Promise.all(
    drafts.map(async (steps) => {
      const oracle = new Oracle();
      const planner = new EventPlanner();
      const taken: (readonly NewEvent[])[] = [];
      const store = await openMemoryStore();
      for (const step of steps) {
        if (step.type === "reopen") continue;
        const batch = planner.plan(step.drafts, oracle);
        try {
          await store.append(batch);
        } catch (error) {
          if (!isStoreError(error)) throw error;
          continue;
        }
        oracle.append(batch);
        taken.push(batch);
      }
      await store.close();
      return taken;
    }),
  );
}
