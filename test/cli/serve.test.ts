/** `sennit serve` and the demo's server, as processes of their own: when they are ready, how they end, what they refuse. */
import { expect, test } from "vitest";

import { firstLine } from "./served.ts";
import { ended, start, withShell, type Refusal } from "./support.ts";

const silent = ["--port", "0", "--log-level", "silent"];

interface Served {
  readonly url: string;
  readonly pid: number;
}

test.each(["SIGINT", "SIGTERM"] as const)(
  "it says where it answers once it does, and %s ends it with exit code 0",
  async (signal) => {
    await withShell(async (shell) => {
      await shell.text("create", "thing", "it", "--id", "it");
      const child = start(["serve", "--json", ...silent], shell.directory);
      const end = ended(child);
      const { url, ...served } = await firstLine<Served>(child);
      expect(served).toMatchObject({ pid: child.pid, head: 1 });
      const answer = await fetch(`${url}/v1/records/it`);
      expect(await answer.json()).toMatchObject({ id: "it", version: 1 });
      child.kill(signal);
      expect(await end).toMatchObject({ code: 0, signal: null, stderr: "" });
      // The store is free again.
      expect(await shell.json("show", "it")).toMatchObject({ id: "it" });
    });
  },
);

test("on a terminal the log is for reading, and elsewhere for programs", async () => {
  await withShell(async (shell) => {
    await shell.text("init");
    const logged = async (isInteractive: boolean) => {
      const signal = AbortSignal.timeout(1);
      const { stderr } = await shell.run(["serve", "--port", "0"], { isInteractive, signal });
      return stderr.split("\n")[0] ?? "";
    };
    expect(await logged(true)).toMatch(/^\d{4}-\S+ INFO /);
    expect(JSON.parse(await logged(false))).toMatchObject({ level: "info" });
  });
});

test("a port that is taken is refused with what to do, and the store is free again", async () => {
  await withShell(async (shell) => {
    await shell.text("init", "other");
    const child = start(["serve", "--json", ...silent], shell.directory);
    const end = ended(child);
    const { url } = await firstLine<Served>(child);
    const { port } = new URL(url);
    const refusal = await shell.refusal(["serve", "--port", port, "--store", "other"]);
    expect(refusal).toMatchObject({ exit: 5, code: "listen-failed" });
    expect(refusal.hint).toContain("--port 0");
    expect((await shell.run(["list", "--store", "other"])).code).toBe(0);
    child.kill("SIGTERM");
    await end;
  });
});

test.each<[string[], Partial<Refusal>]>([
  [["--port", "many"], { exit: 2, code: "setting-invalid" }],
  [["--config", "nowhere.json"], { exit: 2, code: "file-unreadable" }],
  [["--store", "http://127.0.0.1:4600"], { exit: 2, code: "argument-invalid" }],
  [["--store", "nowhere"], { exit: 3, code: "store-not-found" }],
])("serve %j is refused before anything is opened", async (words, expected) => {
  await withShell(async (shell) => {
    expect(await shell.refusal(["serve", ...words])).toMatchObject(expected);
  });
});

test("the demo ends with a server, which Ctrl-C ends", async () => {
  await withShell(async (shell) => {
    const child = start(["demo", "try", "--json"], shell.directory);
    const end = ended(child);
    const { url } = await firstLine<Served>(child);
    const answer = await fetch(`${url}/v1/records/decision-1`);
    expect(await answer.json()).toMatchObject({ id: "decision-1" });
    child.kill("SIGINT");
    expect(await end).toMatchObject({ code: 0, signal: null, stderr: "" });
    expect((await shell.run(["show", "decision-1", "--store", "try"])).code).toBe(0);
  });
});
