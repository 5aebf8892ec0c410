/** The command reference is true: it says what each command declares, and the JSON it promises is what comes out. */
import { writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { openLevelStorage } from "@sennit/core";
import { withTemporaryDirectory } from "@sennit/core/testing";
import { expect, test } from "vitest";

import { globalFlags, type Command, type Flag } from "../packages/cli/src/command.ts";
import { program } from "../packages/cli/src/program.ts";
import { simpleRun } from "./fixtures/bluesky/documents.ts";
import { CommandLine } from "./support/command-line.ts";
import { linksOf, sectionOf, sectionsOf, tablesOf } from "./support/markdown.ts";
import { readText, repositoryRoot } from "./support/repository.ts";
import { Shapes } from "./support/shapes.ts";

const path = "docs/reference/cli.md";
const isUpdating = process.env["SENNIT_UPDATE_DOCS"] === "1";
const shapes = new Shapes(readText(path));
const commands = await Promise.all(
  Object.entries(program).map(async ([name, entry]) => ({
    name,
    entry,
    command: (await entry.load()).command,
  })),
);
/** What the reference must say of a command, word for word; how it behaves is told below that. */
function declared(command: Command): string {
  const words = command.arguments.map(({ name, optional, rest }) => {
    const word = rest === true ? `${name}...` : name;
    return optional === true ? `[${word}]` : word;
  });
  const usage = [
    "sennit",
    command.name,
    ...words,
    ...(command.flags.length > 0 ? ["[FLAGS]"] : []),
  ];
  const argumentRows = command.arguments.map(
    ({ name, help }) => `| \`${cell(name)}\` | ${cell(help)} |`,
  );
  return [
    `${command.summary.charAt(0).toUpperCase()}${command.summary.slice(1)}.`,
    ["```text", usage.join(" "), "```"].join("\n"),
    ...(argumentRows.length > 0
      ? [["| Argument | Meaning |", "|---|---|", ...argumentRows].join("\n")]
      : []),
    ...(command.flags.length > 0 ? [flagTable(command.flags)] : []),
    ...(command.presentOnly === true
      ? ["It speaks for the present, so `--as-of` is refused."]
      : []),
    ["```text", ...command.examples, "```"].join("\n"),
  ].join("\n\n");
}

function flagTable(flags: readonly Flag[]): string {
  const rows = flags.map(({ name, value, help, multiple }) => {
    const several = multiple === true ? "; may be repeated" : "";
    const shown = value === undefined ? `--${name}` : `--${name} ${cell(value)}`;
    return `| \`${shown}\` | ${cell(help)}${several} |`;
  });
  return ["| Flag | Meaning |", "|---|---|", ...rows].join("\n");
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

/** The part of a section that repeats a declaration, up to what is said of its JSON. */
function beforeJson(text: string): string {
  const [before = ""] = text.split(/^(?=JSON: )/m);
  return before.trim();
}

function commandSections(): readonly string[] {
  const sections = sectionsOf(readText(path));
  const start = sections.findIndex(({ title }) => title === "Commands");
  const end = sections.findIndex(({ level }, index) => index > start && level === 2);
  return sections.slice(start + 1, end).map(({ title }) => title);
}

test("every command has a section, in the order of the overview, and no other section stands between", () => {
  expect(commandSections()).toEqual(Object.keys(program));
});

test.each(commands)(
  "$name: the overview and the command are summed up alike",
  ({ name, entry, command }) => {
    expect([command.name, command.summary]).toEqual([name, entry.summary]);
  },
);

test.each(commands)("$name: arguments, flags and examples are the declared ones", ({ command }) => {
  const { text } = sectionOf(readText(path), command.name);
  const expected = declared(command);
  if (isUpdating) {
    writeFileSync(
      join(repositoryRoot, path),
      readText(path).replace(beforeJson(text), () => expected),
    );
  }
  expect(beforeJson(sectionOf(readText(path), command.name).text)).toBe(expected);
});

test.each(commands)("$name: two examples at least, and each is of this command", ({ command }) => {
  expect(command.examples.length).toBeGreaterThanOrEqual(2);
  const foreign = command.examples.filter((example) => !example.includes(`sennit ${command.name}`));
  expect(foreign).toEqual([]);
});

test("the global flags are the declared ones", () => {
  expect(sectionOf(readText(path), "Global flags").text).toContain(flagTable(globalFlags));
});

test("every command says what its JSON is", () => {
  const unsaid = commands.filter(({ name }) => {
    const json = sectionOf(readText(path), name).text.split(/^JSON: /m)[1] ?? "";
    return shapeLinks(json).length === 0;
  });
  expect(unsaid.map(({ name }) => name)).toEqual([]);
});

function shapeLinks(text: string): string[] {
  return linksOf(text).filter((link) => link.startsWith("#"));
}

/** One command whose JSON is checked. */
interface Case {
  readonly words: readonly string[];
  readonly shape: string;
  readonly input?: string;
  /** Default 0. */
  readonly code?: number;
  /** It has no end of its own. */
  readonly isStopped?: boolean;
  /** The code of the error on stderr. */
  readonly error?: string;
}

const id = "0198c2f0-7c3a-7b1e-8f00-5d2a9c1b4e77";
const lines = [
  {
    type: "record.created",
    id,
    recordId: "ds-1",
    occurredAt: "2026-03-01T08:00:00Z",
    actor: "beamline-7",
    causationId: id,
    correlationId: id,
    data: {
      kind: "dataset",
      name: "peaks",
      tags: { sector: 1 },
      uris: ["file:///data/peaks.h5"],
      artifacts: [
        {
          name: "a",
          uri: "file:///a",
          mediaType: "text/plain",
          sizeBytes: 1,
          sha256: "0".repeat(64),
        },
      ],
      derivedFrom: [{ recordId: "cfg-1" }],
      onInvalidate: ["action-1"],
    },
  },
  { type: "record.created", recordId: "later", unknownSources: "placeholder", data: { kind: "k" } },
].map((line) => JSON.stringify(line));

/** A history in which every member of every shape occurs at least once. */
const cases: readonly Case[] = [
  { words: ["init"], shape: "Made store" },
  { words: ["init", "--new-key"], shape: "Made store" },
  { words: ["create", "config", "run 7", "--id", "cfg-1"], shape: "Written event" },
  { words: ["ingest", "-"], shape: "Ingest summary", input: lines.join("\n"), code: 2 },
  { words: ["import", "runs.json", "--format", "bluesky"], shape: "Import summary" },
  {
    words: ["create", "model", "m", "--id", "m-1", "--from", "ds-1:training-data"],
    shape: "Written event",
  },
  {
    words: ["create", "decision", "d", "--id", "d-1", "--from", "m-1", "--actor", "maria"],
    shape: "Written event",
  },
  { words: ["label", "then"], shape: "Set label" },
  {
    words: ["update", "cfg-1", "--set", "attributes.a=1", "--reason", "why"],
    shape: "Written event",
  },
  { words: ["update", "cfg-1", "--set", "attributes.a=2", "--tag", "k=v"], shape: "Written event" },
  { words: ["label", "changed"], shape: "Set label" },
  { words: ["stale"], shape: "Stale report" },
  { words: ["restore", "cfg-1@1", "--reason", "why"], shape: "Written event" },
  { words: ["diff", "cfg-1@1", "cfg-1@2"], shape: "Record diff" },
  { words: ["diff", "cfg-1@2", "cfg-1@3"], shape: "Record diff" },
  { words: ["diff", "cfg-1@2", "cfg-1@4"], shape: "Record diff" },
  { words: ["impact", "ds-1"], shape: "Impact report" },
  { words: ["impact", "cfg-1", "--at", "1"], shape: "Impact report" },
  { words: ["invalidate", "m-1", "--cause", "c", "--dry-run"], shape: "Impact report" },
  { words: ["invalidate", "ds-1", "--cause", "c"], shape: "Written event" },
  { words: ["show", "d-1"], shape: "Record" },
  { words: ["show", "ds-1@1"], shape: "Record" },
  { words: ["list", "--limit", "2"], shape: "List page" },
  { words: ["list", "kind:model -tag.draft", "--explain"], shape: "Explained list" },
  { words: ["log"], shape: "Log page" },
  { words: ["log", "--limit", "1"], shape: "Log page" },
  { words: ["history", "cfg-1"], shape: "Record history" },
  { words: ["history", "cfg-1", "--limit", "2"], shape: "Record history" },
  { words: ["blame", "cfg-1"], shape: "Field blame" },
  { words: ["at", "then"], shape: "Store summary" },
  { words: ["at", "--stale"], shape: "Store summary" },
  { words: ["checkout", "--out", "files"], shape: "Made checkout" },
  {
    words: ["timeline", "--by", "kind", "--by", "type", "--by", "actor"],
    shape: "Event timeline",
  },
  { words: ["projections"], shape: "Projection list" },
  { words: ["projections", "rebuild", "records"], shape: "Projection progress" },
  { words: ["diff", "--from", "then"], shape: "Store diff" },
  { words: ["lineage", "d-1"], shape: "Lineage graph" },
  { words: ["lineage", "d-1", "--refs"], shape: "Lineage names" },
  { words: ["lineage", "d-1", "--to", "cfg-1@1"], shape: "Lineage paths" },
  { words: ["lineage", "d-1", "--with", "d-1"], shape: "Common ancestors" },
  { words: ["lineage", "d-1", "--since", "0"], shape: "Lineage changes" },
  { words: ["replay", "d-1"], shape: "Replayed decision" },
  {
    words: ["replay", "d-1", "--check"],
    shape: "Replayed decision",
    code: 4,
    error: "replay-differs",
  },
  { words: ["checkpoint", "3"], shape: "Signed checkpoint" },
  { words: ["receipt", "d-1", "--against", "older.checkpoint"], shape: "Made receipt" },
  {
    words: [
      "verify-receipt",
      "receipt.json",
      "--key",
      ".sennit/keys/verifier-key.txt",
      "--against",
      "older.checkpoint",
    ],
    shape: "Proven receipt",
  },
  { words: ["erase", "m-1", "--cause", "c", "--dry-run"], shape: "Erasure" },
  { words: ["erase", "cfg-1@2", "--cause", "c"], shape: "Erasure" },
  { words: ["show", "cfg-1@2"], shape: "Record" },
  { words: ["impact", "cfg-1@2"], shape: "Impact report" },
  {
    words: ["create", "run", "late", "--id", "late", "--from", "cfg-1@2"],
    shape: "Written event",
  },
  { words: ["update", "late", "--tag", "k=v"], shape: "Written event" },
  { words: ["lineage", "late"], shape: "Lineage graph" },
  { words: ["lineage", "late", "--with", "late"], shape: "Common ancestors" },
  { words: ["lineage", "late", "--since", "0"], shape: "Lineage changes" },
  { words: ["receipt", "late"], shape: "Made receipt" },
  { words: ["erase", "late", "--cause", "c"], shape: "Erasure" },
  { words: ["blame", "cfg-1"], shape: "Field blame" },
  { words: ["blame", "late"], shape: "Field blame" },
  { words: ["impact", "cfg-1", "--at", "changed"], shape: "Impact report" },
  { words: ["projections"], shape: "Projection list" },
  { words: ["projections", "rebuild", "records"], shape: "Projection progress" },
  { words: ["diff", "--from", "then"], shape: "Store diff" },
  { words: ["log"], shape: "Log page" },
  { words: ["verify"], shape: "Verify report" },
  { words: ["backup", "copy"], shape: "Backup run" },
  { words: ["restore-store", "copy", "restored"], shape: "Restored store" },
  { words: ["export", "all.ndjson"], shape: "Made export" },
  { words: ["import", "all.ndjson", "imported"], shape: "Imported store" },
  {
    words: ["keys", "create", "scan", "--scope", "append", "--kind", "k", "--id-prefix", "scan-"],
    shape: "Made key",
  },
  { words: ["keys"], shape: "Key list" },
  {
    words: ["serve", "--port", "0", "--log-level", "silent"],
    shape: "Served store",
    isStopped: true,
  },
  { words: ["demo", "played", "--once"], shape: "Played demo" },
  { words: ["demo", "played"], shape: "Played demo", isStopped: true },
  { words: ["completion", "fish"], shape: "Completion script" },
];

test("the JSON of every command has the members promised, and every promised member comes", async () => {
  await withTemporaryDirectory(async (directory) => {
    const line = new CommandLine(directory);
    await writeFile(join(directory, "runs.json"), JSON.stringify(simpleRun("run-1")));
    for (const { words, shape, input, code = 0, error, isStopped } of cases) {
      const settings = { stopsAfterOutput: isStopped === true };
      const outcome = await line.run([...words, "--json"], input, settings);
      const said = outcome.stderr === "" ? undefined : JSON.parse(outcome.stderr).code;
      expect([words, outcome.code, said]).toEqual([words, code, error]);
      expect([words, shapes.problems(JSON.parse(outcome.stdout), shape)]).toEqual([words, []]);
      await keepForLater(directory, words[0], outcome.stdout);
    }
    await expectLineResults(line);
    await expectProblemsOfDamage(line, directory);
    const refused = await line.run(["show", "nothing", "--json"]);
    expect(shapes.problems(JSON.parse(refused.stderr), "Error")).toEqual([]);
  });
  expect(shapes.unseen()).toEqual([]);
});

/** What one command prints and a later one reads. */
async function keepForLater(directory: string, name = "", stdout: string): Promise<void> {
  const { note } = JSON.parse(stdout) as { readonly note?: string };
  if (note !== undefined) await writeFile(join(directory, "older.checkpoint"), note);
  if (name === "receipt") await writeFile(join(directory, "receipt.json"), stdout);
}

/** The JSON of `--results` is many lines, and so no case among the others. */
async function expectLineResults(line: CommandLine): Promise<void> {
  const event = { type: "record.created", recordId: "told-of", data: { kind: "k", name: "n" } };
  const input = `${JSON.stringify(event)}\nx`;
  await line.run(["init", "--store", "lines"]);
  const words = ["ingest", "-", "--store", "lines", "--results", "--json"];
  const { stdout } = await line.run(words, input);
  const [stored, refused, end] = stdout.split("\n").map((text) => JSON.parse(text || "{}"));
  expect(shapes.problems(stored, "Stored line")).toEqual([]);
  const { status, ...error } = refused;
  expect([status, shapes.problems(error, "Line error")]).toEqual(["refused", []]);
  expect(shapes.problems({ ...end.summary, errors: [] }, "Ingest summary")).toEqual([]);
}

/**
 * Damages the entry before the last erasure, which keeps what that erased from staying, and then the first one; verification and
 * repair must report what the page promises.
 */
async function expectProblemsOfDamage(line: CommandLine, directory: string): Promise<void> {
  const { head } = JSON.parse((await line.run(["verify", "--json"])).stdout) as { head: number };
  await damageEntry(directory, head - 1);
  const planned = await line.run(["verify", "--repair", "--json"]);
  expect(planned.code).toBe(6);
  expect(shapes.problems(JSON.parse(planned.stdout), "Repair")).toEqual([]);
  await damageEntry(directory, 1);
  const { code, stdout } = await line.run(["verify", "--json"]);
  expect(code).toBe(6);
  expect(shapes.problems(JSON.parse(stdout), "Verify report")).toEqual([]);
  const repaired = await line.run(["verify", "--repair", "--yes", "--json"]);
  expect(repaired.code).toBe(0);
  expect(shapes.problems(JSON.parse(repaired.stdout), "Repair")).toEqual([]);
}

async function damageEntry(directory: string, position: number): Promise<void> {
  const storage = await openLevelStorage(join(directory, ".sennit", "log"));
  const key = Buffer.from(`45${position.toString(16).padStart(16, "0")}`, "hex");
  const value = Buffer.from(storage.get(key) ?? []);
  await storage.write({ puts: [[key, value.fill(0, 4)]] });
  await storage.close();
}

test("the JSON of every command is checked, against a shape that its section names", () => {
  const checked = new Set(cases.map(({ words }) => words[0]));
  expect(checked).toEqual(new Set(commands.map(({ name }) => name)));
  const unnamed = cases.filter(({ words, shape }) => {
    const { text } = sectionOf(readText(path), words[0] ?? "");
    return !text.includes(`[${shape}](#${shape.toLowerCase().replaceAll(" ", "-")})`);
  });
  expect(unnamed).toEqual([]);
});

function exitCodesIn(page: string, title: string): (string | undefined)[] {
  const [table] = tablesOf(sectionOf(readText(page), title).text);
  return (table?.rows ?? []).map((row) => row["Exit code"]);
}

test("the exit codes are those of the error reference", () => {
  const categories = new Set(exitCodesIn("docs/reference/errors.md", "Categories"));
  expect(new Set(exitCodesIn(path, "Exit codes"))).toEqual(new Set(["0", ...categories]));
});
