/** What is no whole and true backup of the store at hand is refused, and left as it is. */
import {
  appendFile,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";

import { expect, test } from "vitest";

import { openMemoryStore, openStore } from "../open-store.ts";
import { datasetEvent, segmentsOf, small, withBackupPlace } from "../testing/backup-place.ts";
import { entryKey } from "../storage/keyspace.ts";
import { openLevelStorage } from "../storage/level-storage.ts";
import { codeOf } from "../testing/storage-contract.ts";
import { restoreStore } from "./restore-store.ts";

test("a backup of another store is left as it is", async () => {
  await withBackupPlace(async ({ store, backup }) => {
    await store.backup(backup);
    const before = await readFile(join(backup, "backup.json"), "utf8");
    const other = await openMemoryStore();
    expect(await codeOf(() => other.backup(backup))).toBe("backup-of-another-store");
    await other.close();
    expect(await readFile(join(backup, "backup.json"), "utf8")).toBe(before);
  });
});

test("a backup of a copy that went another way is left as it is", async () => {
  await withBackupPlace(async ({ store, root, backup, target }) => {
    await store.backup(backup);
    await restoreStore(backup, target);
    const copy = await openStore(target);
    await copy.append([datasetEvent("of the copy")]);
    await store.append([datasetEvent("of the store")]);
    await store.backup(backup);
    expect(await codeOf(() => copy.backup(backup))).toBe("backup-diverged");
    await store.append([datasetEvent("longer")]);
    await store.backup(backup);
    expect(await codeOf(() => copy.backup(backup))).toBe("backup-diverged");
    const since = join(root, "since");
    await copy.backup(since, { since: 6 });
    expect(await codeOf(() => restoreStore([backup, since], `${target}-2`))).toBe(
      "backup-diverged",
    );
    await copy.close();
  });
});

test("a directory that holds anything else is left as it is", async () => {
  await withBackupPlace(async ({ store, backup }) => {
    await mkdir(backup);
    await writeFile(join(backup, "mine.txt"), "mine");
    expect(await codeOf(() => store.backup(backup))).toBe("directory-not-empty");
    expect(await readdir(backup)).toEqual(["mine.txt"]);
  });
});

test("a store that has lost its end is not backed up, and the backup of the whole one stays", async () => {
  await withBackupPlace(async ({ store, root, backup, target }) => {
    await store.backup(backup);
    await store.close();
    const storage = await openLevelStorage(join(root, "store", "log"));
    await storage.write({ puts: [], deletes: [entryKey(5)] });
    await storage.close();
    const damaged = await openStore(join(root, "store"));
    expect(await codeOf(() => damaged.backup(backup))).toBe("head-mismatch");
    expect(await codeOf(() => damaged.backup(`${backup}-2`))).toBe("head-mismatch");
    await damaged.close();
    expect(await restoreStore(backup, target)).toMatchObject({ head: 5 });
  });
});

test("a store whose private key is damaged can be backed up without it", async () => {
  await withBackupPlace(async ({ store, root, backup }) => {
    await writeFile(join(root, "store", "keys", "signing-key.pem"), "none");
    expect(await codeOf(() => store.backup(backup))).toBe("key-invalid");
    expect(await store.backup(backup, { signingKey: false })).toMatchObject({ head: 5 });
  });
});

test("two runs at a time do not work on one backup", async () => {
  await withBackupPlace(async ({ store, backup }) => {
    const outcomes = await Promise.all(
      [1, 2].map(() => codeOf(() => store.backup(backup, { segmentEntriesMax: 1 }))),
    );
    expect(outcomes.toSorted()).toEqual(["backup-locked", "no error"]);
  });
});

test("the lock of a process that is gone is taken over", async () => {
  await withBackupPlace(async ({ store, backup }) => {
    await mkdir(backup);
    await writeFile(join(backup, "backup.lock"), "999999999\n");
    expect(await store.backup(backup)).toMatchObject({ head: 5 });
    expect(await readdir(backup)).not.toContain("backup.lock");
  });
});

/** Ways in which a backup may be found damaged. */
const damages: readonly [what: string, code: string, damage: (backup: string) => Promise<void>][] =
  [
    [
      "a segment that is gone",
      "backup-damaged",
      async (backup) => {
        const [first = ""] = await segmentsOf(backup);
        await rm(join(backup, "segments", first));
      },
    ],
    [
      "a segment cut short",
      "backup-damaged",
      async (backup) => {
        const [first = ""] = await segmentsOf(backup);
        const path = join(backup, "segments", first);
        await truncate(path, (await stat(path)).size - 3);
      },
    ],
    [
      "a segment with more at its end",
      "backup-damaged",
      async (backup) => {
        const [first = ""] = await segmentsOf(backup);
        await appendFile(join(backup, "segments", first), Buffer.from([0xc0]));
      },
    ],
    [
      "another root at the end",
      "backup-damaged",
      (backup) => editManifest(backup, /"head": 5,\s+"root": "\w{4}/, '"head": 5, "root": "0000'),
    ],
    [
      "another root at the beginning",
      "backup-damaged",
      (backup) => editManifest(backup, /"root": "\w{4}/, '"root": "0000'),
    ],
    [
      "a manifest cut short",
      "backup-damaged",
      async (backup) => truncate(join(backup, "backup.json"), 90),
    ],
    [
      "another format",
      "backup-invalid",
      (backup) => editManifest(backup, "sennit-backup", "other"),
    ],
    [
      "a newer version",
      "format-too-new",
      (backup) => editManifest(backup, '"version": 1', '"version": 2'),
    ],
    [
      "a file name that leads elsewhere",
      "backup-damaged",
      (backup) => editManifest(backup, "segments/0", "../segments/0"),
    ],
    [
      "positions left out",
      "backup-damaged",
      (backup) => editManifest(backup, '"from": 3', '"from": 4'),
    ],
    ["no manifest", "backup-invalid", (backup) => rm(join(backup, "backup.json"))],
  ];

async function editManifest(backup: string, from: string | RegExp, to: string): Promise<void> {
  const path = join(backup, "backup.json");
  const text = await readFile(path, "utf8");
  const changed = text.replace(from, () => to);
  if (changed === text) throw new Error("nothing to change");
  await writeFile(path, changed);
}

test.each(damages)(
  "%s is noticed by a restore, which makes no store",
  async (_what, code, damage) => {
    await withBackupPlace(async ({ store, root, backup, target }) => {
      await store.backup(backup, small);
      await damage(backup);
      expect(await codeOf(() => restoreStore(backup, target))).toBe(code);
      expect((await readdir(root)).toSorted()).toEqual(["backup", "store"]);
    });
  },
);

test("any changed byte of a backup's data is noticed by a restore", async () => {
  await withBackupPlace(async ({ store, backup, root }) => {
    await store.backup(backup);
    const files = [
      ...(await segmentsOf(backup)).map((name) => join(backup, "segments", name)),
      ...(await readdir(backup))
        .filter((name) => name.startsWith("idem"))
        .map((name) => join(backup, name)),
    ];
    expect(files).toHaveLength(2);
    for (const file of files) {
      const bytes = await readFile(file);
      for (let at = 0; at < bytes.length; at += 11) {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ 1;
        await writeFile(file, changed);
        const code = await codeOf(() => restoreStore(backup, join(root, "target")));
        expect([at, code]).toEqual([
          at,
          expect.stringMatching(/^(backup-damaged|format-too-new)$/),
        ]);
      }
      await writeFile(file, bytes);
    }
    expect((await readdir(root)).toSorted()).toEqual(["backup", "store"]);
  });
});

test("a run on a backup that has lost a segment says so and changes nothing", async () => {
  await withBackupPlace(async ({ store, backup }) => {
    await store.backup(backup, small);
    const [first = ""] = await segmentsOf(backup);
    await rm(join(backup, "segments", first));
    await store.append([datasetEvent("c")]);
    const before = await readFile(join(backup, "backup.json"), "utf8");
    expect(await codeOf(() => store.backup(backup, small))).toBe("backup-damaged");
    expect(await readFile(join(backup, "backup.json"), "utf8")).toBe(before);
  });
});

test("a run reads the segments of earlier ones, and finds the one that rotted", async () => {
  await withBackupPlace(async ({ store, backup }) => {
    await store.backup(backup, small);
    const [first = ""] = await segmentsOf(backup);
    const path = join(backup, "segments", first);
    const bytes = await readFile(path);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    await writeFile(path, bytes);
    await store.append([datasetEvent("c")]);
    const before = await readFile(join(backup, "backup.json"), "utf8");
    expect(await codeOf(() => store.backup(backup, small))).toBe("backup-damaged");
    expect(await readFile(join(backup, "backup.json"), "utf8")).toBe(before);
    const quick = await store.backup(backup, { ...small, quick: true });
    expect(quick).toMatchObject({ added: 1, verified: 1, reread: 0, unread: 5 });
    expect(await codeOf(() => store.backup(backup, small))).toBe("backup-damaged");
  });
});

test("a backup is never made inside the store it is of, by whatever way", async () => {
  await withBackupPlace(async ({ store, root }) => {
    await symlink("store", join(root, "way"));
    const before = await readdir(join(root, "store"));
    for (const name of ["store", "store/sub", "store/a/b", "way/a", "way", "other/../store/log"]) {
      const code = await codeOf(() => store.backup(join(root, name)));
      expect([name, code]).toEqual([name, "argument-invalid"]);
    }
    expect(await readdir(join(root, "store"))).toEqual(before);
    expect(await store.backup(join(root, "store-2"))).toMatchObject({ head: 5 });
  });
});

test("a restore never touches a directory that holds something", async () => {
  await withBackupPlace(async ({ store, backup, root }) => {
    await store.backup(backup);
    await store.close();
    expect(await codeOf(() => restoreStore(backup, join(root, "store")))).toBe(
      "directory-not-empty",
    );
    const still = await openStore(join(root, "store"), { create: false });
    expect(still.head).toBe(5);
    await still.close();
  });
});

test("a restore removes what a process left that ended before it", async () => {
  await withBackupPlace(async ({ store, backup, root, target }) => {
    await store.backup(backup);
    await mkdir(join(`${target}.making-999999999`, "log"), { recursive: true });
    await restoreStore(backup, target);
    expect((await readdir(root)).toSorted()).toEqual(["backup", "store", "target"]);
  });
});
