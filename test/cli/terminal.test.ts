/** What reaches a terminal: nothing raw from the store, tables that line up, colour where it is wanted. */
import { stripVTControlCharacters } from "node:util";

import { expect, test } from "vitest";

import { ndjson, withShell, type Shell } from "./support.ts";

const escape = "\u001b[31m";
const csi = "\u009b31m";
const override = "\u202e";
const hostile = `a${override}b\u200b\u2028c`;

/** A store whose every field is as hostile as the store lets it be. */
async function hostileStore(shell: Shell): Promise<void> {
  const anything = `${escape}line\nline\r${csi}${hostile}\u0007`;
  const lines = `line\nline${hostile}`;
  const events = [
    {
      type: "record.created",
      recordId: `s${hostile}`,
      data: { kind: `k${hostile}`, name: `n${hostile}` },
    },
    {
      type: "record.created",
      recordId: "r",
      actor: `who${hostile}`,
      data: {
        kind: `k${hostile}`,
        name: `m${hostile}`,
        tags: { [`t${hostile}`]: lines },
        uris: [`u${hostile}`],
        attributes: { [anything]: anything, long: "x".repeat(100) },
        artifacts: [{ name: `f${hostile}`, uri: `u${hostile}` }],
        derivedFrom: [{ recordId: `s${hostile}`, role: `role${hostile}` }],
        onInvalidate: [`act${hostile}`],
      },
    },
    {
      type: "record.updated",
      recordId: "r",
      data: { patch: { tags: { a: lines } }, reason: lines },
    },
    {
      type: "record.updated",
      recordId: `s${hostile}`,
      data: { patch: { attributes: { [anything]: anything } } },
    },
    {
      type: "record.invalidated",
      recordId: `s${hostile}`,
      data: { cause: lines, versions: { from: 1, to: 1 } },
    },
  ];
  const { stderr } = await shell.run(["ingest", "-", "--batch", "1"], { input: ndjson(events) });
  expect(stderr).toBe("");
}

const raw = /[\p{Cc}\p{Cf}\u2028\u2029]/u;

test("no control, format or direction character of the store reaches the terminal raw", async () => {
  await withShell(async (shell) => {
    await hostileStore(shell);
    const commands = [
      ["show", "r"],
      ["show", `s${hostile}`],
      ["list"],
      ["log"],
      ["history", "r"],
      ["diff", "r@1", "r@2"],
      ["diff", "--from", "1"],
      ["lineage", "r"],
      ["lineage", `s${hostile}@1`, "--down"],
      ["lineage", "r", "--format", "mermaid"],
      ["lineage", "r", "--format", "dot"],
      ["impact", `s${hostile}`],
      ["stale", "--as-of", "4"],
      ["replay", "r@1"],
      ["create", `k${hostile}`, `n${hostile}`, "--from", `s${hostile}@1:x`],
      ["update", "r", "--tag", `k${hostile}=v${hostile}`],
      ["restore", "r@1"],
      ["label", `l${override}x`],
      ["invalidate", `s${hostile}`, "--cause", hostile],
      ["show", `nobody${hostile}`],
      ["show", `x${escape}`],
      ["show", `x${csi}`],
      ["nonsense\u202e"],
      ["show", "r", `--x${override}`],
      ["list", "--store", `nowhere${escape}`],
      ["list", `x${override}:y`],
      ["create", "config", "x", "--artifact", `no${escape}`],
      ["create", "config", `x${csi}`],
      ["replay", "r", "--out", `.sennit${override}/../.sennit`],
    ];
    for (const words of commands) {
      const { stdout, stderr } = await shell.run(words);
      expect(`${stdout}${stderr}`.replaceAll("\n", ""), words.join(" ")).not.toMatch(raw);
    }
    const input = ndjson([{ type: `x${override}`, recordId: `r${csi}`, [`m${override}`]: 1 }]);
    const { stderr } = await shell.run(["ingest", "-"], { input });
    expect(stderr.replaceAll("\n", "")).not.toMatch(raw);
  });
});

test("newlines of the store make no lines of their own in tables", async () => {
  await withShell(async (shell) => {
    await hostileStore(shell);
    expect((await shell.text("log")).trimEnd().split("\n")).toHaveLength(1 + 6);
    expect((await shell.text("list")).trimEnd().split("\n")).toHaveLength(1 + 2);
  });
});

test("columns line up, whatever alphabet the cells are in", async () => {
  await withShell(async (shell) => {
    await shell.text("create", "config", "plain", "--id", "a");
    await shell.text("create", "config", "日本語の名前", "--id", "ключ");
    await shell.text("create", "config", "e\u0301te\u0301 🎉", "--id", "한글");
    const cells = (text: string) =>
      Array.from(text).reduce((sum, character) => {
        if (/\p{M}/u.test(character)) return sum;
        return sum + (/[\u3000-\uffdc]|🎉/u.test(character) ? 2 : 1);
      }, 0);
    const lines = (await shell.text("list")).trimEnd().split("\n");
    const starts = lines.map((line) => cells(line.slice(0, line.search(/STATUS|valid/))));
    expect(new Set(starts).size).toBe(1);
  });
});

test("a table fits the terminal: names are cut before anything else is lost", async () => {
  await withShell(async (shell) => {
    const long = "x".repeat(900);
    await shell.text("create", "config", long, "--id", "a", "--tag", `note=${long}`);
    await shell.text("create", "config", "日".repeat(300), "--id", "b");
    for (const isColorful of [false, true]) {
      for (const command of ["list", "log", "history a", "impact a", "replay a"]) {
        const settings = { columns: 80, isColorful };
        const { stdout } = await shell.run(command.split(" "), settings);
        const lines = stripVTControlCharacters(stdout).trimEnd().split("\n");
        const rows = command.startsWith("replay") ? lines.slice(5) : lines.slice(1);
        for (const row of rows) expect([...row].length, command).toBeLessThanOrEqual(80);
      }
      const { stdout } = await shell.run(["list"], { columns: 80, isColorful });
      expect(stripVTControlCharacters(stdout)).toMatch(
        /^a +1 +config +x+… +valid +\d+ minutes ago +note=x+…$/m,
      );
    }
    const { stdout } = await shell.run(["list"]);
    expect(stdout).toContain(long);
  });
});

test("a style that was begun ends, also in a line that was cut", async () => {
  await withShell(async (shell) => {
    for (const id of ["a", "b"])
      await shell.text("create", "config", "x", "--id", `${id}${"y".repeat(90)}`);
    const { stdout } = await shell.run(["list"], { columns: 40, isColorful: true });
    for (const line of stdout.trimEnd().split("\n")) {
      const styles = line.split("\u001b[").length - 1;
      expect(styles % 2).toBe(0);
      expect([...stripVTControlCharacters(line)].length).toBeLessThanOrEqual(40);
    }
  });
});

test("colour comes with a terminal and not without one, and changes no word", async () => {
  await withShell(async (shell) => {
    await shell.text("create", "config", "x", "--id", "a");
    await shell.text("create", "config", "y", "--id", "b", "--from", "a");
    await shell.text("update", "a", "--set", "attributes.x=1");
    await shell.text("invalidate", "a@2", "--cause", "wrong");
    for (const command of [
      "list",
      "log",
      "show a",
      "lineage b",
      "diff a@1 a@2",
      "replay b",
      "verify",
      "stale",
    ]) {
      // The clock moves between two commands and no two take the same time; that is not what this is about.
      const still = (text: string) =>
        text
          .replaceAll(/\d+ minutes? ago/g, "ago")
          .replaceAll(/in [\d.]+ s \([\d,]+ events\/s\)/g, "in no time")
          .replaceAll(/ +/g, " ");
      const plain = await shell.run(command.split(" "));
      const colorful = await shell.run(command.split(" "), { isColorful: true });
      expect(plain.stdout, command).not.toContain("\u001b");
      expect(colorful.stdout, command).toContain("\u001b[");
      expect(still(stripVTControlCharacters(colorful.stdout)), command).toBe(still(plain.stdout));
    }
  });
});

test("times are said both ways: when, and how long ago", async () => {
  await withShell(async (shell) => {
    await shell.text("create", "config", "x", "--id", "a", "--occurred-at", "2024-01-01T00:00:00Z");
    const show = await shell.text("show", "a");
    expect(show).toMatch(/^recorded +2026-03-02 10:01:00Z \(1 minute ago\) at position 1$/m);
    expect(show).toMatch(/^occurred +2024-01-01 00:00:00Z \(2 years ago\)$/m);
    expect(await shell.text("list")).toContain("2 minutes ago");
  });
});

test("a log of 150 000 rows is printed", async () => {
  await withShell(async (shell) => {
    async function* many(): AsyncGenerator<Uint8Array> {
      for (let block = 0; block < 150; block += 1) {
        const events = Array.from({ length: 1000 }, (_, index) => ({
          type: "record.created",
          recordId: `r${block}-${index}`,
          data: { kind: "k", name: "n" },
        }));
        yield Buffer.from(ndjson(events));
      }
    }
    await shell.run(["ingest", "-"], { input: many() });
    const log = await shell.text("log", "--limit", "1000000");
    expect(log.match(/\n/g)).toHaveLength(150_001);
  });
});

test("attributes are shown in few lines and are still JSON", async () => {
  await withShell(async (shell) => {
    const attributes = {
      name: "x".repeat(40),
      short: { a: 1, b: [] },
      numbers: Array.from({ length: 100 }, (_, index) => index),
      nested: [{ text: "y".repeat(80), none: null }, { list: [[1], [2]] }, "plain"],
    };
    await shell.text("create", "config", "x", "--id", "a", "--attr", JSON.stringify(attributes));
    const [, shown = ""] = (await shell.text("show", "a")).split("attributes\n");
    expect(JSON.parse(shown)).toEqual(attributes);
    expect(shown.split("\n").length).toBeLessThan(20);
    await shell.text("create", "config", "x", "--id", "b", "--attr", '{"a":{"b":[1,2]}}');
    expect(await shell.text("show", "b")).toMatch(/attributes\n {2}\{"a":\{"b":\[1,2\]\}\}\n$/);
  });
});
