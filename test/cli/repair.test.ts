/** `sennit verify --repair`: says what would go, changes nothing unasked, repairs, and survives being killed. */
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";

import { openLevelStorage } from "@sennit/core";
import { withTemporaryDirectory } from "@sennit/core/testing";
import { expect, test } from "vitest";

import { CommandLine, shellWords } from "../support/command-line.ts";
import { readText } from "../support/repository.ts";
import { creation, ended, ndjson, spawned, start } from "./support.ts";

/** A store in `STORE` with three records, of which the last entry is gone. */
async function damagedStore(directory: string): Promise<CommandLine> {
  const shell = new CommandLine(directory);
  await mkdir(join(directory, "STORE"));
  await shell.run(["init", "STORE"]);
  for (const id of ["a", "b", "c"]) {
    await shell.run(["create", "thing", id, "--id", id, "--store", "STORE"]);
  }
  await removeEntry(join(directory, "STORE"), 3);
  return shell;
}

async function removeEntry(store: string, position: number): Promise<void> {
  const storage = await openLevelStorage(join(store, "log"));
  const key = Buffer.alloc(9);
  key.write("E");
  key.writeBigUInt64BE(BigInt(position), 1);
  await storage.write({ puts: [], deletes: [key] });
  await storage.close();
}

test("without --yes the plan is printed, the exit code is 6, and the store is as it was", async () => {
  await withTemporaryDirectory(async (directory) => {
    const shell = await damagedStore(directory);
    const { code, stdout } = await shell.run(["verify", "--repair", "--store", "STORE"]);
    expect(code).toBe(6);
    expect(stdout.split("\n").slice(-7)).toEqual([
      "positions 1 to 2 stay, not proven: by checksums alone",
      "position 3 goes: 1 event",
      "events up to 3 were acknowledged",
      "  c loses version 1",
      "if there is a backup, restore that first: it may hold what would go",
      "nothing has been changed; to do it, add --yes",
      "",
    ]);
    expect(await readdir(join(directory, "STORE"))).not.toContain("repairs.ndjson");
  });
});

test("--json gives the plan and what was done; --yes alone is refused", async () => {
  await withTemporaryDirectory(async (directory) => {
    const shell = await damagedStore(directory);
    const words = ["verify", "--repair", "--store", "STORE", "--json"];
    const planned = await shell.run(words);
    expect(JSON.parse(planned.stdout)).toMatchObject({
      plan: { action: "cut", keep: 2, cut: { from: 3, to: 3, events: 1 } },
      repair: null,
      keysLost: 0,
    });
    const done = await shell.run([...words, "--yes"]);
    expect(done.code).toBe(0);
    expect(JSON.parse(done.stdout)).toMatchObject({ repair: { new: { head: 2 } } });
    const sound = await shell.run(["verify", "--repair", "--store", "STORE"]);
    expect(sound).toMatchObject({
      code: 0,
      stdout: "nothing to repair: all 2 events are intact\n",
    });
    expect((await shell.run(["verify", "--yes", "--store", "STORE"])).code).toBe(2);
  });
});

test("a store without its side file fails verification until that is accepted", async () => {
  await withTemporaryDirectory(async (directory) => {
    const shell = new CommandLine(directory);
    await shell.run(["init", "STORE"]);
    await shell.run(["create", "thing", "a", "--store", "STORE"]);
    await rm(join(directory, "STORE", "acknowledged"));
    const verified = await shell.run(["verify", "--store", "STORE"]);
    expect(verified.code).toBe(6);
    expect(verified.stdout).toMatch(/^file-damaged: /);
    const planned = await shell.run(["verify", "--repair", "--store", "STORE"]);
    expect(planned.code).toBe(6);
    expect(planned.stdout).toMatch(/^not proven: /m);
    expect((await shell.run(["verify", "--repair", "--yes", "--store", "STORE"])).code).toBe(0);
    expect((await shell.run(["verify", "--store", "STORE"])).code).toBe(0);
  });
});

test("the guide's commands repair a damaged store", async () => {
  await withTemporaryDirectory(async (directory) => {
    const shell = await damagedStore(directory);
    const guide = readText("docs/guides/damaged-store.md");
    const commands = [...guide.matchAll(/^sennit (.*)$/gm)].map(([, words = ""]) => words);
    expect(commands).toHaveLength(3);
    const codes: number[] = [];
    for (const words of commands) codes.push((await shell.run(shellWords(words))).code);
    expect(codes).toEqual([6, 0, 0]);
    const names = await readdir(join(directory, "STORE"));
    for (const name of [/^log\.damaged-/, /^acknowledged\.damaged-/, /^repairs\.ndjson$/]) {
      expect(names.filter((found) => name.test(found))).toHaveLength(1);
    }
  });
});

test("a repair that is killed leaves the damaged store or the repaired one", async () => {
  await withTemporaryDirectory(async (directory) => {
    const events = Array.from({ length: 5000 }, (_, index) => creation(`r${index}`));
    await spawned(["init"], directory);
    await spawned(["ingest", "-"], directory, { input: ndjson(events) });
    const store = join(directory, ".sennit");
    await removeEntry(store, 4900);
    const outcomes = new Set<string>();
    for (let delayMs = 100; delayMs < 60_000 && !outcomes.has("repaired"); delayMs *= 1.2) {
      const child = start(["verify", "--repair", "--yes"], directory);
      const timer = setTimeout(() => child.kill("SIGKILL"), delayMs);
      await ended(child);
      clearTimeout(timer);
      const verified = await spawned(["verify", "--json"], directory);
      const report = JSON.parse(verified.stdout) as { head: number; intactUntil: number };
      expect(report.intactUntil).toBe(4899);
      expect([report.head, verified.code]).toEqual(report.head === 4899 ? [4899, 0] : [5000, 6]);
      outcomes.add(report.head === 4899 ? "repaired" : "damaged");
    }
    expect(outcomes).toEqual(new Set(["damaged", "repaired"]));
    const line = await readFile(join(store, "repairs.ndjson"), "utf8");
    expect(JSON.parse(line)).toMatchObject({ cut: { from: 4900, to: 5000 } });
  });
});
