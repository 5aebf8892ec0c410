/** The process of `sennit serve`: told to stop, it finishes what it has begun, and leaves nothing behind. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, stat } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { openStore } from "@sennit/core";
import { eventually, withTemporaryDirectory } from "@sennit/core/testing";
import { expect, test } from "vitest";

import { repositoryRoot } from "./support/repository.ts";

interface Serving {
  readonly url: string;
  readonly directory: string;
  readonly child: ChildProcess;
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
}

async function withServe(use: (serving: Serving) => Promise<void>): Promise<void> {
  await withTemporaryDirectory(async (directory) => {
    await (await openStore(directory)).close();
    const command = join(repositoryRoot, "packages", "cli", "bin", "sennit.js");
    const flags = ["serve", "--store", directory, "--port", "0", "--json"];
    const child = spawn(process.execPath, [command, ...flags], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    const ended = once(child, "exit").then(([code, signal]) => (code ?? signal) as number | string);
    try {
      const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
      const { url } = JSON.parse(line) as { url: string };
      await use({ url, directory, child, ended });
    } finally {
      child.kill("SIGKILL");
      await ended;
    }
  });
}

const event = (recordId: string) =>
  JSON.stringify({ type: "record.created", recordId, data: { kind: "note", name: recordId } });

/** An append whose body ends when `finish` is called. */
function slowAppend(url: string): {
  readonly begun: Promise<void>;
  readonly finish: () => void;
  readonly status: Promise<number>;
} {
  const sent = request(`${url}/v1/events`, {
    method: "POST",
    headers: { "content-type": "application/json" },
  });
  const status = new Promise<number>((resolve, reject) => {
    sent.once("error", reject);
    sent.once("response", (response) => {
      response.resume();
      response.once("end", () => resolve(response.statusCode ?? 0));
    });
  });
  const body = event("slow");
  const begun = new Promise<void>((resolve) => sent.write(body.slice(0, 10), () => resolve()));
  return { begun, finish: () => sent.end(body.slice(10)), status };
}

test("told to stop, it answers what it has begun, ends streams, and takes its address back", async () => {
  await withServe(async ({ url, directory, child, ended }) => {
    const owner = join(directory, "owner.json");
    expect(JSON.parse(await readFile(owner, "utf8"))).toMatchObject({ pid: child.pid, url });
    expect((await stat(owner)).mode & 0o777).toBe(0o600);
    const stream = await fetch(`${url}/v1/events/stream`);
    const text = stream.text();
    const slow = slowAppend(url);
    await slow.begun;
    await fetch(`${url}/healthz`);
    child.kill("SIGTERM");
    expect(await text).toContain("event: closing\n");
    // It is no longer to be found, and what was begun is still being answered.
    await eventually(async () => {
      const found = await fetch(`${url}/healthz`).then(
        () => "answers",
        () => "gone",
      );
      expect(found).toBe("gone");
    });
    slow.finish();
    expect(await slow.status).toBe(200);
    expect(await ended).toBe(0);
    expect(await readdir(directory)).not.toContain("owner.json");
    const store = await openStore(directory);
    expect((await store.record("slow")).version).toBe(1);
    await store.close();
  });
});

test("told to stop a second time, it ends at once, and what was acknowledged is there", async () => {
  await withServe(async ({ url, directory, child, ended }) => {
    const headers = { "content-type": "application/json" };
    const options = { method: "POST", headers, body: event("quick") };
    expect((await fetch(`${url}/v1/events`, options)).status).toBe(200);
    const slow = slowAppend(url);
    const broken = slow.status.catch(() => "broken");
    await slow.begun;
    await fetch(`${url}/healthz`);
    child.kill("SIGINT");
    await eventually(async () => {
      await expect(fetch(`${url}/healthz`)).rejects.toThrow("fetch failed");
    });
    child.kill("SIGTERM");
    expect(await ended).toBe("SIGTERM");
    expect(await broken).toBe("broken");
    const store = await openStore(directory);
    expect([store.head, (await store.record("quick")).version]).toEqual([1, 1]);
    await store.close();
  });
});
