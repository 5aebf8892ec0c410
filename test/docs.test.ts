/** The documentation is true: every block in it is run, and what cannot be run is checked. */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { format } from "node:util";

import { withTemporaryDirectory } from "@sennit/core/testing";
import { expect, test, vi } from "vitest";

import { blocksOf, codeIn, sectionOf, tablesOf, type Block } from "./support/markdown.ts";
import { markdownFiles, readText, repositoryRoot } from "./support/repository.ts";
import { TranscriptPlayer } from "./support/transcript.ts";

/** Where the stores of transcripts seem to be. */
const shownDirectory = "/data/run-7";
/** With this variable set, transcripts get their true output instead of being compared. Read the difference. */
const isUpdating = process.env["SENNIT_UPDATE_DOCS"] === "1";

/** What is done with a block of each language. A language that is not here fails its document. */
const languages = {
  README: new Set(["ts", "console", "sh"]),
  // Beside those: data that must parse, and drawings that a reader looks at.
  others: new Set(["ts", "console", "sh", "json", "text"]),
};

const documents = markdownFiles();

function blocksIn(path: string, language: string): Block[] {
  return blocksOf(readText(path)).filter((block) => block.language === language);
}

test("there is documentation to check", () => {
  expect(documents).toContain("README.md");
  expect(documents).toContain("docs/index.md");
});

test.each(documents)("%s has no block that nothing checks", (path) => {
  const known = path === "README.md" ? languages.README : languages.others;
  const unknown = blocksOf(readText(path)).filter(({ language }) => !known.has(language));
  expect(unknown.map(({ line, language }) => `${path}:${line} ${language}`)).toEqual([]);
});

test("the README shows an embedding, a transcript and the npm commands", () => {
  const counts = [...languages.README].map((language) => blocksIn("README.md", language).length);
  expect(counts).toEqual([1, 3, 1]);
});

const withTranscripts = documents.filter((path) => blocksIn(path, "console").length > 0);

test.each(withTranscripts)("%s: transcripts show what the commands print", async (path) => {
  await withTemporaryDirectory(async (directory) => {
    const player = new TranscriptPlayer(directory, shownDirectory);
    try {
      for (const { text } of blocksIn(path, "console")) {
        const actual = await player.play(text);
        if (isUpdating) {
          writeFileSync(
            join(repositoryRoot, path),
            readText(path).replace(text, () => actual),
          );
        }
        expect(isUpdating ? "updated" : actual).toBe(isUpdating ? "updated" : text);
      }
    } finally {
      await player.close();
    }
  });
});

test("README: the commands that answer the questions work where the transcript ends", async () => {
  const [table] = tablesOf(sectionOf(readText("README.md"), "What it is for").text);
  const commands = (table?.rows ?? []).map((row) => codeIn(row["Command"] ?? ""));
  expect(commands).toHaveLength(11);
  await withTemporaryDirectory(async (directory) => {
    const player = new TranscriptPlayer(directory, shownDirectory);
    for (const { text } of blocksIn("README.md", "console")) await player.play(text);
    for (const command of commands) {
      const output = await player.run(command);
      expect([command, player.lastCode]).toEqual([command, 0]);
      expect(output).not.toBe("");
    }
    await player.close();
  });
});

const withPrograms = documents.filter((path) => blocksIn(path, "ts").length > 0);

/** Each TypeScript block of a document as a file of its own, inside the workspace so that its imports resolve. */
async function withProgramFiles(
  path: string,
  use: (directory: string, files: readonly string[]) => Promise<void>,
): Promise<void> {
  const built = join(repositoryRoot, "test", "dist");
  await mkdir(built, { recursive: true });
  const directory = await mkdtemp(join(built, "docs-"));
  try {
    const files: string[] = [];
    for (const { text, line } of blocksIn(path, "ts")) {
      const file = join(directory, `line-${line}.ts`);
      await writeFile(file, text);
      files.push(file);
    }
    await use(directory, files);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Runs a program in an empty directory. @returns the lines it printed */
async function runProgram(file: string): Promise<string[]> {
  const lines: string[] = [];
  const log = vi.spyOn(console, "log").mockImplementation((...values: unknown[]) => {
    lines.push(format(...values));
  });
  const before = process.cwd();
  try {
    await withTemporaryDirectory(async (directory) => {
      process.chdir(directory);
      try {
        await import(pathToFileURL(file).href);
      } finally {
        process.chdir(before);
      }
    });
  } finally {
    log.mockRestore();
  }
  return lines;
}

test.each(withPrograms)("%s: programs print what their comments say", async (path) => {
  await withProgramFiles(path, async (_directory, files) => {
    for (const file of files) {
      const text = readFileSync(file, "utf8");
      const promised = [...text.matchAll(/^\/\/ prints: (.*)$/gm)].map((match) => match[1]);
      expect(promised).not.toEqual([]);
      expect(await runProgram(file)).toEqual(promised);
    }
  });
});

test.each(withPrograms)("%s: programs pass the type check", async (path) => {
  await withProgramFiles(path, async (directory) => {
    const config = { extends: "../../../tsconfig.check.json", include: ["*.ts"] };
    await writeFile(join(directory, "tsconfig.json"), JSON.stringify(config));
    const tsc = join(repositoryRoot, "node_modules", "typescript", "bin", "tsc");
    const { status, stdout } = spawnSync(process.execPath, [tsc, "-p", directory], {
      encoding: "utf8",
    });
    expect(stdout).toBe("");
    expect(status).toBe(0);
  });
});

test("the README's embedding example is eight lines at most", () => {
  const [example] = blocksIn("README.md", "ts");
  const code = example?.text.split("\n").filter((line) => line !== "" && !line.startsWith("//"));
  expect(code?.length).toBeLessThanOrEqual(8);
});

const withCommands = documents.filter((path) => blocksIn(path, "sh").length > 0);

test.each(withCommands)("%s: npm commands are scripts of the workspace", (path) => {
  const { scripts } = JSON.parse(readText("package.json")) as { scripts: Record<string, string> };
  for (const { text } of blocksIn(path, "sh")) {
    for (const line of text.split("\n")) {
      const [, script = ""] = /^npm (?:run )?([\w:]+)(?: -- .*)?$/.exec(line) ?? [];
      expect([line, Object.hasOwn(scripts, script)]).toEqual([line, true]);
    }
  }
});

test.each(documents)("%s: JSON parses", (path) => {
  for (const { text } of blocksIn(path, "json")) expect(() => JSON.parse(text)).not.toThrow();
});
