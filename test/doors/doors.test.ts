/** One question, one answer: embedded, over HTTP, through the client and on the command line, byte for byte. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { run } from "@sennit/cli/run";
import { connect, type SennitClient } from "@sennit/client";
import { isStoreError, openStore } from "@sennit/core";
import { FakeClock } from "@sennit/core/testing";
import { openViews, type ViewReader } from "@sennit/projections";
import { startServer, type RunningServer } from "@sennit/server";
import { afterAll, beforeAll, expect, test } from "vitest";

import { spawned } from "../cli/support.ts";
import { checkingFetch } from "../support/checking-fetch.ts";
import { questions, type Question } from "./questions.ts";
import { instants, makeRichStore, oddIds, type NamedInstant } from "./rich-store.ts";

interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly details: unknown;
}

interface Case {
  readonly question: Question;
  readonly instant: NamedInstant;
  readonly name: string;
  /** JSON text, or how it fails. */
  readonly expected: string | Failure;
}

const clock = new FakeClock("2026-03-02T10:00:00Z");
let directory: string;
let cases: readonly Case[];
let server: RunningServer;
let client: SennitClient;
const checked = checkingFetch();

beforeAll(async () => {
  directory = join(await mkdtemp(join(tmpdir(), "sennit-doors-")), "store");
  await makeRichStore(directory, clock);
  cases = await embeddedCases();
});

afterAll(async () => {
  await client?.close();
  await server?.close();
  await rm(join(directory, ".."), { recursive: true, force: true });
});

async function embeddedCases(): Promise<Case[]> {
  await using store = await openStore(directory, { clock });
  const views = await openViews(store);
  const all: Case[] = [];
  try {
    for (const instant of instants) {
      const reader = await views.at(instant.asOf);
      for (const question of questions) {
        const name = `${question.name} as of ${instant.text ?? "now"}`;
        all.push({ question, instant, name, expected: await answerOf(question, reader) });
      }
    }
  } finally {
    await views.close();
  }
  return all;
}

async function answerOf({ ask }: Question, reader: ViewReader): Promise<string | Failure> {
  try {
    return JSON.stringify(await ask(reader));
  } catch (error) {
    if (!isStoreError(error)) throw error;
    const { code, message, hint, details } = error;
    return JSON.parse(JSON.stringify({ code, message, hint, details })) as Failure;
  }
}

/** Of several doors' answers those that differ from the embedded ones, which is none. */
function differing(answers: readonly (readonly [Case, unknown])[]): unknown[] {
  return answers
    .filter(([{ expected }, answer]) => JSON.stringify(answer) !== JSON.stringify(expected))
    .map(([{ name, expected }, answer]) => ({ name, expected, answer }));
}

test("the questions are many, and some of them fail", () => {
  const failing = cases.filter(({ expected }) => typeof expected === "object");
  expect(cases.length).toBeGreaterThan(1000);
  expect(failing.length).toBeGreaterThan(100);
  expect(cases.length - failing.length).toBeGreaterThan(500);
  const codes = new Set(failing.map(({ expected }) => (expected as Failure).code));
  expect([...codes].toSorted()).toEqual([
    "argument-invalid",
    "content-erased",
    "query-invalid",
    "record-not-found",
    "ref-ambiguous",
    "ref-invalid",
    "version-not-found",
  ]);
});

test("over HTTP, in the text of the answers", async () => {
  server = await startServer({
    directory,
    port: 0,
    clock,
    readsPerSecondMax: 0,
    writesPerSecondMax: 0,
  });
  const answers: (readonly [Case, unknown])[] = [];
  for (const each of cases) {
    const { http } = each.question;
    if (http !== undefined) answers.push([each, await httpAnswer(http, each)]);
  }
  expect(differing(answers).slice(0, 5)).toEqual([]);
});

async function httpAnswer(http: string, { question, instant }: Case): Promise<unknown> {
  const url = new URL(http, server.url);
  if (instant.text !== undefined) url.searchParams.set(question.instant ?? "as-of", instant.text);
  const response = await checked.fetch(url);
  const text = await response.text();
  if (response.ok) return text;
  const { code, detail, hint, details, errors } = JSON.parse(text) as {
    code: string;
    detail: string;
    hint: string;
    details: object;
    errors: readonly { pointer: string; detail: string }[];
  };
  const issues = errors.map((issue) => ({ pointer: issue.pointer, message: issue.detail }));
  return {
    code,
    message: detail,
    hint,
    details: issues.length === 0 ? details : { ...details, issues },
  };
}

test("through the client", async () => {
  client = await connect(server.url, { fetch: checked.fetch });
  const readers = new Map<NamedInstant, ViewReader>();
  for (const instant of instants) {
    readers.set(instant, instant.asOf === undefined ? client : await client.at(instant.asOf));
  }
  const answers: (readonly [Case, unknown])[] = [];
  for (const each of cases) {
    const reader = readers.get(each.instant);
    if (reader === undefined) throw new Error(`No reader as of ${each.instant.text}.`);
    answers.push([each, await answerOf(each.question, reader)]);
  }
  expect(differing(answers).slice(0, 5)).toEqual([]);
});

function commandWords({ question, instant }: Case, store: string): string[] {
  const [command = "", ...words] = question.cli ?? [];
  const asOf = instant.text === undefined ? [] : ["--as-of", instant.text];
  return [command, "--json", "--store", store, ...asOf, ...words];
}

/** What a command line prints: the text without its end of line, or the error's code. */
async function commandAnswer(each: Case, store: string): Promise<unknown> {
  let stdout = "";
  let stderr = "";
  const code = await run(commandWords(each, store), {
    cwd: directory,
    env: {},
    stdin: (async function* nothing() {})(),
    stdout: (text) => (stdout += text),
    stderr: (text) => (stderr += text),
    isColorful: false,
    isInteractive: false,
    columns: undefined,
    clock,
    signal: new AbortController().signal,
  });
  if (code === 0) return stdout.replace(/\n$/, "");
  return (JSON.parse(stderr) as Failure).code;
}

/** Command lines cost some ten milliseconds each, so that every third question has to do. */
function commandCases(): readonly Case[] {
  return cases.filter(isForCommand).filter((_, index) => index % 3 === 0);
}

/** Of records with odd names, two questions are enough. */
function isForCommand({ question: { cli = [] } }: Case): boolean {
  const ref = cli.at(-1) ?? "";
  const isOdd = oddIds.some((id) => id === ref);
  return cli.length > 0 && ref !== "" && (!isOdd || ["show", "history"].includes(cli[0] ?? ""));
}

test("every request of the client, and every answer, is what the document declares", () => {
  expect([...new Set(checked.findings.problems)].slice(0, 20)).toEqual([]);
});

test("by the built command, at the server and on its directory", async () => {
  const asked = cases.filter(isForCommand).filter((_, index) => index % 97 === 0);
  expect(asked.length).toBeGreaterThan(5);
  for (const [index, each] of asked.entries()) {
    const words = commandWords(each, index % 2 === 0 ? server.url : directory);
    const { code, stdout, stderr } = await spawned(words, directory);
    const answer = code === 0 ? stdout.replace(/\n$/, "") : (JSON.parse(stderr) as Failure).code;
    expect([each.name, answer]).toEqual([each.name, codeOnly(each).expected]);
  }
});

function codeOnly(each: Case): Case {
  const { expected } = each;
  return typeof expected === "string" ? each : { ...each, expected: expected.code };
}

test("on the command line, at the server", async () => {
  const answers: (readonly [Case, unknown])[] = [];
  for (const each of commandCases()) {
    answers.push([codeOnly(each), await commandAnswer(each, server.url)]);
  }
  expect(differing(answers).slice(0, 5)).toEqual([]);
});

test("on the command line, on the directory", async () => {
  await client.close();
  await server.close();
  const answers: (readonly [Case, unknown])[] = [];
  for (const each of commandCases()) {
    answers.push([codeOnly(each), await commandAnswer(each, directory)]);
  }
  expect(differing(answers).slice(0, 5)).toEqual([]);
});
