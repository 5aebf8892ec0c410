/** Backups of a store that a server has open: what they leave behind among the temporary files, which is nothing. */
import { mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { filesHolding } from "@sennit/core/testing";
import { expect, test } from "vitest";

import { withServing } from "./served.ts";
import { creation, ended, ndjson, spawned, start, withShell } from "./support.ts";

test("what a killed backup leaves only its owner can read, holds no private key, and is removed by the next", async () => {
  await withShell(async (shell) => {
    const { directory } = shell;
    const events = Array.from({ length: 20_000 }, (_, index) => creation(`r${index}`));
    await shell.run(["ingest", "-"], { input: ndjson(events) });
    const key = await readFile(join(directory, ".sennit", "keys", "signing-key.pem"), "utf8");
    const [, secret = ""] = key.split("\n");
    const temporary = join(directory, "temporary");
    await mkdir(temporary);
    const env = { TMPDIR: temporary };
    await withServing(directory, async () => {
      for (const delay of [0, 400]) {
        const child = start(["backup", "copy"], directory, env);
        const end = ended(child);
        let names: readonly string[] = [];
        while (names.length === 0) {
          await sleep(5);
          names = await readdir(temporary);
        }
        await sleep(delay);
        child.kill("SIGKILL");
        await end;
        const [left = ""] = await readdir(temporary);
        expect((await stat(join(temporary, left))).mode & 0o777).toBe(0o700);
        expect(await filesHolding(temporary, secret)).toEqual([]);
        const { code, stderr } = await spawned(["backup", "copy", "--json"], directory, { env });
        expect(code, stderr).toBe(0);
        expect(await readdir(temporary)).toEqual([]);
      }
    });
    expect(await filesHolding(join(directory, "copy", "keys"), secret)).toHaveLength(1);
  });
});

test("nothing else among the temporary files is removed", async () => {
  await withShell(async (shell) => {
    const { directory } = shell;
    const temporary = join(directory, "temporary");
    await mkdir(temporary);
    const name = (rest: string) => `sennit-backup-${hostname().replaceAll(/[^\w.]/g, "_")}-${rest}`;
    // No process has that number, which is above the largest there may be.
    const dead = 2 ** 30;
    await mkdir(join(directory, "elsewhere"));
    await symlink(join(directory, "elsewhere"), join(temporary, name(`${dead}-abcdef`)));
    await writeFile(join(temporary, name(`${dead}-ghijkl`)), "");
    const others = [
      name(`${process.pid}-abcdef`),
      name("x-abcdef"),
      "sennit-backup-other-1-abcdef",
    ];
    for (const other of others) await mkdir(join(temporary, other));
    await mkdir(join(temporary, name(`${dead}-mnopqr`)));
    const before = await readdir(temporary);
    await withServing(directory, async () => {
      const env = { TMPDIR: temporary };
      const { code, stderr } = await spawned(["backup", "copy"], directory, { env });
      expect(code, stderr).toBe(0);
    });
    const gone = name(`${dead}-mnopqr`);
    expect(await readdir(temporary)).toEqual(before.filter((left) => left !== gone));
  });
});

test("a backup into the store itself is refused, whoever has it open", async () => {
  await withShell(async (shell) => {
    const words = ["backup", join(".sennit", "copy")];
    expect(await shell.refusal(words)).toMatchObject({ code: "argument-invalid" });
    await withServing(shell.directory, async () => {
      expect(await shell.refusal(words)).toMatchObject({ code: "argument-invalid" });
    });
  });
});
