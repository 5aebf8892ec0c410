/** A store and its views on a disk that really fills up, and goes on when there is space again. */
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";

import {
  isStoreError,
  newEventId,
  openStore,
  type EmbeddedStore,
  type NewEvent,
} from "@sennit/core";
import { openViews } from "@sennit/projections";
import { expect, test } from "vitest";

import { onSmallDisk } from "./support/small-disk.ts";

const megabyte = 1024 * 1024;

function batchOf(number: number): NewEvent[] {
  // Random text, so that compressing it frees nothing.
  const text = Array.from({ length: 400 }, () => newEventId()).join("");
  const data = { kind: "thing", name: `thing ${number}`, attributes: { text } };
  return [{ type: "record.created", id: newEventId(), recordId: `r${number}`, data }];
}

/** Appends until the disk is full. @returns what was acknowledged, and the batch that met the full disk with its code */
async function fill(
  store: EmbeddedStore,
  from: number,
): Promise<{ acknowledged: string[]; last: NewEvent[]; code: string }> {
  const acknowledged: string[] = [];
  for (let number = from; ; number += 1) {
    const batch = batchOf(number);
    try {
      await store.append(batch);
      acknowledged.push(...batch.map(({ recordId }) => recordId));
    } catch (error) {
      if (!isStoreError(error)) throw error;
      return { acknowledged, last: batch, code: error.code };
    }
  }
}

async function recordIdsOf(store: EmbeddedStore): Promise<string[]> {
  const ids: string[] = [];
  for await (const { recordId } of store.events()) ids.push(recordId);
  return ids;
}

const codeOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => "no error",
    (error: unknown) => (isStoreError(error) ? error.code : error),
  );

test(
  "a store on a full disk is read, and written again when there is space, without being reopened",
  (context) =>
    onSmallDisk(context, 10 * megabyte, async (disk) => {
      const directory = join(disk, "store");
      const ballast = join(disk, "ballast");
      const store = await openStore(directory);
      await writeFile(ballast, Buffer.alloc(6 * megabyte));
      const before = await store.append(batchOf(0)).then(() => store.at());
      const { acknowledged, last, code } = await fill(store, 1);
      expect(code).toBe("outcome-unknown");
      expect(acknowledged.length).toBeGreaterThan(20);
      expect(await codeOf(store.append(batchOf(1e6)))).toBe("disk-full");
      expect(store.status).toMatchObject({ state: "not-writable", reason: { code: "disk-full" } });
      expect(await recordIdsOf(store)).toEqual(["r0", ...acknowledged]);
      expect(await store.verify()).toMatchObject({ ok: true });
      await rm(ballast);
      const recovering = store.append(last);
      const read: string[] = [];
      while (store.status.state !== "ready") {
        read.push((await before.record("r0")).id);
        await setImmediate();
      }
      expect(new Set(read)).toEqual(new Set(["r0"]));
      const [again] = (await recovering).events;
      const all = ["r0", ...acknowledged, again?.recordId];
      expect(await recordIdsOf(store)).toEqual(all);
      expect(await store.verify()).toMatchObject({ ok: true, events: all.length });
      await store.close();
      const reopened = await openStore(directory);
      expect(reopened.damage).toBeUndefined();
      expect(await recordIdsOf(reopened)).toEqual(all);
      expect(await reopened.verify()).toMatchObject({ ok: true, events: all.length });
      await reopened.close();
    }),
  20_000,
);

test(
  "views on a full disk catch up by themselves when there is space again",
  (context) =>
    onSmallDisk(context, 10 * megabyte, async (disk) => {
      const ballast = join(disk, "ballast");
      const store = await openStore(join(disk, "store"));
      const views = await openViews(store);
      await store.append(batchOf(0));
      const before = await views.at();
      await writeFile(ballast, Buffer.alloc(6 * megabyte));
      const { acknowledged, last } = await fill(store, 1);
      expect((await before.list()).records).toHaveLength(1);
      await rm(ballast);
      await store.append(last);
      await views.caughtUp();
      const { records } = await (await views.at()).list({}, { limit: 1000 });
      expect(records).toHaveLength(acknowledged.length + 2);
      await views.close();
      await store.close();
    }),
  20_000,
);
