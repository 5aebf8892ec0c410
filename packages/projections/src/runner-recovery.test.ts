/** A projection after writes of its rows that fail. */
import { openMemoryStore } from "@sennit/core";
import { codeOf, FaultStorage, type WriteFate } from "@sennit/core/testing";
import { expect, test } from "vitest";

import { readCheckpoint } from "./checkpoint.ts";
import { openKeeper, placeOn } from "./testing/storage-place.ts";
import { creations, tally } from "./testing/tally.ts";

const fates: readonly WriteFate[] = ["lost", "stored"];

test.each(fates)(
  "rows not written go on from what is stored, as in a rebuild: %s",
  async (fate) => {
    const store = await openMemoryStore();
    const storage = new FaultStorage();
    const keeper = await openKeeper(store, placeOn(storage), tally);
    await store.append(creations(9000, 0));
    await keeper.at(store.head);
    storage.failWrite(2, fate);
    await store.append(creations(9000, 9000));
    await keeper.at(store.head);
    storage.fill(fate);
    await store.append(creations(10, 18_000));
    expect(await codeOf(() => keeper.at(store.head))).toBe("disk-full");
    expect(keeper.rows.get("count", [])).toBe(18_000);
    storage.free();
    await keeper.at(store.head);
    const again = new FaultStorage();
    const rebuilt = await openKeeper(store, placeOn(again), tally);
    await rebuilt.at(store.head);
    const { position, eventHash, stateHash } = readCheckpoint(again) ?? {};
    expect(readCheckpoint(storage)).toMatchObject({ position, eventHash, stateHash });
    expect(keeper.rows.get("count", [])).toBe(18_010);
    await keeper.close();
    await rebuilt.close();
    await store.close();
  },
);
