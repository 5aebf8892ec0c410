/** What an export and a backup may be written over: nothing of the store, and no other file unless that is wanted. */
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, test } from "vitest";

import { withShell } from "./support.ts";

test("an export replaces a file only by force", async () => {
  await withShell(async (shell) => {
    const path = join(shell.directory, "mine.txt");
    await writeFile(path, "mine");
    await symlink("mine.txt", join(shell.directory, "link"));
    for (const name of ["mine.txt", "link"]) {
      expect(await shell.refusal(["export", name])).toMatchObject({ exit: 4, code: "file-exists" });
    }
    expect(await readFile(path, "utf8")).toBe("mine");
    await shell.text("export", "link", "--force");
    expect(await readFile(path, "utf8")).toBe("mine");
    await shell.text("export", "mine.txt", "--force");
    expect(await readFile(path, "utf8")).toContain("sennit-export");
    expect((await readdir(shell.directory)).toSorted()).toEqual([".sennit", "link", "mine.txt"]);
  });
});

test("an export never goes into the store, by whatever way, and force does not help", async () => {
  await withShell(async (shell) => {
    await symlink(".sennit", join(shell.directory, "way"));
    for (const name of [".sennit/log/CURRENT", ".sennit/new", "way/log/CURRENT", "way/..new"]) {
      const refused = await shell.refusal(["export", name, "--force"]);
      expect([name, refused.exit, refused.code]).toEqual([name, 2, "argument-invalid"]);
    }
    expect(await shell.json("verify")).toMatchObject({ ok: true });
    expect(await shell.json("export", "..beside")).toMatchObject({ head: 0 });
  });
});

test("an export into a directory says that it is one", async () => {
  await withShell(async (shell) => {
    await mkdir(join(shell.directory, "full"));
    const { code, message } = await shell.refusal(["export", "full", "--force"]);
    expect([code, message]).toEqual(["argument-invalid", expect.stringContaining("directory")]);
  });
});
