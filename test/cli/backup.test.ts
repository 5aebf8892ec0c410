/** Backups and exports on the command line: the steps of the guide, what is printed, and what is refused. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, test } from "vitest";

import { shellWords } from "../support/command-line.ts";
import { blocksOf } from "../support/markdown.ts";
import { readText } from "../support/repository.ts";
import { withShell, type Shell } from "./support.ts";

async function withNote(use: (shell: Shell) => Promise<void>): Promise<void> {
  await withShell(async (shell) => {
    await shell.text("create", "note", "first", "--id", "note-1");
    await use(shell);
  });
}

test("every command of the guide works, in its order", async () => {
  const commands = blocksOf(readText("docs/guides/backup.md"))
    .filter(({ language }) => language === "text")
    .flatMap(({ text }) => text.split("\n"))
    .filter((line) => line !== "");
  expect(commands.length).toBeGreaterThan(9);
  await withNote(async (shell) => {
    for (const command of commands) {
      const [program, ...words] = shellWords(command);
      const { code, stderr } = await shell.run(words);
      expect([command, program, code, code === 0 ? "" : stderr]).toEqual([
        command,
        "sennit",
        0,
        "",
      ]);
    }
    const restored = await shell.json("verify", "--store", "restored-too");
    expect(restored).toMatchObject({ ok: true, head: 2 });
    expect(await shell.json("log", "--store", "imported")).toEqual(await shell.json("log"));
  });
});

test("a backup says what it added and read back, and that it holds the key", async () => {
  await withNote(async (shell) => {
    const { stdout, stderr } = await shell.run(["backup", "copy"]);
    expect(stdout).toMatch(
      /^1 event added, 1 read back and found right, head at 1\nroot [0-9a-f]{64}\n$/,
    );
    expect(stderr).toContain("private key");
    const again = await shell.run(["backup", "copy", "--without-key"]);
    expect(again.stdout).toContain("0 events added");
    expect(again.stdout).toContain("1 earlier event read and unchanged");
    const quick = await shell.run(["backup", "copy", "--without-key", "--quick"]);
    expect(quick.stdout).toContain("1 earlier event not read");
    expect(again.stderr).not.toContain("private key");
    expect(await readdir(join(shell.directory, "copy", "keys"))).toEqual(["verifier-key.txt"]);
  });
});

test("since takes a position or auto", async () => {
  await withNote(async (shell) => {
    expect(await shell.json("backup", "a", "--since", "auto")).toMatchObject({
      since: 0,
      added: 1,
    });
    expect(await shell.json("backup", "b", "--since", "1")).toMatchObject({ since: 1, added: 0 });
    const refused = await shell.run(["backup", "c", "--since", "soon"]);
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringContaining("argument-invalid"),
    ]);
    const alone = await shell.run(["restore-store", "b", "new"]);
    expect([alone.code, alone.stderr]).toEqual([2, expect.stringContaining("backup-incomplete")]);
  });
});

test("what is in the way ends with the exit code of its category", async () => {
  await withNote(async (shell) => {
    await shell.text("backup", "copy");
    const full = await shell.run(["restore-store", "copy", ".sennit"]);
    expect([full.code, full.stderr]).toEqual([4, expect.stringContaining("directory-not-empty")]);
    const none = await shell.run(["restore-store", "nowhere", "new"]);
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining("backup-invalid")]);
    await shell.text("init", "other");
    const foreign = await shell.run(["backup", "copy", "--store", "other"]);
    expect([foreign.code, foreign.stderr]).toEqual([
      4,
      expect.stringContaining("backup-of-another-store"),
    ]);
    const [segment = ""] = await readdir(join(shell.directory, "copy", "segments"));
    await writeFile(join(shell.directory, "copy", "segments", segment), "");
    const damaged = await shell.run(["restore-store", "copy", "new"]);
    expect([damaged.code, damaged.stderr]).toEqual([6, expect.stringContaining("backup-damaged")]);
  });
});

test("an export goes to the standard output, and comes back from the standard input", async () => {
  await withNote(async (shell) => {
    const { code, stdout } = await shell.run(["export"]);
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    expect(lines.map((line) => Object.keys(JSON.parse(line) as object)[0])).toEqual([
      "format",
      "position",
      "checkpoint",
      "end",
    ]);
    const imported = await shell.run(["import", "--format", "sennit", "-", "new"], {
      input: stdout,
    });
    expect([imported.code, imported.stdout]).toEqual([
      0,
      expect.stringMatching(/ holds 1 event\.\nroot [0-9a-f]{64}, as the file says\n$/),
    ]);
    expect(await shell.text("export", "--unsigned", "--store", "new")).toBe(
      await shell.text("export", "--unsigned"),
    );
  });
});

test("an export that was cut or changed makes no store", async () => {
  await withNote(async (shell) => {
    const path = join(shell.directory, "all.ndjson");
    await shell.text("export", "all.ndjson");
    const text = await readFile(path, "utf8");
    await writeFile(path, text.slice(0, -10));
    const cut = await shell.run(["import", "all.ndjson", "new"]);
    expect([cut.code, cut.stderr]).toEqual([2, expect.stringContaining("import-truncated")]);
    await writeFile(path, text.replace('"first"', '"other"'));
    const changed = await shell.run(["import", "all.ndjson", "new"]);
    expect([changed.code, changed.stderr]).toEqual([2, expect.stringContaining("import-tampered")]);
    expect((await readdir(shell.directory)).toSorted()).toEqual([".sennit", "all.ndjson"]);
  });
});

test("what cannot be printed is refused", async () => {
  await withNote(async (shell) => {
    for (const words of [["--format", "msgpack"], ["--json"]]) {
      const { code, stderr } = await shell.run(["export", ...words]);
      expect([code, stderr]).toEqual([2, expect.stringContaining("usage")]);
    }
    const { code, stderr } = await shell.run(["export", "x", "--format", "xml"]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("argument-invalid")]);
    const extra = await shell.run(["import", "x", "y", "--format", "bluesky"]);
    expect([extra.code, extra.stderr]).toEqual([2, expect.stringContaining("usage")]);
  });
});
