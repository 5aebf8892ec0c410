/** The demo replaces what a demo has made, and nothing else. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, test } from "vitest";

import { withShell } from "./support.ts";

test("a directory with a file of somebody's, or a marker of somebody's, is left alone", async () => {
  await withShell(async (shell) => {
    const thesis = join(shell.directory, "mine", "thesis.txt");
    await mkdir(join(shell.directory, "mine"));
    await writeFile(thesis, "years of work");
    await writeFile(join(shell.directory, "mine", "demo.json"), "{}");
    const { code, stderr } = await shell.run(["demo", "mine"]);
    expect(code).toBe(4);
    expect(stderr).toContain("directory-not-empty");
    expect(await readFile(thesis, "utf8")).toBe("years of work");
  });
});

test("a demo's store is replaced by the next demo, unless something was put into it", async () => {
  await withShell(async (shell) => {
    expect((await shell.run(["demo", "d", "--once"])).code).toBe(0);
    expect((await shell.run(["demo", "d", "--once"])).code).toBe(0);
    await writeFile(join(shell.directory, "d", "notes.txt"), "mine");
    expect((await shell.run(["demo", "d", "--once"])).code).toBe(4);
    expect(await readFile(join(shell.directory, "d", "notes.txt"), "utf8")).toBe("mine");
  });
});
