/** What an import takes for an export, and whose. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { exportForms } from "@sennit/core";
import { expect, test } from "vitest";

import { withShell, type Shell } from "./support.ts";

const key = ".sennit/keys/verifier-key.txt";

async function withExports(use: (shell: Shell) => Promise<void>): Promise<void> {
  await withShell(async (shell) => {
    await shell.text("create", "note", "first", "--id", "note-1");
    for (const form of exportForms) {
      await shell.text("export", form, "--format", form);
      await shell.text("export", `${form}-unsigned`, "--format", form, "--unsigned");
    }
    await use(shell);
  });
}

async function changed(
  shell: Shell,
  name: string,
  change: (bytes: Buffer) => Buffer,
): Promise<void> {
  const path = join(shell.directory, name);
  const before = await readFile(path);
  const after = change(before);
  if (after.equals(before)) throw new Error("nothing to change");
  await writeFile(path, after);
}

/** Changes the signature of the checkpoint. */
function forged(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  const at = copy.indexOf("\u2014 ") + 70;
  copy[at] = copy[at] === 0x41 ? 0x42 : 0x41;
  return copy;
}

test.each(exportForms)("%s: with a key, what it signed is taken", async (form) => {
  await withExports(async (shell) => {
    const made = await shell.json("import", form, "new", "--key", key);
    expect(made).toMatchObject({ head: 1, trusted: true });
    expect(await shell.json("verify", "--store", "new")).toMatchObject({ ok: true, head: 1 });
    expect(await shell.json("import", form, "newer")).toMatchObject({ trusted: false });
  });
});

test.each(exportForms)(
  "%s: with a key, a changed, foreign or missing signature makes no store",
  async (form) => {
    await withExports(async (shell) => {
      await shell.text("import", form, "other");
      await shell.text("export", "foreign", "--format", form, "--store", "other");
      await changed(shell, form, forged);
      for (const name of [form, "foreign", `${form}-unsigned`]) {
        const words = ["import", name, "new", "--key", key];
        const { exit, code } = await shell.refusal(words);
        expect([name, exit, code]).toEqual([name, 2, "checkpoint-untrusted"]);
        expect((await readdir(shell.directory)).filter((file) => file.startsWith("new"))).toEqual(
          [],
        );
      }
      // Nobody has asked whose it is.
      await shell.text("import", form, "new");
    });
  },
);

test("with a key, a signed note that stands where none belongs speaks for nothing", async () => {
  await withExports(async (shell) => {
    const old = await readFile(join(shell.directory, "msgpack"));
    await shell.text("create", "note", "second", "--id", "note-2");
    await shell.text("export", "later", "--format", "msgpack", "--unsigned");
    // The end gets a sixth member with the signed note in it.
    await changed(shell, "later", (bytes) => {
      const end = bytes.lastIndexOf(Buffer.from([0x95, 4]));
      const note = old.subarray(old.indexOf("sennit/"), old.lastIndexOf(Buffer.from([0x95, 4])));
      const sixth = Buffer.concat([Buffer.from([0xc5, note.length >> 8, note.length & 255]), note]);
      return Buffer.concat([
        bytes.subarray(0, end),
        Buffer.from([0x96]),
        bytes.subarray(end + 1),
        sixth,
      ]);
    });
    expect(await shell.refusal(["import", "later", "new", "--key", key])).toMatchObject({
      code: "import-invalid",
    });
    expect(await readdir(shell.directory)).not.toContain("new");
  });
});

test("line ends of another system do not count", async () => {
  await withExports(async (shell) => {
    await changed(shell, "ndjson", (bytes) =>
      Buffer.from(bytes.toString("utf8").replaceAll("\n", "\r\n")),
    );
    expect(await shell.json("import", "ndjson", "new", "--key", key)).toMatchObject({ head: 1 });
  });
});

test("an export on the standard input is recognized, in pieces of any size", async () => {
  await withExports(async (shell) => {
    for (const form of exportForms) {
      const bytes = await readFile(join(shell.directory, form));
      async function* pieces(): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < bytes.length; at += 5) yield bytes.subarray(at, at + 5);
      }
      const { code, stdout } = await shell.run(["import", "-", `new-${form}`, "--key", key], {
        input: pieces(),
      });
      expect([code, stdout]).toEqual([0, expect.stringContaining("holds 1 event")]);
    }
    const other = await shell.refusal(["import", "-", "new"], { input: "[]" });
    expect([other.code, other.hint]).toEqual(["usage", expect.stringContaining("export")]);
  });
});

test("what is missing, empty or compressed is called that", async () => {
  await withExports(async (shell) => {
    await writeFile(join(shell.directory, "empty"), "");
    await changed(shell, "ndjson", (bytes) => gzipSync(bytes));
    await writeFile(join(shell.directory, "other.gz"), gzipSync("[]"));
    const refused = async (...words: string[]) => (await shell.refusal(["import", ...words])).code;
    for (const more of [[], ["--format", "sennit"]]) {
      expect(await refused("nowhere", "new", ...more)).toBe("file-unreadable");
      expect(await refused("empty", "new", ...more)).toBe("import-truncated");
      const { code, hint } = await shell.refusal(["import", "ndjson", "new", ...more]);
      expect([code, hint]).toEqual(["import-invalid", expect.stringContaining("gunzip")]);
    }
    expect(await refused("other.gz", "new")).toBe("usage");
    expect(await readdir(shell.directory)).not.toContain("new");
  });
});
