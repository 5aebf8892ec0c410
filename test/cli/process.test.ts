/** The built command as a process: streams, signals, locks, and a store that survives being killed. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { openLevelStorage, type StorageEntry } from "@sennit/core";
import { withTemporaryDirectory } from "@sennit/core/testing";
import { expect, test } from "vitest";

import {
  builtCommand,
  creation,
  ended,
  eventId,
  ndjson,
  spawned,
  start,
  type Json,
} from "./support.ts";

/** Gives `use` a directory with an empty store, made by the built command. */
async function withBuiltStore<T>(use: (directory: string) => Promise<T>): Promise<T> {
  return withTemporaryDirectory(async (directory) => {
    const { code, stderr } = await spawned(["init"], directory);
    if (code !== 0) throw new Error(`sennit init ended with ${code}: ${stderr}`);
    return use(directory);
  });
}

async function json(words: readonly string[], cwd: string): Promise<Json> {
  const { stdout } = await spawned([...words, "--json"], cwd);
  return JSON.parse(stdout) as Json;
}

function shell(script: string, cwd: string) {
  const line = `sennit() { "${process.execPath}" "${builtCommand}" "$@"; }; ${script}`;
  const child = spawn("bash", ["-c", line], { cwd, stdio: ["ignore", "pipe", "pipe"] });
  return ended(child);
}

test("data goes to stdout and talk to stderr, and the exit code follows the category", async () => {
  await withBuiltStore(async (directory) => {
    const made = await spawned(["create", "config", "run 7", "--id", "cfg-1"], directory);
    expect(made).toMatchObject({ code: 0, stderr: "" });
    expect(made.stdout).toBe('created cfg-1@1  config "run 7"  at position 1\n');
    const listed = await spawned(["list", "--as-of", "1"], directory);
    expect(listed).toMatchObject({ code: 0, stderr: "as of position 1\n" });
    expect(listed.stdout).not.toContain("\u001b");
    expect(await spawned(["show", "nobody"], directory)).toMatchObject({ code: 3, stdout: "" });
    expect(await spawned(["show"], directory)).toMatchObject({ code: 2, stdout: "" });
    const refused = await spawned(["show", "nobody", "--json"], directory);
    expect(refused).toMatchObject({ code: 3, stdout: "" });
    expect(JSON.parse(refused.stderr)).toMatchObject({ code: "record-not-found" });
  });
});

test("the store is found upwards from a folder below, by SENNIT_STORE, and by --store before it", async () => {
  await withBuiltStore(async (directory) => {
    const below = join(directory, "a/b/c");
    await mkdir(below, { recursive: true });
    await spawned(["create", "config", "x", "--id", "here"], below);
    expect(await json(["list"], directory)).toMatchObject({ records: [{ id: "here" }] });
    await withBuiltStore(async (other) => {
      const env = { SENNIT_STORE: join(directory, ".sennit") };
      const there = await spawned(["list", "--json"], other, { env });
      expect(JSON.parse(there.stdout)).toMatchObject({ records: [{ id: "here" }] });
      const flag = await spawned(["list", "--json", "--store", ".sennit"], other, { env });
      expect(JSON.parse(flag.stdout)).toEqual({ asOf: 0, records: [] });
      const unset = await spawned(["list", "--json"], other, { env: { SENNIT_STORE: "" } });
      expect(JSON.parse(unset.stdout)).toEqual({ asOf: 0, records: [] });
    });
  });
});

test("a reader that has seen enough ends the command quietly", async () => {
  await withBuiltStore(async (directory) => {
    const events = Array.from({ length: 20_000 }, (_, index) => creation(`r${index}`));
    await spawned(["ingest", "-"], directory, { input: ndjson(events) });
    const { code, stdout, stderr } = await shell(
      'sennit log --limit 20000 | head -2; echo "${PIPESTATUS[0]}"; sennit log --json --limit 20000 | head -c 10 > /dev/null; echo "${PIPESTATUS[0]}"',
      directory,
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^POSITION .*\n +1 .*\n0\n0\n$/);
    expect(await spawned(["verify"], directory)).toMatchObject({ code: 0 });
  });
});

test("a reader that has gone changes no exit code, and ends what has no end", async () => {
  await withBuiltStore(async (directory) => {
    await spawned(["ingest", "-"], directory, {
      input: ndjson([creation("a"), creation("d", ["a"])]),
    });
    await spawned(["update", "a", "--set", "attributes.x=1"], directory);
    const { stdout, stderr } = await shell(
      'sennit replay d --check 2>&1 | true; echo "${PIPESTATUS[0]}"; sennit show nobody 2>&1 | true; echo "${PIPESTATUS[0]}"; sennit list | true; echo "${PIPESTATUS[0]}"; sennit log --follow | true; echo "${PIPESTATUS[0]}"',
      directory,
    );
    expect({ stdout, stderr }).toMatchObject({ stdout: "4\n3\n0\n0\n" });
  });
});

test("refused lines take no memory", async () => {
  await withBuiltStore(async (directory) => {
    const child = start(["ingest", "-", "--json"], directory, {
      NODE_OPTIONS: "--max-old-space-size=192",
    });
    const end = ended(child);
    const { stdin } = child;
    if (stdin === null) throw new Error("standard input is a pipe");
    const line = ndjson([{ ["m".repeat(7_000_000)]: 1 }]);
    for (let count = 0; count < 60; count += 1) {
      if (!stdin.write(line)) await once(stdin, "drain");
    }
    stdin.end();
    const { code, stdout } = await end;
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ stored: 0, refused: 60 });
  });
});

test("closed standard input is an empty stream", async () => {
  await withBuiltStore(async (directory) => {
    const { stdout } = await shell('sennit ingest - --json <&-; echo "$?"', directory);
    expect(stdout).toBe('{"stored":0,"duplicates":0,"refused":0,"head":0,"errors":[]}\n0\n');
  });
});

test("log --follow prints what is stored, waits, and ends well on SIGINT", async () => {
  await withBuiltStore(async (directory) => {
    await spawned(["ingest", "-"], directory, {
      input: ndjson([creation("a"), creation("b", ["a"])]),
    });
    const child = start(["log", "--follow", "--json"], directory);
    const end = ended(child);
    let seen = "";
    child.stdout?.on("data", (chunk: Buffer) => (seen += chunk.toString()));
    while (seen.split("\n").length < 3) await once(child.stdout ?? child, "data");
    // Time in which a process that nothing keeps running would end by itself.
    await Promise.race([end, new Promise((resolve) => setTimeout(resolve, 300))]);
    expect(child.exitCode).toBeNull();
    child.kill("SIGINT");
    const { code, signal, stdout, stderr } = await end;
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: "" });
    const events = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Json);
    expect(events.map(({ position }) => position)).toEqual([1, 2]);
    expect(await spawned(["verify"], directory)).toMatchObject({ code: 0 });
  });
});

test("log --follow says on stderr that it keeps the store to itself", async () => {
  await withBuiltStore(async (directory) => {
    await spawned(["create", "config", "x", "--id", "a"], directory);
    const child = start(["log", "--follow", "a"], directory);
    const end = ended(child);
    await once(child.stdout ?? child, "data");
    child.kill("SIGINT");
    const { code, stdout, stderr } = await end;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ *1 {2,}\d{4}-\d\d-\d\d [\d:]{8}Z {2}created {6}a@1 .*\n$/);
    expect(stderr).toMatch(/^[^\n]+\n$/);
  });
});

test("a store in use is refused with the id of the process that uses it, and free again after its death", async () => {
  await withBuiltStore(async (directory) => {
    await spawned(["create", "config", "x", "--id", "a"], directory);
    const child = start(["log", "--follow"], directory);
    const end = ended(child);
    await once(child.stdout ?? child, "data");
    for (const words of [["list"], ["create", "config", "y"], ["verify"], ["ingest", "-"]]) {
      const refused = await spawned([...words, "--json"], directory);
      expect(refused, words[0]).toMatchObject({ code: 5, stdout: "" });
      expect(JSON.parse(refused.stderr), words[0]).toMatchObject({
        code: "store-locked",
        details: { pid: child.pid },
      });
    }
    expect((await spawned(["list"], directory)).stderr).toContain(`process ${child.pid}`);
    child.kill("SIGKILL");
    await end;
    expect(await json(["list"], directory)).toMatchObject({ asOf: 1 });
  });
});

/** Everything of an event that two runs of the same ingest must agree on. */
function contentOf({ events }: Json): unknown[] {
  return (events ?? []).map(({ position, id, recordId, version, type, data }) => ({
    position,
    id,
    recordId,
    version,
    type,
    data,
  }));
}

test("an ingest that is killed midway and run again leaves the store that one run would have left", async () => {
  await withTemporaryDirectory(async (directory) => {
    const events = Array.from({ length: 4000 }, (_, index) => ({
      ...creation(`r${index}`, index % 5 === 0 ? [] : [`r${index - 1}`]),
      id: eventId(index),
    }));
    const lines = ndjson(events);
    await writeFile(join(directory, "events.ndjson"), lines);
    for (const name of ["whole", "killed"]) await spawned(["init", name], directory);
    await spawned(["ingest", "events.ndjson", "--store", "whole"], directory);
    const heads: number[] = [];
    for (const part of [0.2, 0.5, 0.8]) {
      const child = start(["ingest", "-", "--batch", "50", "--store", "killed"], directory);
      const end = ended(child);
      // Input stays open, so that the process is surely at work when it is killed.
      child.stdin?.write(lines.slice(0, Math.floor(lines.length * part)));
      await waitForLog(join(directory, "killed", "log"));
      child.kill("SIGKILL");
      expect((await end).signal).toBe("SIGKILL");
      const verified = await json(["verify", "--store", "killed"], directory);
      expect(verified).toMatchObject({ ok: true });
      heads.push(Number(verified["head"]));
    }
    expect(heads).toEqual(heads.toSorted((a, b) => a - b));
    expect(heads.at(-1)).toBeLessThan(4000);
    const last = await json(["ingest", "events.ndjson", "--store", "killed"], directory);
    expect(last).toMatchObject({ refused: 0, head: 4000, duplicates: heads.at(-1) });
    const [whole, killed] = await Promise.all(
      ["whole", "killed"].map((name) =>
        json(["log", "--limit", "10000", "--store", name], directory),
      ),
    );
    expect(contentOf(killed ?? {})).toEqual(contentOf(whole ?? {}));
    expect(contentOf(whole ?? {})).toHaveLength(4000);
  });
});

/** Waits until the log has grown by some batches. */
async function waitForLog(log: string): Promise<void> {
  const before = await sizeOf(log);
  for (let size = before; size < before + 20_000; size = await sizeOf(log)) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function sizeOf(directory: string): Promise<number> {
  let size = 0;
  for (const name of await readdir(directory)) {
    const bytes = await readFile(join(directory, name)).catch(() => Buffer.alloc(0));
    size += bytes.length;
  }
  return size;
}

test("200 000 lines stream through in the memory of a batch", async () => {
  await withBuiltStore(async (directory) => {
    const child = start(["ingest", "-", "--json"], directory, {
      NODE_OPTIONS: "--max-old-space-size=96",
    });
    const end = ended(child);
    const { stdin } = child;
    if (stdin === null) throw new Error("standard input is a pipe");
    // About 170 MB of lines, of which hardly any would fit.
    const padding = "x".repeat(700);
    for (let block = 0; block < 400; block += 1) {
      const events = Array.from({ length: 500 }, (_, index) => ({
        type: "record.created",
        recordId: `r${block}-${index}`,
        data: { kind: "k", name: "n", attributes: { padding } },
      }));
      if (!stdin.write(ndjson(events))) await once(stdin, "drain");
    }
    stdin.end();
    const { code, stdout } = await end;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ stored: 200_000, refused: 0, head: 200_000 });
  });
});

test("verify finds a damaged log, names the place, and ends with 6", async () => {
  await withBuiltStore(async (directory) => {
    const events = Array.from({ length: 200 }, (_, index) => ({
      type: "record.created",
      recordId: `r${index}`,
      data: { kind: "thing", name: `name of ${index}` },
    }));
    await spawned(["ingest", "-"], directory, { input: ndjson(events) });
    expect(await spawned(["verify"], directory)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /^ok {2}head at 200\nchecked 200 events, 200 records, \d+\.\d MiB in \d+\.\d s \(\d+ events\/s\)\n$/,
      ),
    });
    await damage(join(directory, ".sennit", "log"), "name of 100");
    const verified = await spawned(["verify", "--json"], directory);
    expect(verified.code).toBe(6);
    expect(JSON.parse(verified.stdout)).toMatchObject({
      ok: false,
      events: 199,
      intactUntil: 100,
      unreadable: 1,
      problems: [{ position: 101, part: "entry", code: "checksum-mismatch" }],
    });
    const text = await spawned(["verify"], directory);
    expect(text).toMatchObject({ code: 6, stderr: "" });
    expect(text.stdout).toMatch(/^checksum-mismatch at position 101: /);
    const shown = await spawned(["show", "r100", "--json"], directory);
    expect(shown.code).toBe(6);
    expect(shown.stdout).toBe("");
  });
});

/** Flips a bit of each value of a log that holds a text, inside the text. */
async function damage(log: string, text: string): Promise<void> {
  const storage = await openLevelStorage(log);
  const puts: StorageEntry[] = [];
  const everything = { from: Buffer.alloc(0), until: Buffer.alloc(1, 0xff) };
  for await (const entries of storage.scan(everything)) {
    for (const [key, value] of entries) {
      const at = Buffer.from(value).indexOf(text);
      if (at === -1) continue;
      const damaged = Uint8Array.from(value);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      puts.push([key, damaged]);
    }
  }
  if (puts.length === 0) throw new Error(`no value holds ${text}`);
  await storage.write({ puts });
  await storage.close();
}

test("views that are deleted or damaged are built again", async () => {
  await withBuiltStore(async (directory) => {
    await spawned(["ingest", "-"], directory, {
      input: ndjson([creation("a"), creation("b", ["a"])]),
    });
    const before = await json(["list"], directory);
    const store = join(directory, ".sennit");
    const views = (await readdir(store)).find((name) => name.startsWith("views"));
    if (views === undefined) throw new Error("the store has no views");
    await rm(join(store, views), { recursive: true });
    expect(await json(["list"], directory)).toEqual(before);
  });
});

test("the demo plays its story, and leaves a store that the built command reads", async () => {
  await withTemporaryDirectory(async (directory) => {
    const { code, stdout, stderr } = await spawned(["demo", "try", "--once"], directory);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("--as-of");
    expect(await spawned(["verify", "--store", "try"], directory)).toMatchObject({ code: 0 });
  });
});
