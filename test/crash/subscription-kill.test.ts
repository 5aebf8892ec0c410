/** A server killed while it writes a durable subscription down: what was acknowledged stays so, and nothing is torn. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";

import { created, openStore } from "@sennit/core";
import { withTemporaryDirectory } from "@sennit/core/testing";
import { expect, test } from "vitest";

import { repositoryRoot } from "../support/repository.ts";

/** `SUBSCRIPTION_KILLS=200 npx vitest run test/crash/subscription-kill.test.ts` takes longer. */
const kills = Number(process.env["SUBSCRIPTION_KILLS"] ?? 3);
const events = 5000;
const command = join(repositoryRoot, "packages", "cli", "bin", "sennit.js");

/** Serves a store in a process of its own, which `use` is given the means to kill. */
async function withProcess(
  directory: string,
  use: (url: string, kill: () => Promise<unknown>) => Promise<void>,
): Promise<void> {
  const flags = ["serve", "--store", directory, "--port", "0", "--json"];
  const child = spawn(process.execPath, [command, ...flags], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const exited = once(child, "exit");
  const kill = async (): Promise<unknown> => {
    child.kill("SIGKILL");
    return exited;
  };
  try {
    const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    await use((JSON.parse(line) as { url: string }).url, kill);
  } finally {
    await kill();
  }
}

async function ask(url: string, method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`${url}/v1/subscriptions/flow${path}`, {
    method,
    ...(body !== undefined && {
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    }),
  });
  expect(response.ok, `${method} ${path}`).toBe(true);
  return response.json();
}

test("of a subscription nothing acknowledged is forgotten, whenever the server is killed", async () => {
  await withTemporaryDirectory(async (directory) => {
    const store = await openStore(directory);
    for (let from = 0; from < events; from += 1000) {
      const batch = Array.from({ length: 1000 }, (_, index) => `r-${from + index}`);
      await store.append(batch.map((id) => created(id, { kind: "note", name: id })));
    }
    await store.close();
    let acknowledged = 0;
    let sent = 0;
    for (let round = 0; round <= kills; round += 1) {
      await withProcess(directory, async (url, kill) => {
        if (round === 0) await ask(url, "PUT", "", { from: 1 });
        const found = (await ask(url, "GET", "")) as { acknowledged: number; delivered: number };
        expect(found.acknowledged).toBeGreaterThanOrEqual(acknowledged);
        expect(found.acknowledged).toBeLessThanOrEqual(sent);
        ({ acknowledged } = found);
        sent = acknowledged;
        if (round === kills) return;
        const answer = await ask(url, "GET", "/events?limit=10000");
        const [next] = (answer as { events: readonly { position: number }[] }).events;
        expect(next?.position).toBe(acknowledged + 1);
        const killed = setTimeout(20 + Math.random() * 200).then(kill);
        try {
          while (sent < events) {
            sent += 1;
            await ask(url, "POST", "/acknowledge", { position: sent });
            acknowledged = sent;
          }
        } catch (error) {
          // What fetch fails with once nobody is there.
          if (!(error instanceof TypeError)) throw error;
        }
        await killed;
      });
    }
    expect(acknowledged).toBeGreaterThan(0);
  });
});
