/** Fills a store with a random history, and tells what a storage holds. */
import { openMemoryStore } from "../open-store.ts";
import type { Storage } from "../storage/storage.ts";
import type { EmbeddedStore, Store } from "../store.ts";
import { EventPlanner, type HistoryStep } from "./arbitraries.ts";
import { appendToBoth } from "./compare.ts";
import { Oracle } from "./oracle.ts";

/** Appends a random history; every other batch carries an idempotency key. */
export async function fillStore(
  store: Pick<Store, "append" | "events">,
  steps: readonly HistoryStep[],
): Promise<void> {
  const oracle = new Oracle();
  const planner = new EventPlanner();
  for (const [index, step] of steps.entries()) {
    if (step.type !== "batch") continue;
    const options = index % 2 === 0 ? {} : { idempotencyKey: `batch ${index}` };
    const withKey = {
      append: (events: Parameters<Store["append"]>[0]) => store.append(events, options),
      events: (range: Parameters<Store["events"]>[0]) => store.events(range),
    };
    await appendToBoth(withKey, oracle, planner.plan(step.drafts, oracle));
  }
}

/** A store in memory with a random history, and the oracle that has taken it too. */
export async function memoryStoreOf(
  steps: readonly HistoryStep[],
): Promise<{ readonly store: EmbeddedStore; readonly oracle: Oracle }> {
  const store = await openMemoryStore();
  const oracle = new Oracle();
  const planner = new EventPlanner();
  for (const step of steps) {
    if (step.type === "batch") await appendToBoth(store, oracle, planner.plan(step.drafts, oracle));
  }
  return { store, oracle };
}

/** Everything a storage holds, as hexadecimal text by key. Only some spaces when their letters are given. */
export async function contentsOf(
  storage: Storage,
  spaces?: string,
): Promise<Readonly<Record<string, string>>> {
  const contents: Record<string, string> = {};
  const range = { from: Buffer.from([0]), until: Buffer.from([0xff]) };
  for await (const chunk of storage.scan(range)) {
    for (const [key, value] of chunk) {
      const space = String.fromCharCode(key[0] ?? 0);
      if (spaces?.includes(space) === false) continue;
      contents[`${space} ${Buffer.from(key).toString("hex", 1)}`] =
        Buffer.from(value).toString("hex");
    }
  }
  return contents;
}
