/** A process killed while it erases leaves the content whole, or erased and gone from every file once the store is opened. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { created, openStore } from "@sennit/core";
import { filesHolding, withTemporaryDirectory } from "@sennit/core/testing";
import { beforeAll, expect, test } from "vitest";

import { repositoryRoot } from "../support/repository.ts";

const child = fileURLToPath(new URL("erase-child.mjs", import.meta.url));
const kills = 14;
/** Not to be found in a compressed table, unless it is there letter by letter. */
const secretOf = (index: number): string => `QX${index}ZJKWVPLMN${index * 7919}`;

beforeAll(() => {
  const built = join(repositoryRoot, "packages", "core", "dist", "index.js");
  if (!existsSync(built)) throw new Error("There is no build to kill: run npm run build first.");
});

async function fill(directory: string): Promise<void> {
  const store = await openStore(directory);
  const noise = Array.from({ length: 3000 }, (_, index) =>
    created(`r-${index}`, { kind: "run", name: `run ${index}`, attributes: { index } }),
  );
  await store.append(noise);
  for (let index = 0; index < kills; index += 1) {
    await store.append([created(`s-${index}`, { kind: "scan", name: secretOf(index) })]);
  }
  await store.close();
}

/** Kills an erasure some time after it began. @returns false when it was done before */
async function killErasure(directory: string, recordId: string, afterMs: number): Promise<boolean> {
  const running = spawn(process.execPath, [child, directory, recordId], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(running, "exit");
  await once(running.stdout, "data");
  await setTimeout(afterMs);
  running.kill("SIGKILL");
  const [, signal] = (await exited) as [number | null, string | null];
  return signal === "SIGKILL";
}

test("an erasure that is killed has not begun, or is finished when the store is next opened", async () => {
  await withTemporaryDirectory(async (directory) => {
    await fill(directory);
    const outcomes = { killed: 0, whole: 0, erased: 0 };
    for (let index = 0; index < kills; index += 1) {
      const secret = secretOf(index);
      // From before the write to after the last file has been rewritten.
      if (await killErasure(directory, `s-${index}`, index * 4)) outcomes.killed += 1;
      const store = await openStore(directory, { create: false });
      const { name, erased } = await store.record(`s-${index}`);
      expect([secret, ""]).toContain(name);
      expect(erased === undefined).toBe(name === secret);
      outcomes[erased === undefined ? "whole" : "erased"] += 1;
      if (erased !== undefined)
        expect([index, await filesHolding(directory, secret)]).toEqual([index, []]);
      expect(await store.verify()).toMatchObject({ ok: true, problems: [] });
      await store.erase([`s-${index}`], { cause: "again" });
      expect([index, await filesHolding(directory, secret)]).toEqual([index, []]);
      await store.close();
    }
    expect(outcomes.killed).toBeGreaterThan(0);
    expect(outcomes.whole + outcomes.erased).toBe(kills);
  });
}, 120_000);
