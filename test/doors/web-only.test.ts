/** The built client needs nothing but what browsers have: no package, nothing of Node. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { openStore } from "@sennit/core";
import { withTemporaryDirectory } from "@sennit/core/testing";
import { startServer } from "@sennit/server";
import { expect, test } from "vitest";

import { repositoryRoot } from "../support/repository.ts";

const run = promisify(execFile);

test("its files import one another alone, and work with web globals alone", async () => {
  await withTemporaryDirectory(async (directory) => {
    await (await openStore(directory)).close();
    const server = await startServer({ directory, port: 0 });
    const entry = join(repositoryRoot, "packages/client/dist/index.js");
    const child = fileURLToPath(new URL("web-only.mjs", import.meta.url));
    const words = ["--experimental-vm-modules", "--no-warnings", child, entry, server.url];
    const { stdout } = await run(process.execPath, words).finally(() => server.close());
    const { files, ...told } = JSON.parse(stdout) as { readonly files: number };
    expect(told).toEqual({ names: ["from the web"], followed: ["web/1"], head: 2 });
    expect(files).toBeGreaterThan(10);
  });
});
