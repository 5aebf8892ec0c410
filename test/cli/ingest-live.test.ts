/** Lines that come one by one down a pipe that stays open: each is stored and told of before the next is there. */
import { createInterface } from "node:readline";

import { expect, test } from "vitest";

import { withServing } from "./served.ts";
import { creation, ended, ndjson, start, withShell, type Json } from "./support.ts";

const each = ["ingest", "-", "--results", "--json"];

/** Sends events one by one, and waits for the result of each. */
async function expectConversation(
  directory: string,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const child = start(each, directory, env);
  const end = ended(child);
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error("The process has no pipes.");
  const told = createInterface(stdout)[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await told.next()).value ?? "") as Json;
  for (let line = 1; line <= 3; line += 1) {
    stdin.write(ndjson([creation(`r${line}`)]));
    expect(await next()).toMatchObject({ line, status: "stored", position: line });
  }
  // Half a line waits for its end, and does not keep back what stands before it.
  stdin.write(`x\n${ndjson([creation("r5")]).slice(0, 20)}`);
  expect(await next()).toMatchObject({ line: 4, status: "refused" });
  stdin.end(ndjson([creation("r5")]).slice(20));
  expect(await next()).toMatchObject({ line: 5, status: "stored", position: 4 });
  expect(await next()).toMatchObject({ summary: { stored: 4, refused: 1, head: 4 } });
  expect(await end).toMatchObject({ code: 2, stderr: "" });
}

test("a line is stored and told of while the pipe stays open", async () => {
  await withShell(({ directory }) => expectConversation(directory, {}));
});

test("so is one that goes to a server", async () => {
  await withShell(async ({ directory }) => {
    await withServing(directory, ({ url }) => expectConversation(directory, { SENNIT_STORE: url }));
  });
});

test("a person reads of a refused line while the pipe stays open, and Ctrl-C ends the waiting", async () => {
  await withShell(async (shell) => {
    for (const isServed of [false, true]) {
      const stop = async () => {
        const child = start(["ingest", "-"], shell.directory);
        const end = ended(child);
        child.stdin?.write("x\n");
        await new Promise<void>((resolve) => {
          child.stderr?.on("data", (chunk) => String(chunk).includes("line 1:") && resolve());
        });
        child.kill("SIGINT");
        const { code, stdout } = await end;
        expect({ code, stdout }).toEqual({
          code: 130,
          stdout: "stored 0, duplicates 0, refused 1, head at 0\n",
        });
      };
      await (isServed ? withServing(shell.directory, stop) : stop());
    }
  });
});
