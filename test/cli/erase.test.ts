/** `sennit erase`: what it leaves behind, and what it says of that. */
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, test } from "vitest";

import { withShell } from "./support.ts";

test("erase leaves no rows of any projection, and names what it does not reach", async () => {
  await withShell(async (shell) => {
    const text = JSON.stringify({ kind: "dataset", name: "Marie Curie" });
    await shell.text("create", "dataset", "Marie Curie", "--id", "scan");
    await shell.text("update", "scan", "--set", "name=other");
    await shell.text("restore", "scan@1");
    await shell.text("list");
    const directory = join(shell.directory, ".sennit");
    const damaged = join(directory, "log.damaged-2026-01-01T00-00-00Z");
    await mkdir(damaged);
    await mkdir(join(directory, "log.reading"));
    await writeFile(join(directory, "views", "of another program"), text);
    expect(await shell.text("erase", "scan@1", "--cause", "c", "--dry-run")).toBe(
      [
        "would erase the content of 2 versions",
        "  scan@1-2",
        "the same content would stay in",
        "  scan@3",
        "Damaged logs that repairs have kept may hold the content. Delete them:",
        `  ${damaged}`,
        "",
      ].join("\n"),
    );
    expect(await shell.json("erase", "scan@1", "--cause", "c")).toMatchObject({
      sameContent: [{ recordId: "scan", versions: { from: 3, to: 3 } }],
      damagedLogs: ["log.damaged-2026-01-01T00-00-00Z"],
    });
    const names = await readdir(directory);
    expect(names).not.toContain("views");
    expect(names).not.toContain("log.reading");
    await mkdir(join(directory, "views"));
    expect(await shell.text("erase", "scan@1", "--cause", "c")).toContain(damaged);
    expect(await readdir(directory)).not.toContain("views");
  });
});
