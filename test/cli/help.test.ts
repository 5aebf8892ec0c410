/** Help and completion: every command explains itself, and every example can be run as it is written. */
import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { flagOf, settingNames, settingTable } from "@sennit/server/settings";
import { expect, test } from "vitest";

import { withShell, type Shell } from "./support.ts";

async function commandNames(shell: Shell): Promise<string[]> {
  const overview = await shell.text("help");
  return [...overview.matchAll(/^ {2}([a-z-]+) {2,}\S/gm)].map(([, name = ""]) => name);
}

function examplesOf(help: string): string[] {
  const [, block = ""] = help.split("\nExamples\n");
  return block
    .trimEnd()
    .split("\n")
    .map((line) => line.trim());
}

/** The words of the part of a command line that runs sennit, as a shell would read them. */
function words(example: string): string[] {
  const [, line = ""] = /(?:^|[|(] ?)sennit ([^|>)]*)/.exec(example) ?? [];
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
}

test("the overview names every command of the design, and prints the same however it is asked for", async () => {
  await withShell(async (shell) => {
    const names = await commandNames(shell);
    expect(names.toSorted()).toEqual(
      (
        "at backup blame checkout checkpoint completion create demo diff erase export history impact import ingest init invalidate keys label lineage list log projections " +
        "receipt replay restore restore-store serve show stale timeline update verify verify-receipt"
      ).split(" "),
    );
    const overview = await shell.text("help");
    expect(await shell.text("--help")).toBe(overview);
    expect(await shell.text("-h")).toBe(overview);
    expect(await shell.run([])).toMatchObject({ code: 2, stdout: overview });
    expect(await shell.text("--version")).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

test("the help of every command ends in at least two examples, each of which parses", async () => {
  await withShell(async (shell) => {
    for (const name of await commandNames(shell)) {
      const help = await shell.text("help", name);
      expect(await shell.text(name, "--help")).toBe(help);
      const examples = examplesOf(help);
      expect(examples.length, name).toBeGreaterThanOrEqual(2);
      for (const example of examples) {
        const given = words(example);
        expect(given[0], example).toBe(name);
        // With --help the flags are parsed, and nothing is done.
        expect(await shell.run([...given, "--help"]), example).toMatchObject({
          code: 0,
          stdout: help,
        });
      }
    }
  });
});

test("no example is refused for its form", async () => {
  await withShell(async (shell) => {
    for (const name of await commandNames(shell)) {
      for (const example of examplesOf(await shell.text("help", name))) {
        const stop = new AbortController();
        // What has no end of its own ends once it has said something.
        const settings = { signal: stop.signal, onStdout: () => stop.abort() };
        const { stderr } = await shell.run([...words(example), "--json"], settings);
        const lines = stderr.split("\n").filter((line) => line.startsWith("{"));
        for (const line of lines) {
          const { code } = JSON.parse(line) as { code: string };
          expect(
            ["usage", "argument-invalid", "ref-invalid", "as-of-invalid"],
            example,
          ).not.toContain(code);
        }
      }
    }
  });
});

test("lines of help fit a terminal of 100 columns", async () => {
  await withShell(async (shell) => {
    for (const name of ["", ...(await commandNames(shell))]) {
      const help = await shell.text("help", ...(name === "" ? [] : [name]));
      for (const line of help.split("\n")) expect(line.length, line).toBeLessThanOrEqual(100);
    }
  });
});

test("--as-of is offered by what reads, and by nothing that would ignore it", async () => {
  await withShell(async (shell) => {
    const reads = [
      "at",
      "blame",
      "checkout",
      "diff",
      "history",
      "impact",
      "invalidate",
      "lineage",
      "list",
      "log",
      "replay",
      "show",
      "stale",
      "timeline",
    ];
    const offering = [];
    for (const name of await commandNames(shell)) {
      if ((await shell.text("help", name)).includes("--as-of ")) offering.push(name);
    }
    expect(offering.toSorted()).toEqual(reads);
  });
});

test("global flags may stand before the command", async () => {
  await withShell(async (shell) => {
    await shell.text("init", "other");
    await shell.text("--store", "other", "--actor", "ann", "create", "config", "x", "--id", "x");
    const after = await shell.text("show", "x", "--store", "other", "--json");
    expect(await shell.text("--json", "--store", "other", "show", "x")).toBe(after);
    expect(await shell.text("--json", "--store=other", "show", "x")).toBe(after);
    expect(after).toContain('"actor":"ann"');
  });
});

test("the bash script is sound and completes commands and flags", async () => {
  await withShell(async (shell) => {
    const script = await shell.text("completion", "bash");
    execFileSync("bash", ["-n"], { input: script });
    const complete = (...line: string[]) => {
      const place = `COMP_WORDS=(${line.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${line.length - 1}`;
      const ask = `${script}\n${place}\n_sennit\nprintf '%s\\n' "\${COMPREPLY[@]}"`;
      return execFileSync("bash", ["-c", ask], { encoding: "utf8", cwd: shell.directory })
        .trim()
        .split("\n");
    };
    expect(complete("sennit", "li").toSorted()).toEqual(["lineage", "list"]);
    expect(complete("sennit", "").toSorted()).toEqual(
      [...(await commandNames(shell)), "help"].toSorted(),
    );
    expect(complete("sennit", "invalidate", "x", "--ca")).toEqual(["--cause"]);
    expect(complete("sennit", "show", "--as")).toEqual(["--as-of"]);
    expect(complete("sennit", "create", "--as")).not.toContain("--as-of");
    expect(complete("sennit", "help", "li").toSorted()).toEqual(["lineage", "list"]);
    expect(complete("sennit", "--store", "x", "li").toSorted()).toEqual(["lineage", "list"]);
    expect(complete("sennit", "--json", "--store", "=", "x", "show", "--as")).toEqual(["--as-of"]);
    await writeFile(join(shell.directory, "list-of-things"), "");
    expect(complete("sennit", "--store", "list-")).toEqual(["list-of-things"]);
  });
});

test("the zsh script loads the bash one, and the fish script names every command", async () => {
  await withShell(async (shell) => {
    const bash = await shell.text("completion", "bash");
    expect(await shell.text("completion", "zsh")).toBe(
      `autoload -U +X bashcompinit && bashcompinit\n${bash}`,
    );
    expect(await shell.json("completion", "bash")).toEqual({
      shell: "bash",
      script: bash.trimEnd(),
    });
    const fish = await shell.text("completion", "fish");
    for (const name of await commandNames(shell)) expect(fish).toContain(`-a ${name} -d "`);
    for (const line of fish.trimEnd().split("\n")) expect(line).toMatch(/^complete -c sennit /);
  });
});

test("the help of serve tells the default of every setting that has one", async () => {
  await withShell(async (shell) => {
    const help = (await shell.text("help", "serve")).replaceAll(/\s+/g, " ");
    for (const name of settingNames) {
      const { kind, default: usual } = settingTable[name];
      if (kind === "switch" || usual === undefined || String(usual) === "") continue;
      const [, row = ""] = help.split(` ${flagOf(name)} `);
      const [about = ""] = row.split(" --");
      const shown = Array.isArray(usual) ? usual.join(", ") : String(usual);
      expect(about, name).toContain(`; default: ${shown})`);
    }
  });
});

test("a word that is nearly a command leads to it, and a short one to the overview", async () => {
  await withShell(async (shell) => {
    const hintOf = async (word: string) => (await shell.refusal([word])).hint;
    expect(await hintOf("hlep")).toContain("sennit help");
    expect(await hintOf("lst")).toContain("sennit list");
    expect(await hintOf("me")).toBe("See: sennit help");
  });
});
