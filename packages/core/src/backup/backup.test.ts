/** A backup brings back the same store, byte for byte, and takes only what is new. */
import { cp, link, mkdir, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { openStore, openStoreOn } from "../open-store.ts";
import { openMemoryStorage } from "../storage/memory-storage.ts";
import { histories } from "../testing/arbitraries.ts";
import {
  datasetEvent,
  segmentsOf,
  small,
  storedIn,
  withBackupPlace,
} from "../testing/backup-place.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { contentsOf, fillStore } from "../testing/fill-store.ts";
import { propertySettings } from "../testing/settings.ts";
import { codeOf } from "../testing/storage-contract.ts";
import { withTemporaryDirectory } from "../testing/temporary-directory.ts";
import { restoreStore } from "./restore-store.ts";

test("a restored store has every stored byte, the key and the root of the one backed up", async () => {
  await withBackupPlace(async ({ store, root, backup, target }) => {
    const result = await store.backup(backup, small);
    expect(result).toMatchObject({
      storeId: store.storeId,
      since: 0,
      head: 5,
      root: store.log.proofs.treeHead().root.toString("hex"),
      added: 5,
      verified: 5,
      segments: 3,
      idempotencyKeys: 2,
      signingKey: true,
    });
    const checkpoint = await store.checkpoint();
    const restored = await restoreStore(backup, target);
    expect(restored).toMatchObject({ storeId: store.storeId, head: 5, signingKey: true });
    expect(restored.root).toBe(result.root);
    await store.close();
    expect(await storedIn(target)).toEqual(await storedIn(join(root, "store")));
    const copy = await openStore(target, { create: false });
    expect(await copy.checkpoint()).toBe(checkpoint);
    expect(await copy.verify()).toMatchObject({ ok: true, head: 5 });
    await copy.close();
    expect((await stat(join(target, "keys", "signing-key.pem"))).mode & 0o777).toBe(0o600);
    expect((await stat(join(backup, "keys", "signing-key.pem"))).mode & 0o777).toBe(0o600);
    expect((await readdir(root)).toSorted()).toEqual(["backup", "store", "target"]);
  });
});

test("a restored store notices when its end is lost", async () => {
  await withBackupPlace(async ({ store, backup, target }) => {
    await store.backup(backup);
    await restoreStore(backup, target);
    const shorter = `${target}-shorter`;
    await restoreStore(backup, shorter);
    await rm(join(shorter, "log"), { recursive: true });
    const other = await openStore(`${target}-empty`);
    await other.append([datasetEvent("z")]);
    await other.close();
    await cp(join(`${target}-empty`, "log"), join(shorter, "log"), { recursive: true });
    const damaged = await openStore(shorter);
    expect(damaged.damage?.code).toBe("head-mismatch");
    await damaged.close();
  });
});

test("a backup brought up to date takes only what is new, and holds any history", async () => {
  expect.hasAssertions();
  await fc.assert(
    fc.asyncProperty(histories(), (steps) =>
      withTemporaryDirectory(async (root) => {
        const source = openMemoryStorage();
        const clock = new FakeClock("2026-03-02T10:00:00Z", -250_000);
        const store = await openStoreOn(source, { clock });
        const [backup, target] = [join(root, "backup"), join(root, "target")];
        await fillStore(store, steps);
        const first = await store.backup(backup, { segmentEntriesMax: 3 });
        await store.append([datasetEvent("new")], { idempotencyKey: "new" });
        const second = await store.backup(backup, { segmentEntriesMax: 3 });
        expect(second).toMatchObject({
          added: 1,
          verified: 1,
          reread: first.head,
          segments: first.segments + 1,
        });
        await restoreStore(backup, target);
        expect(await storedIn(target)).toEqual(await contentsOf(source));
        await store.close();
      }),
    ),
    propertySettings(20),
  );
});

test("a run with nothing new changes no segment", async () => {
  await withBackupPlace(async ({ store, backup }) => {
    await store.backup(backup, small);
    const before = await segmentsOf(backup);
    expect(await store.backup(backup, small)).toMatchObject({
      added: 0,
      verified: 0,
      reread: 5,
      unread: 0,
    });
    const quick = await store.backup(backup, { ...small, quick: true });
    expect(quick).toMatchObject({ added: 0, verified: 0, reread: 0, unread: 5 });
    expect(await segmentsOf(backup)).toEqual(before);
  });
});

test("an empty store can be backed up and restored", async () => {
  await withTemporaryDirectory(async (root) => {
    const store = await openStore(join(root, "store"));
    const backup = join(root, "backup");
    expect(await store.backup(backup)).toMatchObject({ head: 0, added: 0, segments: 0 });
    expect(await restoreStore(backup, join(root, "target"))).toMatchObject({ head: 0 });
    await store.close();
    const copy = await openStore(join(root, "target"), { create: false });
    expect(copy.head).toBe(0);
    await copy.append([datasetEvent("a")]);
    await copy.close();
  });
});

test("appends go on while a backup is taken, which speaks for the head when it began", async () => {
  await withBackupPlace(async ({ store, backup, target }) => {
    const batch = (index: number) =>
      store.append([datasetEvent(`more-${index}`)], { idempotencyKey: `more ${index}` });
    let appended: Promise<unknown> = Promise.resolve();
    const taken = store.backup(backup, {
      segmentEntriesMax: 1,
      onProgress: () => {
        appended = Promise.all([1, 2, 3].map(batch));
      },
    });
    expect(await taken).toMatchObject({ head: 5, idempotencyKeys: 2 });
    await appended;
    expect(store.head).toBe(8);
    expect(await restoreStore(backup, target)).toMatchObject({ head: 5, idempotencyKeys: 2 });
  });
});

test("a backup without the key gives a store with a new one, and takes a key away that was there", async () => {
  await withBackupPlace(async ({ store, backup, target }) => {
    await store.backup(backup);
    expect(await store.backup(backup, { signingKey: false })).toMatchObject({ signingKey: false });
    expect(await readdir(join(backup, "keys"))).toEqual(["verifier-key.txt"]);
    const restored = await restoreStore(backup, target);
    expect(restored.signingKey).toBe(false);
    expect(restored.verifierKey).not.toBe(await store.verifierKey());
    const copy = await openStore(target);
    expect(await copy.verifierKey()).toBe(restored.verifierKey);
    await copy.close();
  });
});

test("the private key of a backup is never written over in place, so that a run cut short leaves one or the other", async () => {
  await withBackupPlace(async ({ store, root, backup, target }) => {
    await store.backup(backup);
    const kept = join(backup, "keys", "signing-key.pem");
    const pem = await readFile(kept, "utf8");
    const [same, damaged] = [join(root, "same"), join(root, "damaged")];
    await link(kept, same);
    await store.backup(backup);
    expect((await stat(same)).ino).toBe((await stat(kept)).ino);
    // A second name of the file shows whether its bytes are changed or the file is replaced.
    await writeFile(kept, "");
    await link(kept, damaged);
    await writeFile(`${kept}.new`, pem.slice(0, 20));
    await store.backup(backup);
    expect(await readFile(damaged, "utf8")).toBe("");
    expect(await readFile(kept, "utf8")).toBe(pem);
    expect((await readdir(join(backup, "keys"))).toSorted()).toEqual([
      "signing-key.pem",
      "verifier-key.txt",
    ]);
    expect(await restoreStore(backup, target)).toMatchObject({ signingKey: true });
  });
});

test("a store that has lost its key, or half of it, takes nothing of the pair from the backup", async () => {
  await withBackupPlace(async ({ store, root, backup, target }) => {
    await store.backup(backup);
    const [home, kept] = [join(root, "store", "keys"), join(backup, "keys")];
    const [privateKey, publicKey] = ["signing-key.pem", "verifier-key.txt"] as const;
    const pair = [
      await readFile(join(kept, privateKey), "utf8"),
      await readFile(join(kept, publicKey), "utf8"),
    ];
    await writeFile(join(home, privateKey), "");
    const losses = [() => rm(join(home, privateKey)), () => rm(home, { recursive: true })];
    for (const loseMore of [...losses, undefined]) {
      // The store itself has read its key, and the copy of one that a server has open never does.
      for (const keysOf of [undefined, join(root, "store")]) {
        expect(await codeOf(() => store.backup(backup, { keysOf }))).toBe("key-invalid");
        expect(await readFile(join(kept, privateKey), "utf8")).toBe(pair[0]);
        expect(await readFile(join(kept, publicKey), "utf8")).toBe(pair[1]);
      }
      await loseMore?.();
    }
    await mkdir(home);
    await writeFile(join(home, privateKey), pair[0] ?? "");
    expect(await codeOf(() => store.backup(backup))).toBe("key-invalid");
    expect(await restoreStore(backup, target)).toMatchObject({ signingKey: true });
  });
});

test("a backup since a position is restored on top of another one, and not without it", async () => {
  await withBackupPlace(async ({ store, root, backup, target }) => {
    await store.backup(backup, small);
    await store.append([datasetEvent("c")], { idempotencyKey: "sixth" });
    const later = join(root, "later");
    expect(await store.backup(later, { since: 5 })).toMatchObject({ since: 5, added: 1, head: 6 });
    await store.append([datasetEvent("d")]);
    expect(await store.backup(later)).toMatchObject({ since: 5, added: 1, head: 7 });
    expect(await codeOf(() => restoreStore(later, target))).toBe("backup-incomplete");
    expect(await codeOf(() => restoreStore([later, backup], target))).toBe("backup-incomplete");
    // What both hold is taken once.
    await store.backup(backup, small);
    expect(await restoreStore([backup, later], target)).toMatchObject({ head: 7 });
    await store.close();
    expect(await storedIn(target)).toEqual(await storedIn(join(root, "store")));
  });
});

test("since names where a backup begins, and nothing else", async () => {
  await withBackupPlace(async ({ store, backup }) => {
    expect(await codeOf(() => store.backup(backup, { since: 6 }))).toBe("as-of-ahead-of-head");
    expect(await codeOf(() => store.backup(backup, { since: -1 }))).toBe("argument-invalid");
    await store.backup(backup, { since: 3 });
    expect(await store.backup(backup, { since: 3 })).toMatchObject({ since: 3, added: 0 });
    expect(await codeOf(() => store.backup(backup, { since: 4 }))).toBe("argument-invalid");
  });
});

test("a backup that is stopped leaves the one before it", async () => {
  await withBackupPlace(async ({ store, backup, target }) => {
    await store.backup(backup, small);
    await store.append([datasetEvent("c")]);
    const signal = AbortSignal.abort();
    expect(await codeOf(() => store.backup(backup, { signal }))).toBe("aborted");
    expect(await restoreStore(backup, target)).toMatchObject({ head: 5 });
    expect(await store.backup(backup)).toMatchObject({ added: 1, head: 6 });
  });
});
