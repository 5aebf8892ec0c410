/** What is erased is gone from a backup with its next run, and from what it restores. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";

import { expect, test } from "vitest";

import { created, updated } from "../event/event.ts";
import { openMemoryStore, openStore } from "../open-store.ts";
import { datasetEvent, small, storedIn, withBackupPlace } from "../testing/backup-place.ts";
import { withTemporaryDirectory } from "../testing/temporary-directory.ts";
import { restoreStore } from "./restore-store.ts";

async function bytesIn(directory: string): Promise<string> {
  const parts: Buffer[] = [];
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) parts.push(await readFile(join(entry.parentPath, entry.name)));
  }
  return Buffer.concat(parts).toString("latin1");
}

test("what is erased after a backup is gone from it after the next run", async () => {
  await withBackupPlace(async ({ store, root, backup, target }) => {
    await store.append([created("p", { kind: "person", name: "Ada Secret" })]);
    await store.append([updated("p", { tags: { at: "home" } })], { idempotencyKey: "eighth" });
    await store.backup(backup, small);
    expect(await bytesIn(backup)).toContain("Ada Secret");
    await store.erase(["p"], { cause: "asked for" });
    const result = await store.backup(backup, small);
    expect(result).toMatchObject({ added: 1, rewritten: 2, head: store.head });
    expect(await bytesIn(backup)).not.toContain("Ada Secret");
    expect(await restoreStore(backup, target)).toMatchObject({ head: store.head });
    await store.close();
    expect(await storedIn(target)).toEqual(await storedIn(join(root, "store")));
    const copy = await openStore(target);
    expect(await copy.verify()).toMatchObject({ ok: true });
    await copy.close();
  });
});

test("what is erased in what another backup holds is gone from what both restore", async () => {
  await withBackupPlace(async ({ store, root, backup, target }) => {
    await store.append([created("p", { kind: "person", name: "Ada Secret" })]);
    await store.append([created("q", { kind: "person", name: "Bo Secret" })]);
    await store.backup(backup, small);
    const later = join(root, "later");
    await store.erase(["p"], { cause: "asked for" });
    await store.backup(later, { since: 7 });
    await store.erase(["q"], { cause: "asked for" });
    await store.backup(later);
    expect(await bytesIn(later)).not.toContain("Secret");
    await restoreStore([backup, later], target);
    expect(await bytesIn(target)).not.toContain("Secret");
    await store.close();
    expect(await storedIn(target)).toEqual(await storedIn(join(root, "store")));
  });
});

test("an erasure while a backup is taken leaves no content behind that it destroyed", async () => {
  await withBackupPlace(async ({ store, backup, target }) => {
    await store.append([created("p", { kind: "person", name: "Ada Secret" })]);
    for (let index = 0; index < 20; index += 1) await store.append([datasetEvent(`d-${index}`)]);
    await store.append([updated("p", { tags: { at: "home" } })]);
    let erased: Promise<unknown> | undefined;
    await store.backup(backup, {
      segmentEntriesMax: 1,
      onProgress: () => {
        erased ??= store.erase(["p"], { cause: "asked for" });
      },
    });
    await erased;
    await store.backup(backup);
    expect(await bytesIn(backup)).not.toContain("Ada Secret");
    expect(await restoreStore(backup, target)).toMatchObject({ head: store.head });
  });
});

test("a backup that meets content erased meanwhile holds the record of that, too", async () => {
  await withTemporaryDirectory(async (root) => {
    // In memory each chunk is read as it is at that moment, so that the second one may have been erased in.
    const store = await openMemoryStore();
    const events = Array.from({ length: 1500 }, (_, index) => datasetEvent(`d-${index}`));
    await store.append([...events, created("p", { kind: "person", name: "Ada Secret" })]);
    const [backup, target] = [join(root, "backup"), join(root, "target")];
    const taken = store.backup(backup, { segmentEntriesMax: 100 });
    while (!(await readdir(join(backup, "segments")).catch(() => [])).some(isWhole)) {
      await setImmediate();
    }
    await store.erase(["p"], { cause: "asked for" });
    const { head } = await taken;
    expect(await restoreStore(backup, target)).toMatchObject({ head });
    const hasContent = (await bytesIn(backup)).includes("Ada Secret");
    expect(hasContent).toBe(head < store.head);
    await store.close();
  });
});

function isWhole(name: string): boolean {
  return name.endsWith(".msgpack");
}

test("a first backup of a store in which much was erased writes each segment once", async () => {
  await withBackupPlace(async ({ store, backup }) => {
    await store.erase(["a", "b"], { cause: "asked for" });
    expect(await store.backup(backup, small)).toMatchObject({ rewritten: 0, added: 6 });
  });
});
