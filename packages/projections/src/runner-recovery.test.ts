/** A projection after writes of its rows that fail. */
import { openMemoryStore } from "@sennit/core";
import { codeOf, FaultStorage, type WriteFate } from "@sennit/core/testing";
import { expect, test } from "vitest";

import { ProjectionRunner } from "./runner.ts";
import { SpaceAllocator } from "./spaces.ts";
import { creations, tally } from "./testing/tally.ts";

const fates: readonly WriteFate[] = ["lost", "stored"];

test.each(fates)(
  "rows not written go on from what is stored, as in a rebuild: %s",
  async (fate) => {
    const store = await openMemoryStore();
    const open = async (storage: FaultStorage): Promise<ProjectionRunner> => {
      const spaces = new SpaceAllocator(storage);
      const nothing = () => undefined;
      const settings = { store, storage, spaces, onDamage: nothing, onRebuilt: nothing };
      const runner = await ProjectionRunner.open(settings, tally);
      runner.start();
      return runner;
    };
    const storage = new FaultStorage();
    const runner = await open(storage);
    await store.append(creations(9000, 0));
    await runner.reach(store.head);
    storage.failWrite(2, fate);
    await store.append(creations(9000, 9000));
    await runner.reach(store.head);
    storage.fill(fate);
    await store.append(creations(10, 18_000));
    expect(await codeOf(() => runner.reach(store.head))).toBe("disk-full");
    expect(runner.rows.get("count", [])).toBe(18_000);
    storage.free();
    await runner.reach(store.head);
    const rebuilt = await open(new FaultStorage());
    await rebuilt.reach(store.head);
    const { position, eventHash, stateHash } = rebuilt.checkpoint;
    expect(runner.checkpoint).toMatchObject({ position, eventHash, stateHash });
    expect(runner.rows.get("count", [])).toBe(18_010);
    await runner.stop();
    await rebuilt.stop();
    await store.close();
  },
);
