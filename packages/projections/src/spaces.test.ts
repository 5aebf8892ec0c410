/** Spaces: nobody gets one that is taken, and only those that nobody can read any more are removed. */
import { openMemoryStorage, type Storage } from "@sennit/core/storage";
import { codeOf, FaultStorage } from "@sennit/core/testing";
import { expect, test } from "vitest";

import {
  checkpointEntry,
  emptyStateHash,
  readCheckpoint,
  SpaceAllocator,
  spacePrefix,
  sweepSpaces,
  type Checkpoint,
  type SpacesInUse,
} from "./spaces.ts";

function checkpointIn(space: number): Checkpoint {
  return { version: 1, space, begunAt: 0, position: 3, eventHash: "ab", stateHash: emptyStateHash };
}

async function putRows(storage: Storage, space: number): Promise<void> {
  const puts = Array.from({ length: 1500 }, (_, index) => {
    const suffix = Buffer.alloc(2);
    suffix.writeUInt16BE(index);
    return [Buffer.concat([spacePrefix(space), suffix]), Buffer.from("row")] as const;
  });
  await storage.write({ puts });
}

function using(spaces: Record<string, number>, begunFrom = 0): SpacesInUse {
  return { spaces: new Map(Object.entries(spaces)), begunFrom };
}

async function countRows(storage: Storage, space: number): Promise<number> {
  let count = 0;
  const range = { from: spacePrefix(space), until: spacePrefix(space + 1) };
  for await (const chunk of storage.scan(range)) count += chunk.length;
  return count;
}

test("a checkpoint is read back, and garbage is none", async () => {
  const storage = openMemoryStorage();
  expect(readCheckpoint(storage, "a")).toBeUndefined();
  const [key, value] = checkpointEntry("a", checkpointIn(1));
  await storage.write({ puts: [[key, value]] });
  expect(readCheckpoint(storage, "a")).toEqual(checkpointIn(1));
  const flipped = Buffer.from(value);
  flipped[6] = (flipped[6] ?? 0) ^ 1;
  await storage.write({ puts: [[key, flipped]] });
  expect(readCheckpoint(storage, "a")).toBeUndefined();
});

test("every space given is a new one, also behind rows that are there", async () => {
  const storage = openMemoryStorage();
  expect(await new SpaceAllocator(storage).allocate()).toBe(1);
  await putRows(storage, 7);
  const spaces = new SpaceAllocator(storage);
  expect([await spaces.allocate(), await spaces.allocate()]).toEqual([8, 9]);
});

test("sweeping removes the spaces that no checkpoint names and nobody uses", async () => {
  const storage = openMemoryStorage();
  await storage.write({ puts: [checkpointEntry("kept", checkpointIn(2))] });
  for (const space of [1, 2, 3, 4, 300]) await putRows(storage, space);
  await sweepSpaces(storage, () => using({ open: 3 }), new AbortController().signal);
  const counts = await Promise.all([1, 2, 3, 4, 300].map((space) => countRows(storage, space)));
  expect(counts).toEqual([0, 1500, 1500, 0, 0]);
  expect(readCheckpoint(storage, "kept")).toEqual(checkpointIn(2));
});

test("rows of a projection that is not open go when their fold began too early to know of every erasure", async () => {
  const storage = openMemoryStorage();
  await storage.write({
    puts: [
      checkpointEntry("open", checkpointIn(1)),
      checkpointEntry("early", checkpointIn(2)),
      checkpointEntry("late", { ...checkpointIn(3), begunAt: 5 }),
      [Buffer.from("cunreadable"), Buffer.from("x")],
    ],
  });
  for (const space of [1, 2, 3]) await putRows(storage, space);
  await sweepSpaces(storage, () => using({ open: 1 }, 5), new AbortController().signal);
  const counts = await Promise.all([1, 2, 3].map((space) => countRows(storage, space)));
  expect(counts).toEqual([1500, 0, 1500]);
  expect(readCheckpoint(storage, "open")).toBeDefined();
  expect(readCheckpoint(storage, "early")).toBeUndefined();
  expect(storage.get(Buffer.from("cunreadable"))).toBeUndefined();
});

test("a sweep that cannot be finished is finished by the next one", async () => {
  const storage = new FaultStorage();
  await putRows(storage, 1);
  const sweep = () => sweepSpaces(storage, () => using({}), new AbortController().signal);
  storage.failWrite(3, "lost");
  expect(await codeOf(sweep)).toBe("write-failed");
  expect(await countRows(storage, 1)).toBe(0);
  expect(storage.get(Buffer.from("p"))).toBeDefined();
  await sweep();
  expect(storage.get(Buffer.from("p"))).toBeUndefined();
});

test("sweeping stops when it is told to", async () => {
  const storage = openMemoryStorage();
  await putRows(storage, 1);
  const abort = new AbortController();
  abort.abort();
  expect(await codeOf(() => sweepSpaces(storage, () => using({}), abort.signal))).toBe("aborted");
  expect(await countRows(storage, 1)).toBe(1500);
});

test("spaces asked for at the same time are different ones", async () => {
  const spaces = new SpaceAllocator(openMemoryStorage());
  const given = await Promise.all([spaces.allocate(), spaces.allocate(), spaces.allocate()]);
  expect(new Set(given).size).toBe(3);
});
