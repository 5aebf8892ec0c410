/** Bad arguments, one by one: the exit code, the error's code, where it points, and that nothing is stored. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, test } from "vitest";

import { withShell, type Shell } from "./support.ts";

const invalid = 2;
const notFound = 3;
const conflict = 4;

type Case = readonly [words: readonly string[], exit: number, code: string, details?: object];

const cases: readonly Case[] = [
  [["nonsense"], invalid, "usage", { command: "nonsense" }],
  [["--nonsense"], invalid, "usage", { flag: "--nonsense" }],
  [[""], invalid, "usage"],
  [["help", "nonsense"], invalid, "usage"],
  [["show"], invalid, "usage", { argument: "REF[@V]" }],
  [["show", "a", "b"], invalid, "usage", { argument: "b" }],
  [["show", "a", "--nonsense"], invalid, "usage", { flag: "--nonsense" }],
  [["show", "a", "-x"], invalid, "usage"],
  [["show", "a", "--as-of"], invalid, "usage", { flag: "--as-of" }],
  [["list", "--limit", "-5"], invalid, "usage", { flag: "--limit" }],
  [["show", "a\u001b[31m"], invalid, "ref-invalid"],
  [["show", ""], invalid, "ref-invalid"],
  [["show", "@1"], invalid, "ref-invalid"],
  [["show", "a@0"], invalid, "ref-invalid"],
  [["show", "a@99999999999"], invalid, "ref-invalid"],
  [["show", "a@1@1"], invalid, "ref-invalid"],
  [["show", "x".repeat(600)], invalid, "ref-invalid"],
  [["show", "nobody"], notFound, "record-not-found"],
  [["show", "a@7"], notFound, "version-not-found"],
  [["history", "a@1"], invalid, "usage"],
  [["log", "a@1"], invalid, "usage"],
  [["log", "--from", "0"], invalid, "argument-invalid", { flag: "--from" }],
  [["log", "--limit", "0"], invalid, "argument-invalid", { flag: "--limit" }],
  [["log", "--limit", "9007199254740991"], invalid, "argument-invalid", { flag: "--limit" }],
  [["log", "--follow", "--limit", "1"], invalid, "usage", { flag: "--limit" }],
  [["log", "--follow", "--as-of", "1"], invalid, "usage", { flag: "--as-of" }],
  [["log", "--follow", "--reverse"], invalid, "usage", { flag: "--reverse" }],
  [["list", "--limit", "0"], invalid, "argument-invalid", { flag: "--limit" }],
  [["list", "--limit", "10001"], invalid, "argument-invalid", { flag: "--limit" }],
  [["list", "--limit", "1e3"], invalid, "argument-invalid", { flag: "--limit" }],
  [["list", "--status", "great"], invalid, "argument-invalid"],
  [["list", "--cursor", "nonsense"], invalid, "cursor-invalid"],
  [["list", "kind:"], invalid, "query-invalid"],
  [["list", "colour:red"], invalid, "query-invalid"],
  [["list", '"open'], invalid, "query-invalid"],
  [["list", "--store", ""], invalid, "argument-invalid", { flag: "--store" }],
  [
    ["list", "--store", "https://me:secret@example.org"],
    invalid,
    "argument-invalid",
    { flag: "--store" },
  ],
  [["list", "--store", "127.0.0.1:4600"], invalid, "argument-invalid", { flag: "--store" }],
  [["list", "--store", "htp://127.0.0.1"], invalid, "argument-invalid", { flag: "--store" }],
  [["init", "localhost:4600"], invalid, "argument-invalid", { flag: "--store" }],
  [["keys", "create", "a", "--scope", "read", "--expires", "1x"], invalid, "argument-invalid"],
  [["list", "--store", "nowhere"], notFound, "store-not-found"],
  [["create", "config"], invalid, "usage", { argument: "NAME" }],
  [["create", "", "x"], invalid, "event-invalid"],
  [["create", "config", ""], invalid, "event-invalid"],
  [["create", "config", "line\nline"], invalid, "event-invalid"],
  [["create", "config", "x".repeat(2000)], invalid, "event-invalid"],
  [["create", "config", "x", "--id", ""], invalid, "event-invalid"],
  [["create", "config", "x", "--id", "x@1"], invalid, "event-invalid"],
  [["create", "config", "x", "--id", "a"], conflict, "record-already-exists"],
  [["create", "config", "x", "--tag", "nokey"], invalid, "argument-invalid", { flag: "--tag" }],
  [["create", "config", "x", "--tag", "=v"], invalid, "argument-invalid", { flag: "--tag" }],
  [["create", "config", "x", "--attr", "[1]"], invalid, "argument-invalid", { flag: "--attr" }],
  [["create", "config", "x", "--attr", "{"], invalid, "argument-invalid", { flag: "--attr" }],
  [
    ["create", "config", "x", "--attr", '{"n":12345678901234567890}'],
    invalid,
    "argument-invalid",
    { flag: "--attr", pointer: "/n" },
  ],
  [
    ["create", "config", "x", "--attr", '{"a":{"n":1,"n":2}}'],
    invalid,
    "argument-invalid",
    { flag: "--attr", pointer: "/a/n" },
  ],
  [["create", "config", "x", "--uri", ""], invalid, "event-invalid"],
  [["create", "config", "x", "--actor", ""], invalid, "event-invalid"],
  [["create", "config", "x", "--occurred-at", "now"], invalid, "event-invalid"],
  [
    ["create", "config", "x", "--artifact", "none"],
    invalid,
    "file-unreadable",
    { flag: "--artifact" },
  ],
  [["create", "config", "x", "--from", "nobody"], invalid, "source-unknown", { flag: "--from" }],
  [["create", "config", "x", "--from", "a@7"], invalid, "source-unknown", { flag: "--from" }],
  [["create", "config", "x", "--as-of", "1"], invalid, "usage", { flag: "--as-of" }],
  [["update", "a"], invalid, "usage"],
  [["update", "a", "--patch", "{}"], invalid, "usage"],
  [["update", "a@1", "--tag", "x=1"], invalid, "usage"],
  [["update", "a", "--tag", "x=1", "--as-of", "1"], invalid, "usage", { flag: "--as-of" }],
  [["update", "nobody", "--tag", "x=1"], notFound, "record-not-found"],
  [["update", "a", "--expect", "9", "--tag", "x=1"], conflict, "version-conflict"],
  [
    ["update", "a", "--expect", "0", "--tag", "x=1"],
    invalid,
    "argument-invalid",
    { flag: "--expect" },
  ],
  [["update", "a", "--set", "kind=other"], invalid, "argument-invalid", { flag: "--set" }],
  [["update", "a", "--set", "attributes=1"], invalid, "argument-invalid", { flag: "--set" }],
  [["update", "a", "--set", "attributes..x=1"], invalid, "argument-invalid", { flag: "--set" }],
  [
    ["update", "a", "--set", "attributes.__proto__.x=1"],
    invalid,
    "argument-invalid",
    { flag: "--set" },
  ],
  [
    ["update", "a", "--set", "attributes.x=12345678901234567890"],
    invalid,
    "argument-invalid",
    { flag: "--set" },
  ],
  [
    ["update", "a", "--patch", '{"attributes":{"x":[-9007199254740993]}}'],
    invalid,
    "argument-invalid",
    { flag: "--patch", pointer: "/attributes/x/0" },
  ],
  [["update", "a", "--set", "name="], invalid, "event-invalid"],
  [["update", "a", "--patch", '{"kind":"other"}'], conflict, "kind-immutable"],
  [["update", "a", "--patch", '{"colour":1}'], invalid, "event-invalid"],
  [["update", "a", "--patch", "null"], invalid, "argument-invalid", { flag: "--patch" }],
  [["invalidate", "a"], invalid, "usage", { flag: "--cause" }],
  [["invalidate", "a", "--cause", ""], invalid, "usage", { flag: "--cause" }],
  [["invalidate", "a", "--cause", "x", "--since"], invalid, "usage", { flag: "--since" }],
  [["invalidate", "a", "--cause", "x", "--as-of", "1"], invalid, "usage", { flag: "--as-of" }],
  [["invalidate", "a@7", "--cause", "x"], notFound, "version-not-found"],
  [["invalidate", "a@7", "--dry-run"], notFound, "version-not-found"],
  [["invalidate", "nobody", "--cause", "x"], notFound, "record-not-found"],
  [["restore", "a"], invalid, "usage"],
  [["restore", "a@7"], notFound, "version-not-found"],
  [["label"], invalid, "usage"],
  [["label", ""], invalid, "label-invalid"],
  [["label", "two words"], invalid, "label-invalid"],
  [["label", "7"], invalid, "label-invalid"],
  [["label", "1e2"], invalid, "label-invalid"],
  [["at", "+1"], invalid, "as-of-invalid"],
  [["diff", "--from=-1"], invalid, "as-of-invalid"],
  [["label", "2026-03-02"], invalid, "label-invalid"],
  [["label", "x@1"], invalid, "label-invalid"],
  [["label", "x".repeat(300)], invalid, "label-invalid"],
  [["label", "ahead", "99"], invalid, "as-of-ahead-of-head"],
  [["label", "half", "1.5"], invalid, "argument-invalid", { flag: "POSITION" }],
  [["lineage", "a", "--depth", "0"], invalid, "argument-invalid", { flag: "--depth" }],
  [["lineage", "a", "--up", "--down"], invalid, "usage", { flag: "--down" }],
  [["lineage", "a", "--format", "svg"], invalid, "argument-invalid", { flag: "--format" }],
  [["diff"], invalid, "usage"],
  [["diff", "a@1"], invalid, "usage"],
  [["diff", "--to", "1"], invalid, "usage"],
  [["diff", "a@1", "a@1", "--to", "1"], invalid, "usage"],
  [["diff", "a@1", "--from", "1"], invalid, "usage"],
  [["diff", "--from", "1", "--to", "0"], invalid, "argument-invalid", { flag: "--from" }],
  [["diff", "--from", "0", "--to", "1", "--as-of", "1"], invalid, "usage", { flag: "--as-of" }],
  [["diff", "a@1", "a@7"], notFound, "version-not-found"],
  [["impact", "a", "--since"], invalid, "usage", { flag: "--since" }],
  [["list", "kind:config", "--kind", "run"], invalid, "argument-invalid", { member: "kind" }],
  [["list", "--kind", "config", "--kind", "x"], invalid, "argument-invalid", { flag: "--kind" }],
  [
    ["list", "--status", "valid", "--status", "stale"],
    invalid,
    "argument-invalid",
    { flag: "--status" },
  ],
  [["list", "--tag", "a=1", "--tag", "a=2"], invalid, "argument-invalid", { flag: "--tag" }],
  [["list", "tag.a=1", "--tag", "a=2"], invalid, "argument-invalid", { member: "tag.a" }],
  [["list", "tag.a=1", "tag.a=2"], invalid, "query-invalid"],
  [["update", "a", "--patch", "{}", "--patch", '{"name":"x"}'], invalid, "argument-invalid"],
  [["import", "x"], invalid, "file-unreadable", { path: "x" }],
  [["import", "."], invalid, "file-unreadable", { path: "." }],
  [["import", ".sennit/sennit.json"], invalid, "usage", { flag: "--format" }],
  [["import", "-"], invalid, "import-truncated", { path: "-" }],
  [["import", "x", "--format", "bluesky", "--key", "k"], invalid, "usage", { flag: "--key" }],
  [["import", "x", "--format", "csv"], invalid, "argument-invalid", { flag: "--format" }],
  [["import", "none", "--format", "bluesky"], invalid, "file-unreadable"],
  [["ingest"], invalid, "usage"],
  [["ingest", "-", "--batch", "0"], invalid, "argument-invalid", { flag: "--batch" }],
  [["ingest", "-", "--batch", "10001"], invalid, "argument-invalid", { flag: "--batch" }],
  [["verify", "--as-of", "1"], invalid, "usage", { flag: "--as-of" }],
  [["completion", "tcsh"], invalid, "argument-invalid", { argument: "SHELL" }],
];

async function head(shell: Shell): Promise<unknown> {
  return (await shell.json("log"))["asOf"];
}

for (const [words, exit, code, details] of cases) {
  const name = words.map((word) => JSON.stringify(word.slice(0, 40))).join(" ");
  test(`refused with ${code}: sennit ${name}`, async () => {
    await withShell(async (shell) => {
      await shell.text("create", "config", "a", "--id", "a");
      const refusal = await shell.refusal(words);
      expect(refusal).toMatchObject({ exit, code, details: details ?? {} });
      expect(refusal.hint).not.toBe("");
      const text = await shell.run(words);
      expect(text).toMatchObject({ code: exit, stdout: "" });
      expect(text.stderr).toMatch(
        new RegExp(`^error ${code}: [^\\n]+\\n(?:  [^\\n]+\\n)*hint: [^\\n]+\\n$`),
      );
      expect(await head(shell)).toBe(1);
    });
  });
}

test("all of an event's problems are listed, each where it is", async () => {
  await withShell(async (shell) => {
    const { stderr } = await shell.run(["create", "", "", "--id", ""]);
    expect(stderr).toMatch(/\n {2}\/recordId .*\n {2}\/data\/kind .*\n {2}\/data\/name .*\nhint: /);
  });
});

test("a place that is no store is told apart from one that is not there", async () => {
  await withShell(async (shell) => {
    const at = (name: string) => join(shell.directory, name);
    await mkdir(at("other"));
    await writeFile(at("other/file.txt"), "mine");
    await mkdir(at("empty"));
    await mkdir(at("newer"));
    await writeFile(at("newer/sennit.json"), '{"format":"sennit-store","version":99}');
    await mkdir(at("odd"));
    await writeFile(at("odd/sennit.json"), "{");
    const open = async (store: string) => {
      const { exit, code } = await shell.refusal(["list", "--store", store]);
      return [exit, code];
    };
    expect(await open("other")).toEqual([invalid, "not-a-store"]);
    expect(await open("other/file.txt")).toEqual([invalid, "not-a-store"]);
    expect(await open("odd")).toEqual([invalid, "not-a-store"]);
    expect(await open("newer")).toEqual([invalid, "format-too-new"]);
    expect(await open("empty")).toEqual([notFound, "store-not-found"]);
    expect(await open("none")).toEqual([notFound, "store-not-found"]);
    expect(await shell.refusal(["init", "other"])).toMatchObject({
      exit: invalid,
      code: "not-a-store",
    });
    expect(await shell.refusal(["init", "newer"])).toMatchObject({
      exit: invalid,
      code: "format-too-new",
    });
    expect(await shell.refusal(["demo", "other"])).toMatchObject({
      exit: conflict,
      code: "directory-not-empty",
    });
  });
});

test("without a store anywhere the hint says how to make one", async () => {
  await withShell(async (shell) => {
    const refusal = await shell.refusal(["list"], { cwd: "/" });
    expect(refusal).toMatchObject({ exit: notFound, code: "store-not-found" });
    expect(refusal.hint).toContain("sennit init");
  });
});

test("hints are commands to type", async () => {
  await withShell(async (shell) => {
    const hint = async (...words: string[]) => (await shell.refusal(words)).hint;
    expect(await hint("update", "nope", "--tag", "a=1")).toContain(
      "sennit create KIND NAME --id nope",
    );
    expect(await hint("update", "it's", "--tag", "a=1")).toContain(`--id 'it'\\''s'`);
    expect(await hint("invalidate", "nope", "--cause", "x")).toContain("sennit list");
    expect(await hint("invalidate", "a", "--cause", "x", "--since")).toContain(
      "sennit help invalidate",
    );
    expect(await hint("impact", "a", "--since")).toContain("sennit help impact");
  });
});

test("a place that cannot be written is named", async () => {
  await withShell(async (shell) => {
    await shell.text("create", "decision", "x", "--id", "d-1");
    await writeFile(join(shell.directory, "file"), "");
    const below = join("file", "below");
    for (const words of [
      ["demo", below],
      ["demo", "file"],
      ["init", join(below, "deep")],
      ["replay", "d-1", "--out", below],
    ]) {
      const { exit, code, message } = await shell.refusal(words);
      expect({ exit, message }, words[0]).toMatchObject({
        exit: 2,
        message: expect.stringContaining("file") as string,
      });
      expect(["file-unreadable", "not-a-store"], words[0]).toContain(code);
    }
  });
});

test("a near miss of a command or a flag is suggested", async () => {
  await withShell(async (shell) => {
    expect((await shell.refusal(["lineag", "a"])).hint).toContain("sennit lineage");
    expect((await shell.refusal(["list", "--limt", "3"])).hint).toContain("--limit");
  });
});
