/** Opening: what is a store, what is none, and who may have it. */
import { spawn } from "node:child_process";
import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, test } from "vitest";

import { must } from "./assert.ts";
import { StoreError } from "./errors.ts";
import { openStore, renewSigningKey } from "./open-store.ts";
import { readStoreOwner } from "./owner-file.ts";
import { repairStore } from "./repair/repair-store.ts";
import { openLevelStorage } from "./storage/level-storage.ts";
import { entryKey } from "./storage/keyspace.ts";
import { storeFormat } from "./store-directory.ts";
import { make } from "./testing/samples.ts";
import { codeOf } from "./testing/storage-contract.ts";
import { withTemporaryDirectory } from "./testing/temporary-directory.ts";

test("a store is made where nothing is, and opened again with what it held", async () => {
  await withTemporaryDirectory(async (parent) => {
    const directory = join(parent, "deep", "store");
    const store = await openStore(directory);
    expect(store.head).toBe(0);
    expect(store.directory).toBe(directory);
    await store.append([make("a")]);
    await store[Symbol.asyncDispose]();
    const again = await openStore(directory, { create: false });
    expect(again.head).toBe(1);
    expect((await again.record("a")).version).toBe(1);
    await again.close();
    expect((await readdir(directory)).toSorted()).toEqual([
      "acknowledged",
      "keys",
      "log",
      "sennit.json",
    ]);
  });
});

test("with create false, a missing or empty directory is not made into a store", async () => {
  await withTemporaryDirectory(async (parent) => {
    const open = (name: string) => codeOf(() => openStore(join(parent, name), { create: false }));
    expect(await open("missing")).toBe("store-not-found");
    expect(await open(".")).toBe("store-not-found");
    expect(await readdir(parent)).toEqual([]);
  });
});

test("a directory with other files, a file, and a foreign manifest are no stores", async () => {
  await withTemporaryDirectory(async (parent) => {
    await mkdir(join(parent, "other"));
    await writeFile(join(parent, "other", "notes.txt"), "mine");
    await writeFile(join(parent, "file"), "mine");
    expect(await codeOf(() => openStore(join(parent, "other")))).toBe("not-a-store");
    expect(await codeOf(() => openStore(join(parent, "file")))).toBe("not-a-store");
    expect(await readdir(join(parent, "other"))).toEqual(["notes.txt"]);
    await mkdir(join(parent, "logs", "log"), { recursive: true });
    await writeFile(join(parent, "logs", "log", "today.txt"), "mine");
    expect(await codeOf(() => openStore(join(parent, "logs")))).toBe("not-a-store");
    const manifests = [
      "",
      "{",
      "null",
      "[]",
      '{"format":"x","version":1}',
      '{"format":"sennit-store"}',
    ];
    for (const manifest of manifests) {
      await mkdir(join(parent, "foreign"), { recursive: true });
      await writeFile(join(parent, "foreign", "sennit.json"), manifest);
      expect(await codeOf(() => openStore(join(parent, "foreign")))).toBe("not-a-store");
      expect(await readdir(join(parent, "foreign"))).toEqual(["sennit.json"]);
    }
  });
});

test("a store of a newer format is refused and left as it is", async () => {
  await withTemporaryDirectory(async (directory) => {
    const manifest = JSON.stringify({ format: "sennit-store", version: storeFormat + 1 });
    await writeFile(join(directory, "sennit.json"), manifest);
    expect(await codeOf(() => openStore(directory))).toBe("format-too-new");
    expect(await readdir(directory)).toEqual(["sennit.json"]);
  });
});

test("a store that is open cannot be opened a second time by the same process", async () => {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(directory);
    expect(await codeOf(() => openStore(directory))).toBe("store-locked");
    await store.append([make("a")]);
    await store.close();
    const again = await openStore(directory);
    expect(again.head).toBe(1);
    await again.close();
  });
});

test("a store that another process has open is locked, and free again when that process is killed", async () => {
  await withTemporaryDirectory(async (directory) => {
    await (await openStore(directory)).close();
    const hold = `
      import { Level } from "level";
      await new Level(${JSON.stringify(join(directory, "log"))}).open();
      process.stdout.write("open");
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", hold], {
      cwd: join(import.meta.dirname, ".."),
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exited = new Promise((resolve) => child.once("exit", resolve));
    try {
      await new Promise((resolve, reject) => {
        child.stdout.once("data", resolve);
        child.once("exit", () => reject(new Error("the other process ended")));
      });
      await writeFile(join(directory, "owner.json"), JSON.stringify({ pid: child.pid }));
      const refusal: unknown = await openStore(directory).catch((error: unknown) => error);
      expect(refusal).toMatchObject({ code: "store-locked", details: { pid: child.pid } });
    } finally {
      child.kill("SIGKILL");
      await exited;
    }
    const store = await openStore(directory);
    expect(store.head).toBe(0);
    await store.close();
  });
});

test("who finds a store locked learns which process has it, and where that one answers", async () => {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(directory);
    const found = async (): Promise<unknown> => {
      const refusal = await openStore(directory).catch((error: unknown) => error);
      return refusal instanceof StoreError && refusal.details;
    };
    const { pid } = process;
    expect(await found()).toEqual({ directory, pid, url: null });
    const url = "http://127.0.0.1:4600";
    await store.announce(url, "secret");
    // The credential is for who can read the file, and an error is printed.
    expect(await found()).toEqual({ directory, pid, url });
    expect(await readStoreOwner(directory)).toEqual({ pid, url, token: "secret" });
    expect((await stat(join(directory, "owner.json"))).mode & 0o777).toBe(0o600);
    await store.announce(undefined);
    expect(await found()).toEqual({ directory, pid, url: null });
    await writeFile(join(directory, "owner.json"), JSON.stringify({ pid: 2 ** 30, url: "x" }));
    expect(await found()).toEqual({ directory, pid: null, url: null });
    await store.close();
    expect(await readdir(directory)).not.toContain("owner.json");
  });
});

test("a store whose making was cut short is made again", async () => {
  await withTemporaryDirectory(async (directory) => {
    await (await openStore(directory)).close();
    await rm(join(directory, "sennit.json"));
    await writeFile(join(directory, "sennit.json.new"), '{"format":"senn');
    const store = await openStore(directory);
    await store.append([make("a")]);
    await store.close();
    expect(JSON.parse(await readFile(join(directory, "sennit.json"), "utf8"))).toMatchObject({
      format: "sennit-store",
      version: storeFormat,
    });
  });
});

test("a log with a hole, or with more than was committed, is read where it is intact and not written", async () => {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(directory);
    await store.append([make("a"), make("b"), make("c")]);
    await store.close();
    const storage = await openLevelStorage(join(directory, "log"));
    const last = storage.get(entryKey(3)) ?? Buffer.alloc(0);
    await storage.write({ puts: [], deletes: [entryKey(2)] });
    await storage.close();
    await expectDamaged(directory, "log-gap");
    const again = await openLevelStorage(join(directory, "log"));
    await again.write({ puts: [[entryKey(4), last]] });
    await again.close();
    await expectDamaged(directory, "head-mismatch");
  });
});

test("a store that has lost its log, or LevelDB's entry to it, is not opened as an empty one", async () => {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(directory);
    await store.append([make("a")]);
    await store.close();
    const before = await readdir(join(directory, "log"));
    await rm(join(directory, "log", "CURRENT"));
    expect(await codeOf(() => openStore(directory))).toBe("log-gap");
    const left = before.filter((name) => name !== "CURRENT");
    expect(await readdir(join(directory, "log"))).toEqual(left);
    await rm(join(directory, "sennit.json"));
    expect(await codeOf(() => openStore(directory))).toBe("not-a-store");
    expect(await readdir(join(directory, "log"))).toEqual(left);
  });
});

test("a store that has lost its manifest keeps its name: it is not opened under another", async () => {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(directory);
    await store.append([make("a")]);
    const key = await store.verifierKey();
    await store.close();
    const manifest = await readFile(join(directory, "sennit.json"));
    await rm(join(directory, "sennit.json"));
    expect(await codeOf(() => openStore(directory))).toBe("not-a-store");
    await writeFile(join(directory, "sennit.json"), manifest);
    const again = await openStore(directory);
    expect([again.head, await again.verifierKey()]).toEqual([1, key]);
    await again.close();
  });
});

test("closing twice does not touch what the next one to open it has written", async () => {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(directory);
    await store.close();
    const next = await openStore(directory);
    await store.close();
    expect(await readdir(directory)).toContain("owner.json");
    await next.close();
  });
});

test("a log put back to an earlier state is noticed, because more was acknowledged", async () => {
  await withTemporaryDirectory(async (parent) => {
    const [directory, copy] = [join(parent, "store"), join(parent, "copy")];
    const store = await openStore(directory);
    await store.append([make("a")]);
    await store.close();
    await cp(join(directory, "log"), copy, { recursive: true });
    const again = await openStore(directory);
    await again.append([make("b"), make("c")]);
    await again.close();
    await rm(join(directory, "log"), { recursive: true });
    await cp(copy, join(directory, "log"), { recursive: true });
    const { message } = await expectDamaged(directory, "head-mismatch");
    expect(message).toContain("positions 2 to 3 are missing");
    // Questions asked of a damaged store must not wipe out what shows the damage.
    const damaged = await openStore(directory);
    // Two notes would take both slots of the side file.
    for (const ago of [2, 1]) {
      const time = new Date(Date.now() - ago).toISOString();
      expect((await damaged.at({ time })).asOf).toBe(1);
    }
    await damaged.close();
    await expectDamaged(directory, "head-mismatch");
  });
});

test("a log with other events than those acknowledged is noticed by its root", async () => {
  await withTemporaryDirectory(async (parent) => {
    const [directory, other] = [join(parent, "store"), join(parent, "other")];
    for (const path of [directory, other]) {
      const store = await openStore(path);
      await store.append([make("a"), make("b")]);
      await store.close();
    }
    await rm(join(directory, "log"), { recursive: true });
    await cp(join(other, "log"), join(directory, "log"), { recursive: true });
    await expectDamaged(directory, "root-mismatch");
  });
});

test("a side file that is damaged in one slot leaves a sound store sound", async () => {
  await withTemporaryDirectory(async (directory) => {
    const path = join(directory, "acknowledged");
    for (const id of ["a", "b", "c"]) {
      const store = await openStore(directory);
      await store.append([make(id)]);
      await store.close();
      const bytes = await readFile(path);
      for (const at of [0, 70]) {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ 1;
        await writeFile(path, changed);
        const reopened = await openStore(directory);
        expect(reopened.damage).toBeUndefined();
        await reopened.close();
      }
      await writeFile(path, bytes);
    }
  });
});

const lostSideFiles: readonly (readonly [string, (path: string) => Promise<void>])[] = [
  ["missing", (path) => rm(path)],
  ["empty", (path) => writeFile(path, "")],
  [
    "garbage",
    async (path) =>
      writeFile(
        path,
        (await readFile(path)).map((byte) => byte ^ 0xff),
      ),
  ],
  ["a directory", async (path) => rm(path).then(() => mkdir(path))],
];

test.each(lostSideFiles)(
  "a side file that is lost is damage, and stays as it is: %s",
  async (_what, lose) => {
    await withTemporaryDirectory(async (directory) => {
      const path = join(directory, "acknowledged");
      const store = await openStore(directory);
      await store.append([make("a")]);
      await store.close();
      await lose(path);
      const left = await readFile(path).catch((error: NodeJS.ErrnoException) => error.code);
      for (let opening = 1; opening <= 2; opening += 1) {
        await expectDamaged(directory, "file-damaged");
        const now = await readFile(path).catch((error: NodeJS.ErrnoException) => error.code);
        expect(now).toEqual(left);
      }
      const damaged = await openStore(directory);
      expect((await damaged.verify()).problems).toMatchObject([
        { position: 0, part: "acknowledged", code: "file-damaged" },
      ]);
      await damaged.close();
      const { plan } = await repairStore(directory);
      expect(plan).toMatchObject({ action: "rebuild", keep: 1, proven: 0, cut: null });
      const repaired = await openStore(directory);
      expect(repaired.damage).toBeUndefined();
      expect(await repaired.verify()).toMatchObject({ ok: true, head: 1 });
      await repaired.close();
    });
  },
);

test("a store has its side file before it has a name, and an empty one does not have to", async () => {
  await withTemporaryDirectory(async (directory) => {
    const path = join(directory, "acknowledged");
    await (await openStore(directory)).close();
    expect((await readFile(path)).length).toBe(128);
    // As older versions left it before the first event.
    await writeFile(path, "");
    const store = await openStore(directory);
    expect(store.damage).toBeUndefined();
    await store.append([make("a")]);
    await store.close();
    await rm(join(directory, "log"), { recursive: true });
    await (await openLevelStorage(join(directory, "log"))).close();
    await rm(path);
    await expectLost(directory);
  });
});

/** An empty log beside no side file: all of it may be gone. */
async function expectLost(directory: string): Promise<void> {
  const store = await openStore(directory);
  expect([store.head, store.damage?.code]).toEqual([0, "file-damaged"]);
  expect((await store.verify()).ok).toBe(false);
  await store.close();
}

/** Opens a damaged store: it says what is wrong, refuses to write, and reads its first record. */
async function expectDamaged(directory: string, code: string): Promise<StoreError> {
  const store = await openStore(directory);
  try {
    expect(store.damage?.code).toBe(code);
    expect(await codeOf(() => store.append([make("x")]))).toBe(code);
    expect((await store.record("a")).version).toBe(1);
    const report = await store.verify();
    expect([report.ok, report.problemCount > 0]).toEqual([false, true]);
    return must(store.damage, "a damaged store says what is wrong");
  } finally {
    await store.close();
  }
}

test("a store that has lost its key signs nothing, until it is given another one", async () => {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(directory);
    await store.append([make("a")]);
    await store.close();
    await rm(join(directory, "keys"), { recursive: true });
    const keyless = await openStore(directory);
    expect(await codeOf(() => keyless.checkpoint())).toBe("key-invalid");
    expect((await keyless.record("a")).version).toBe(1);
    await keyless.append([make("b")]);
    await keyless.close();
    const { verifierKey, replaced } = await renewSigningKey(directory);
    expect(replaced).toBeNull();
    const renewed = await openStore(directory);
    expect(await renewed.verifierKey()).toBe(verifierKey);
    await renewed.checkpoint();
    await renewed.close();
  });
});

test("a key that is replaced is kept aside", async () => {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(directory);
    const before = await store.verifierKey();
    await store.close();
    const { verifierKey, replaced } = await renewSigningKey(directory);
    expect(verifierKey).not.toBe(before);
    const kept = await readFile(join(directory, replaced ?? "", "verifier-key.txt"), "utf8");
    expect(kept.trim()).toBe(before);
    expect(await codeOf(() => renewSigningKey(join(directory, "nothing")))).toBe("store-not-found");
  });
});
