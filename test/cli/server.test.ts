/**
 * Every command against a server: what it prints, its exit code and the files it writes are those of the same command on the
 * store's directory. Two copies of one store are asked in turn, one in its directory and one behind a URL.
 */
import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { withTemporaryDirectory } from "@sennit/core/testing";
import { startServer } from "@sennit/server";
import { expect, test } from "vitest";

import { program } from "../../packages/cli/src/program.ts";
import { simpleRun } from "../fixtures/bluesky/documents.ts";
import { creation, eventId, ndjson, Shell, type Answer } from "./support.ts";

/** One command line, without `--store`. */
interface Case {
  readonly words: readonly string[];
  readonly input?: string;
  /** Run once, with `--json` or without; default: both, one after the other. */
  readonly as?: "json" | "text";
}

const later = ndjson([
  { ...creation("i-1"), id: eventId(1) },
  { ...creation("i-1"), id: eventId(1) },
  { ...creation("i-2", ["nowhere"]), id: eventId(2) },
  { type: "record.created", recordId: "i-3", data: { kind: 7 } },
  creation("i-4", ["i-1", "braggnn"]),
]);
const broken =
  '{"type":\n\nnot json\n{"type":"record.created","recordId":"i-5","data":{"kind":"k","name":"n","more":1}}\n';

/** Commands that only ask. */
const reads: readonly Case[] = [
  { words: ["show", "decision-1"] },
  { words: ["show", "model/braggnn@2"] },
  { words: ["show", "model/braggnn", "--as-of", "first-decision"] },
  { words: ["show", "decision-1", "--as-of", "2026-03-05T00:00:00Z"] },
  { words: ["show", "gone-1"] },
  { words: ["show", "nothing"] },
  { words: ["show", "nothing/here"] },
  { words: ["show", "decision-1@9"] },
  { words: ["show", "decision-1", "--as-of", "no-such-label"] },
  { words: ["show", "decision-1", "--as-of", "9999"] },
  { words: ["show", "odd id/with ünicode?&%#"] },
  { words: ["list"] },
  { words: ["list", "--kind", "scan", "--limit", "2"] },
  { words: ["list", "kind:model tag.loss<0.2", "--status", "valid"] },
  { words: ["list", "--tag", "sector=2", "--as-of", "first-decision"] },
  { words: ["list", "--tag", 'stage="prod"'] },
  { words: ["list", "-kind:scan", "strain", "--explain"] },
  { words: ["list", "kind:("] },
  { words: ["list", "--cursor", "nonsense"] },
  { words: ["log", "--limit", "3"] },
  { words: ["log", "model/braggnn", "--reverse"] },
  { words: ["log", "--from", "900"] },
  { words: ["log", "--limit", "1000", "--as-of", "first-decision"] },
  { words: ["history", "braggnn"] },
  { words: ["history", "braggnn", "--after", "1", "--limit", "2"] },
  { words: ["blame", "braggnn"] },
  { words: ["at"] },
  { words: ["at", "first-decision", "--stale"] },
  { words: ["diff", "braggnn@2", "braggnn@5"] },
  { words: ["diff", "model/braggnn@1", "ds-1@1"] },
  { words: ["diff", "--from", "first-decision", "--to", "second-decision"] },
  { words: ["diff", "--from", "second-decision", "--to", "first-decision"] },
  { words: ["timeline", "--by", "kind", "--by", "type"] },
  { words: ["timeline", "--bucket", "hour", "--who", "hpc", "--to", "2026-03-05"] },
  { words: ["lineage", "decision-1"] },
  { words: ["lineage", "cal-1", "--down", "--format", "dot"] },
  { words: ["lineage", "cal-1@1", "--down", "--refs", "--depth", "2"] },
  { words: ["lineage", "decision-1", "--to", "cal-1@1", "--limit", "3"] },
  { words: ["lineage", "decision-1", "--with", "decision-2"] },
  { words: ["lineage", "cal-1", "--down", "--since", "first-decision"] },
  { words: ["lineage", "decision-2", "--role", "evidence", "--kind", "inference"] },
  { words: ["impact", "model/braggnn"] },
  { words: ["impact", "cal-1@1", "--since", "--at", "first-decision"] },
  { words: ["invalidate", "cfg-1", "--cause", "c", "--dry-run"] },
  { words: ["stale"] },
  { words: ["stale", "--as-of", "2026-03-04T12:00:00Z"] },
  { words: ["replay", "decision-1", "--check"] },
  { words: ["replay", "decision-2", "--out", "replayed"], as: "json" },
  { words: ["checkout", "--as-of", "first-decision", "--out", "then"], as: "text" },
  { words: ["checkout", "--out", "now"], as: "json" },
  { words: ["checkpoint"] },
  { words: ["checkpoint", "3"] },
  { words: ["receipt", "decision-2"] },
  { words: ["receipt", "decision-1@1", "--against", "older.checkpoint"] },
  { words: ["verify"] },
  { words: ["projections"] },
  { words: ["projections", "rebuild", "records"] },
  { words: ["projections", "rebuild", "nothing"] },
  { words: ["erase", "scan-1", "--cause", "c", "--dry-run"] },
  { words: ["export", "whole.ndjson", "--unsigned"], as: "json" },
  { words: ["export", "whole.msgpack", "--format", "msgpack"], as: "text" },
  { words: ["export"], as: "text" },
  { words: ["backup", "copy", "--without-key"], as: "json" },
  { words: ["backup", "copy", "--without-key"], as: "text" },
  { words: ["backup", "after", "--since", "40", "--without-key"], as: "json" },
  { words: ["restore-store", "copy", "restored"], as: "text" },
  { words: ["verify-receipt", "receipt.json", "--key", "verifier-key.txt"] },
  { words: ["completion", "fish"] },
];

/** Commands that write, in an order in which each finds what it needs. */
const writes: readonly Case[] = [
  { words: ["create", "thing", "one", "--id", "t-1", "--tag", "a=1", "--actor", "maria"] },
  { words: ["create", "thing", "two", "--id", "t-2", "--from", "t-1:source"], as: "json" },
  { words: ["create", "thing", "three", "--id", "t-3", "--from", "nowhere"] },
  { words: ["update", "t-1", "--set", "attributes.a=1", "--reason", "why"], as: "json" },
  { words: ["update", "thing/one", "--tag", "b=2", "--expect", "2"], as: "text" },
  { words: ["update", "t-1", "--tag", "b=3", "--expect", "2"] },
  { words: ["update", "t-2", "--add-from", "model/braggnn"], as: "text" },
  { words: ["update", "nothing", "--tag", "b=3"] },
  { words: ["restore", "t-1@1", "--reason", "back"], as: "json" },
  { words: ["restore", "thing/one@2"], as: "text" },
  { words: ["label", "here"], as: "text" },
  { words: ["label", "here", "3", "--actor", "maria"], as: "json" },
  { words: ["label", "there", "9999"] },
  { words: ["ingest", "-", "--json"], input: later, as: "json" },
  { words: ["ingest", "-"], input: later, as: "text" },
  { words: ["ingest", "-", "--actor", "hpc"], input: broken },
  { words: ["ingest", "-", "--atomic"], input: later },
  { words: ["ingest", "-", "--batch", "2", "--actor", "hpc"], input: ndjson([creation("i-6")]) },
  { words: ["import", "--format", "bluesky", "runs.json"] },
  { words: ["show", "i-6"], as: "json" },
  { words: ["invalidate", "t-1", "--cause", "wrong"], as: "text" },
  { words: ["invalidate", "i-1@1", "--since", "--cause", "wrong"], as: "json" },
  { words: ["invalidate", "nothing", "--cause", "wrong"] },
  { words: ["erase", "t-1", "t-2@1", "--cause", "asked to"], as: "json" },
  { words: ["erase", "scan-1", "--cause", "asked to"], as: "text" },
  { words: ["list", "--limit", "10000"] },
];

/** What is made or looked after in a directory: with a URL it is refused. */
const needDirectory: readonly (readonly string[])[] = [
  ["init"],
  ["demo", "--once"],
  ["serve"],
  ["keys", "list"],
  ["verify", "--repair"],
  ["import", "exported.ndjson"],
];

test("every command has a case here", () => {
  const tried = [...reads, ...writes].map(({ words }) => words[0] ?? "");
  const named = [...tried, ...needDirectory.map(([name = ""]) => name)];
  expect(new Set(named)).toEqual(new Set(Object.keys(program)));
});

test("what only asks prints the same, byte for byte, and writes the same files", async () => {
  await withTwins(async (twins) => {
    for (const { words, input, as } of reads) {
      for (const form of as === undefined ? (["text", "json"] as const) : [as]) {
        const [embedded, served] = await twins.run(inForm(words, form), input);
        expect({ words, ...told(served) }).toEqual({ words, ...told(embedded) });
      }
    }
    const [embedded, served] = await twins.files();
    expect(Object.keys(embedded)).toContain("then/manifest.json");
    expect(served).toEqual(embedded);
  });
});

test("what writes prints the same, but for ids that are drawn and digests over them", async () => {
  await withTwins(async (twins) => {
    for (const { words, input, as } of writes) {
      for (const form of as === undefined ? (["text", "json"] as const) : [as]) {
        const [embedded, served] = await twins.run(inForm(words, form), input);
        expect({ words, ...told(anonymous(served)) }).toEqual({
          words,
          ...told(anonymous(embedded)),
        });
      }
    }
  });
});

test.each(needDirectory)("%s needs a directory and says so", async (...words) => {
  await withTwins(async ({ served }) => {
    const { exit, code, hint } = await served.refusal(words);
    expect({ exit, code }).toEqual({ exit: 2, code: "argument-invalid" });
    expect(hint).toMatch(/directory|DIR/);
  });
});

function inForm(words: readonly string[], form: "text" | "json"): readonly string[] {
  return form === "json" && !words.includes("--json") ? [...words, "--json"] : words;
}

/** With an error as a value: its details come in any order. */
function told({ stderr, ...answer }: Answer): object {
  const text = stderr.replace(keyPlace, "$1PLACE");
  return { ...answer, stderr: text.startsWith("{") ? (JSON.parse(text) as unknown) : text };
}

/** Where the public key is to be had is the one thing that differs: a file of the store, or an address of its server. */
const keyPlace = /(KEY is )(?:in keys\/verifier-key\.txt|at http:\S+\/v1\/verifier-key)/;

/** Without what is drawn at random. */
function anonymous({ code, stdout, stderr }: Answer): Answer {
  return { code, stdout: blurred(stdout), stderr: blurred(stderr) };
}

function blurred(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "UUID")
    .replaceAll(/[0-9a-f]{64}/g, "DIGEST");
}

/** Two copies of one store: a shell on the directory of one, and a shell on the URL of the other. */
interface Twins {
  readonly served: Shell;
  run(words: readonly string[], input?: string): Promise<[Answer, Answer]>;
  /** What stands in the directories of the two shells, by path. */
  files(): Promise<[Files, Files]>;
}

type Files = Readonly<Record<string, string>>;

async function withTwins(use: (twins: Twins) => Promise<void>): Promise<void> {
  await withTemporaryDirectory(async (directory) => {
    const original = join(directory, "original");
    await tellStory(directory, original);
    const [embedded, served] = await Promise.all([shellIn("embedded"), shellIn("served")]);
    const server = await startServer({
      directory: join(directory, "served-store"),
      port: 0,
      clock: served.clock,
    });
    const places = [join(directory, "embedded-store"), server.url];

    async function shellIn(name: string): Promise<Shell> {
      await cp(original, join(directory, `${name}-store`), { recursive: true });
      const shell = new Shell(join(directory, name));
      await cp(join(directory, "inputs"), shell.directory, { recursive: true });
      shell.clock.advance(10 * 24 * 3600 * 1_000_000);
      return shell;
    }

    async function answer(shell: Shell, index: number, words: readonly string[], input = "") {
      const given = await shell.run(["--store", places[index] ?? "", ...words], { input });
      return placeless(given, shell.directory);
    }

    try {
      await use({
        served: new ShellOn(server.url, served.directory),
        run: async (words, input) => [
          await answer(embedded, 0, words, input),
          await answer(served, 1, words, input),
        ],
        files: async () => [await filesIn(embedded.directory), await filesIn(served.directory)],
      });
    } finally {
      await server.close();
    }
  });
}

/** A shell that finds its store in the environment. */
class ShellOn extends Shell {
  readonly #url: string;

  constructor(url: string, directory: string) {
    super(directory);
    this.#url = url;
  }

  override run(words: readonly string[], settings = {}): Promise<Answer> {
    return super.run(["--store", this.#url, ...words], settings);
  }
}

/** A store with all that can be in one, and files that commands read. */
async function tellStory(directory: string, original: string): Promise<void> {
  const inputs = join(directory, "inputs");
  await mkdir(inputs);
  const shell = new Shell(inputs);
  shell.clock.advance(9 * 24 * 3600 * 1_000_000);
  await shell.text("demo", original, "--once");
  const onStore = (...words: string[]) => shell.text("--store", original, ...words);
  await writeFile(join(inputs, "older.checkpoint"), await onStore("checkpoint", "30"));
  await onStore("export", join(inputs, "exported.ndjson"));
  await onStore("create", "thing", "to go", "--id", "gone-1", "--attr", '{"secret":"x"}');
  await onStore("create", "odd", "a b/c", "--id", "odd id/with ünicode?&%#", "--from", "gone-1");
  await onStore("erase", "gone-1", "--cause", "asked to");
  await writeFile(join(inputs, "receipt.json"), await onStore("receipt", "decision-2"));
  await cp(join(original, "keys", "verifier-key.txt"), join(inputs, "verifier-key.txt"));
  await writeFile(join(inputs, "runs.json"), JSON.stringify(simpleRun("run-1")));
}

/** Without the directory of the shell, the time that work took, and how fast it went. */
function placeless({ code, stdout, stderr }: Answer, directory: string): Answer {
  const plain = (text: string) =>
    text
      .replaceAll(directory, "HERE")
      .replaceAll(/in \d+\.\d s \(\d+ events\/s\)/g, "in a while")
      .replaceAll(/"seconds":[\d.e-]+,"eventsPerSecond":\d+/g, '"seconds":0')
      .replaceAll(/(live +\d+ +\d+) +\d+/g, "$1 RATE")
      .replaceAll(/"eventsPerSecond":\d+/g, '"eventsPerSecond":0');
  return { code, stdout: plain(stdout), stderr: plain(stderr) };
}

/** Every file below a directory, but for stores, which hold what nobody compares. */
async function filesIn(directory: string): Promise<Files> {
  const paths = await readdir(directory, { recursive: true, withFileTypes: true });
  const files: Record<string, string> = {};
  for (const entry of paths) {
    const path = join(entry.parentPath, entry.name).slice(directory.length + 1);
    if (!entry.isFile() || path.startsWith("restored")) continue;
    files[path] = await readFile(join(directory, path), "latin1");
  }
  return files;
}
