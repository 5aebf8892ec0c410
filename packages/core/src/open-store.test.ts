/** Opening: what is a store, what is none, and who may have it. */
import { spawn } from "node:child_process";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, test } from "vitest";

import { openStore, storeFormat } from "./open-store.ts";
import { openLevelStorage } from "./storage/level-storage.ts";
import { entryKey } from "./storage/keyspace.ts";
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
    expect((await readdir(directory)).toSorted()).toEqual(["keys", "log", "sennit.json"]);
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

test("a log that has lost its end, or has more than was committed, is noticed at opening", async () => {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(directory);
    await store.append([make("a"), make("b")]);
    await store.close();
    const storage = await openLevelStorage(join(directory, "log"));
    const last = storage.get(entryKey(2)) ?? Buffer.alloc(0);
    await storage.write({ puts: [], deletes: [entryKey(2)] });
    await storage.close();
    expect(await codeOf(() => openStore(directory))).toBe("head-mismatch");
    const again = await openLevelStorage(join(directory, "log"));
    await again.write({
      puts: [
        [entryKey(2), last],
        [entryKey(3), last],
      ],
    });
    await again.close();
    expect(await codeOf(() => openStore(directory))).toBe("head-mismatch");
  });
});
