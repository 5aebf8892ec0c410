/** A server that is about to listen has the store open already: who asks then waits for it, and gets its answer. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { readStoreOwner, type StoreOwner } from "@sennit/core";
import { expect, test } from "vitest";

import { firstLine } from "./served.ts";
import { ended, spawned, start, withShell, type Shell } from "./support.ts";

const serve = ["serve", "--port", "0", "--log-level", "silent", "--json"];

/** The first that a process says of itself in the discovery file. */
async function firstOwner(directory: string): Promise<StoreOwner> {
  for (;;) {
    const owner = await readStoreOwner(directory);
    if (owner !== undefined) return owner;
    await sleep(1);
  }
}

test("who asks while a server is about to listen is answered by it", async () => {
  await withShell(async (shell) => {
    const store = join(shell.directory, ".sennit");
    for (let round = 1; round <= 4; round += 1) {
      const child = start(serve, shell.directory);
      const end = ended(child);
      const { pid, token } = await firstOwner(store);
      // It says that it is a server before it can say where.
      expect([pid, typeof token]).toEqual([child.pid, "string"]);
      const words = ["create", "thing", "x", "--id", `r${round}`];
      // A process of its own takes longer to begin than one can be waited for here.
      const answer = round % 2 === 0 ? await shell.run(words) : await run(shell, words);
      expect(answer.code, answer.stderr).toBe(0);
      expect(answer.stderr).toMatch(/^http:\/\/127\.0\.0\.1:\d+ answers/);
      child.kill("SIGINT");
      await end;
    }
    expect((await shell.json("list")).records).toHaveLength(4);
  });
});

const run = (shell: Shell, words: readonly string[]) => spawned(words, shell.directory);

test("a server that ends before it listens leaves the store to who waits for it", async () => {
  await withShell(async (shell) => {
    await shell.text("create", "thing", "it", "--id", "it");
    const child = start(serve, shell.directory);
    const end = ended(child);
    await firstOwner(join(shell.directory, ".sennit"));
    const shown = shell.run(["show", "it", "--json"]);
    child.kill("SIGKILL");
    await end;
    expect(await shown).toMatchObject({ code: 0, stderr: "" });
  });
});

test("a server that never comes to listen is waited for a while, and then told of", async () => {
  await withShell(async (shell) => {
    const child = start(["log", "--follow"], shell.directory);
    const end = ended(child);
    const store = join(shell.directory, ".sennit");
    const owner = await firstOwner(store);
    await writeFile(join(store, "owner.json"), JSON.stringify({ pid: owner.pid, token: "t" }));
    const refusal = await shell.refusal(["list"]);
    expect(refusal).toMatchObject({ exit: 5, code: "store-locked", details: { url: null } });
    expect(JSON.stringify(refusal)).not.toContain('"t"');
    child.kill("SIGINT");
    await end;
  });
});

test("a server waits for a command that ends by itself, and not for another server", async () => {
  await withShell(async (shell) => {
    const holder = start(["ingest", "-"], shell.directory);
    const held = ended(holder);
    await firstOwner(join(shell.directory, ".sennit"));
    const child = start(serve, shell.directory);
    const end = ended(child);
    await sleep(1000);
    holder.stdin?.end();
    expect((await held).code).toBe(0);
    const { url } = await firstLine<{ readonly url: string }>(child);
    expect(url).toMatch(/^http:/);
    const second = await spawned(serve, shell.directory);
    expect([second.code, JSON.parse(second.stderr)]).toMatchObject([5, { code: "store-locked" }]);
    const text = await readFile(join(shell.directory, ".sennit", "owner.json"), "utf8");
    expect(JSON.parse(text)).toMatchObject({ pid: child.pid, url });
    child.kill("SIGINT");
    await end;
  });
});
