/** Checkouts: the records of an instant as files, recognizably unfinished or whole, the same bytes every time. */
import { createHash } from "node:crypto";
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";

import type { RecordView } from "@sennit/core";
import { expect, test } from "vitest";

import { creation, ndjson, withShell, type Shell } from "./support.ts";

/** Every file below a directory, by its path. */
async function filesIn(directory: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const item of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!item.isFile()) continue;
    const path = join(item.parentPath, item.name);
    files[relative(directory, path).replaceAll("\\", "/")] = await readFile(path, "utf8");
  }
  return files;
}

interface Line {
  readonly recordId: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

function linesOf(text = ""): Line[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

async function fill(shell: Shell): Promise<void> {
  await shell.text("create", "config", "run 7", "--id", "cfg-1");
  await shell.text("create", "model", "m", "--id", "m-1", "--from", "cfg-1", "--tag", "loss=0.1");
  await shell.text("label", "then");
  await shell.text("update", "cfg-1", "--set", "attributes.a=1");
  await shell.text("invalidate", "m-1", "--cause", "wrong");
}

test("a checkout holds every record as it stood, an index of them and a manifest", async () => {
  await withShell(async (shell) => {
    await fill(shell);
    const made = await shell.json("checkout", "--as-of", "then", "--out", "files/march");
    const directory = join(shell.directory, "files", "march");
    const summary = await shell.json("at", "then");
    expect(made).toEqual({ directory, position: 2, root: summary["root"], records: 2 });
    const files = await filesIn(directory);
    const lines = linesOf(files["index.ndjson"]);
    expect(lines.map(({ recordId, path }) => [recordId, path])).toEqual([
      ["cfg-1", "records/config/cfg-1.json"],
      ["m-1", "records/model/m-1.json"],
    ]);
    expect(Object.keys(files).toSorted()).toEqual(
      ["index.ndjson", "manifest.json", ...lines.map(({ path }) => path)].toSorted(),
    );
    for (const { recordId, path, sizeBytes, sha256 } of lines) {
      const text = files[path] ?? "";
      expect([Buffer.byteLength(text), digest(text)]).toEqual([sizeBytes, sha256]);
      expect(JSON.parse(text)).toEqual(await shell.json("show", recordId, "--as-of", "2"));
    }
    const index = files["index.ndjson"] ?? "";
    expect(JSON.parse(files["manifest.json"] ?? "")).toEqual({
      format: "sennit-checkout",
      version: 1,
      storeId: expect.any(String) as string,
      position: 2,
      root: summary["root"],
      recordedAt: summary["lastRecordedAt"],
      records: 2,
      index: { path: "index.ndjson", sizeBytes: Buffer.byteLength(index), sha256: digest(index) },
    });
  });
});

test("two checkouts of one position are the same bytes, whatever was appended in between", async () => {
  await withShell(async (shell) => {
    await fill(shell);
    await shell.text("checkout", "--as-of", "4", "--out", "one");
    await shell.text("update", "cfg-1", "--tag", "k=v");
    await shell.text("create", "run", "late");
    await shell.text("checkout", "--as-of", "4", "--out", "two");
    const [one, two] = await Promise.all(
      ["one", "two"].map((name) => filesIn(join(shell.directory, name))),
    );
    expect(two).toEqual(one);
    expect(Object.keys(one ?? {})).toContain(
      "records/label/label-then~".concat(digest("label:then").slice(0, 40), ".json"),
    );
    await shell.text("checkout", "--as-of", "0", "--out", "empty");
    expect(Object.keys(await filesIn(join(shell.directory, "empty")))).toHaveLength(2);
  });
});

const hostileIds = [
  "../../x",
  "..",
  "/etc/passwd",
  "CON",
  "con",
  "nul.txt",
  "a/b",
  "a\\b",
  "Case",
  "case",
  "\u00e9",
  "e\u0301",
  "\u{1f9f6}",
  "x".repeat(512),
  "manifest.json",
  ".hidden",
  "trailing.",
];

test("hostile ids and kinds stay in the directory, and each record has a file of its own", async () => {
  await withShell(async (shell) => {
    const events = hostileIds.map((id) => creation(id));
    const kinds = ["../../kind", "Thing", "COM1"].map((kind, index) => ({
      type: "record.created",
      recordId: `kind-${index}`,
      data: { kind, name: "n" },
    }));
    const { code } = await shell.run(["ingest", "-"], { input: ndjson([...events, ...kinds]) });
    expect(code).toBe(0);
    const before = await readdir(shell.directory);
    await shell.text("checkout", "--out", "out");
    expect(await readdir(shell.directory)).toEqual([...before, "out"].toSorted());
    const out = join(shell.directory, "out");
    const files = await filesIn(out);
    const lines = linesOf(files["index.ndjson"]);
    expect(lines.map(({ recordId }) => recordId)).toEqual([
      ...hostileIds,
      ...kinds.map(({ recordId }) => recordId),
    ]);
    expect(new Set(lines.map(({ path }) => path.toLowerCase())).size).toBe(lines.length);
    for (const { recordId, path } of lines) {
      expect(resolve(out, path).startsWith(join(out, "records"))).toBe(true);
      expect((JSON.parse(files[path] ?? "") as RecordView).id).toBe(recordId);
    }
  });
});

test("a directory that holds something, a file, and the store's own directory are left as they are", async () => {
  await withShell(async (shell) => {
    await fill(shell);
    const full = join(shell.directory, "full");
    await mkdir(full);
    await writeFile(join(full, "mine"), "mine");
    await writeFile(join(shell.directory, "file"), "mine");
    const before = await readdir(shell.directory);
    const code = async (...words: string[]) => (await shell.refusal(["checkout", ...words])).code;
    expect(await code("--out", "full")).toBe("directory-not-empty");
    expect(await code("--out", "file")).toBe("file-unreadable");
    expect(await code("--out", ".sennit/new")).toBe("argument-invalid");
    expect(await code("--out", "")).toBe("usage");
    expect(await code()).toBe("usage");
    expect(await code("--out", "new", "--as-of", "99")).toBe("as-of-ahead-of-head");
    expect(await readdir(full)).toEqual(["mine"]);
    expect(await readdir(shell.directory)).toEqual(before);
  });
});

test("an empty directory stays the directory it is, with its mode, also behind a link", async () => {
  await withShell(async (shell) => {
    await fill(shell);
    const at = (name: string) => join(shell.directory, name);
    await shell.text("checkout", "--out", "new");
    for (const name of ["empty", "linked"]) {
      await mkdir(at(name));
      await chmod(at(name), 0o700);
    }
    await symlink(at("linked"), at("link"), "junction");
    for (const [out, name] of [
      ["empty", "empty"],
      ["link", "linked"],
    ] as const) {
      const before = await stat(at(name));
      expect(await shell.text("checkout", "--out", out)).toMatch(
        /^3 records as of position 5 in .*\nroot [0-9a-f]{64}\n$/,
      );
      const after = await stat(at(name));
      expect([after.ino, after.mode]).toEqual([before.ino, before.mode]);
      expect(await readdir(at(name))).toEqual(["index.ndjson", "manifest.json", "records"]);
      expect(await filesIn(at(name))).toEqual(await filesIn(at("new")));
    }
    expect((await shell.refusal(["checkout", "--out", "link"])).code).toBe("directory-not-empty");
  });
});

test("a link that leads nowhere, to a file or into the store is refused, and nothing is written", async () => {
  await withShell(async (shell) => {
    await fill(shell);
    const at = (name: string) => join(shell.directory, name);
    await writeFile(at("file"), "mine");
    await mkdir(at(".sennit/inner"));
    await symlink(at("nowhere"), at("dangling"), "junction");
    await symlink(at("file"), at("to-file"), "junction");
    await symlink(at(".sennit/inner"), at("to-store"), "junction");
    const before = await readdir(shell.directory);
    const code = async (out: string) => (await shell.refusal(["checkout", "--out", out])).code;
    expect(await code("dangling")).toBe("file-unreadable");
    expect(await code("to-file")).toBe("file-unreadable");
    expect(await code("to-store")).toBe("argument-invalid");
    expect(await readdir(shell.directory)).toEqual(before);
    expect(await readdir(at(".sennit/inner"))).toEqual([]);
  });
});

test("at sums the store up as of an instant", async () => {
  await withShell(async (shell) => {
    expect(await shell.text("at")).toMatch(
      /^position +0\nevents +0 created.*\nrecords +0: 0 valid/,
    );
    await fill(shell);
    const text = await shell.text("at", "then", "--stale");
    expect(text).toMatch(/^position +2\nfirst event +2026-03-02 /);
    expect(text).toMatch(/\nrecords +2: 2 valid, 0 of them stale, 0 withdrawn\n/);
    expect(await shell.json("at", "--stale")).toMatchObject({
      asOf: 5,
      events: { created: 3, updated: 1, invalidated: 1 },
      valid: 2,
      withdrawn: 1,
      stale: 0,
      kinds: [
        { kind: "config", valid: 1, withdrawn: 0, stale: 0 },
        { kind: "label", valid: 1, withdrawn: 0, stale: 0 },
        { kind: "model", valid: 0, withdrawn: 1, stale: 0 },
      ],
      labels: [{ name: "then", position: 2 }],
    });
    expect((await shell.json("at", "4", "--stale"))["stale"]).toBe(1);
    expect(await shell.json("at", "--as-of", "2")).toEqual(await shell.json("at", "2"));
    expect((await shell.refusal(["at", "2", "--as-of", "2"])).code).toBe("usage");
    expect((await shell.refusal(["at", "nothing"])).code).toBe("label-not-found");
  });
});
