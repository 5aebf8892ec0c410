/** A bit flipped in any file of a store leads to an error or to the right answer, and the run that shows it can fail. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

import { beforeAll, expect, test } from "vitest";

import { repositoryRoot } from "../support/repository.ts";

interface Judge {
  readonly judge: (path: string, truth: object, result: object) => { readonly verdict: string };
  readonly kindOf: (path: string) => string;
}

// The programs of the run are plain JavaScript and have no types.
const judgePath = new URL("judge.mjs", import.meta.url).href;
const { judge, kindOf } = (await import(judgePath)) as Judge;

beforeAll(() => {
  const built = join(repositoryRoot, "packages", "projections", "dist", "index.js");
  if (!existsSync(built)) throw new Error("There is no build to run: run npm run build first.");
});

/** The program runs under plain Node, on what the build has made. */
function runProgram(args: readonly string[]) {
  const program = join(repositoryRoot, "test", "flips", "run.mjs");
  return spawnSync(process.execPath, [program, ...args], { encoding: "utf8" });
}

test("no bit flipped in any file of a store leads to a wrong answer or ends the process", () => {
  const { status, stdout, stderr } = runProgram(["--flips", "120"]);
  // The words of a failed run name its seed.
  expect([status, status === 0 ? "" : `${stderr}${stdout}`]).toEqual([0, ""]);
  const report = JSON.parse(stdout) as { readonly rows: readonly Record<string, unknown>[] };
  expect(report).toMatchObject({ wrong: 0, crashed: 0, problems: [] });
  const rows = new Map(report.rows.map((row) => [row["kind"], row]));
  // In these files every bit counts, so a run that answers right has not read what it flipped.
  for (const kind of [
    "log table",
    "log manifest",
    "log CURRENT",
    "log write-ahead log",
    "sennit.json",
  ]) {
    expect(rows.get(kind)).toMatchObject({ right: 0 });
    expect(rows.get(kind)?.["detected"]).toBeGreaterThan(0);
  }
  for (const kind of ["views table", "views write-ahead log", "views manifest", "acknowledged"]) {
    expect(rows.get(kind)?.["right"]).toBeGreaterThan(0);
  }
});

test("the run refuses a number that is none", () => {
  expect(runProgram(["--every", "few"]).status).toBe(1);
});

const truth = { answers: { a: "1", b: "2", head: "3" } };
const corrupt = { code: "log-gap", category: "corrupt", message: "log-gap" };
const absent = { code: "record-not-found", category: "not-found", message: "record-not-found" };
const ahead = { code: "as-of-ahead-of-head", category: "invalid", message: "ahead" };
const lostKey = { code: "key-invalid", category: "invalid", message: "key-invalid" };

test.each([
  ["the same answers", { answers: truth.answers, refusals: {} }, "right"],
  ["another answer", { answers: { ...truth.answers, b: "4" }, refusals: {} }, "wrong"],
  ["no answer and no refusal", { answers: { a: "1", head: "3" }, refusals: {} }, "wrong"],
  [
    "a refusal that names damage",
    { answers: { b: "2", head: "3" }, refusals: { a: corrupt } },
    "detected",
  ],
  [
    "a record that is not found",
    { answers: { b: "2", head: "3" }, refusals: { a: absent } },
    "wrong",
  ],
  [
    "an instant that is lost without a word",
    { answers: { b: "2", head: "3" }, refusals: { a: ahead } },
    "wrong",
  ],
  [
    "an instant that is lost, and said to be",
    { damage: "head-mismatch", answers: { b: "2", head: "9" }, refusals: { a: ahead } },
    "detected",
  ],
  [
    "another answer in a store that is damaged",
    { damage: "head-mismatch", answers: { a: "1", b: "4", head: "9" }, refusals: {} },
    "wrong",
  ],
  ["a store refused as damaged", { refused: corrupt }, "detected"],
  ["a store refused for another reason", { refused: absent }, "wrong"],
  ["a log refused for its key", { refused: lostKey }, "wrong"],
  ["a process that ends", { crashed: "SIGABRT" }, "crashed"],
])("the judge calls %s what it is", (_, result, verdict) => {
  expect(judge("log/000005.ldb", truth, result).verdict).toBe(verdict);
});

test("the judge knows which codes name the damage of which file", () => {
  const result = { answers: { a: "1", head: "3" }, refusals: { b: lostKey } };
  expect(judge("keys/signing-key.pem", truth, result).verdict).toBe("detected");
  expect(judge("owner.json", truth, result).verdict).toBe("wrong");
  expect(kindOf("log/000005.ldb")).toBe("log table");
  expect(kindOf("views/records@1-1/MANIFEST-000002")).toBe("views manifest");
  expect(kindOf("keys/signing-key.pem")).toBe("keys/signing-key.pem");
});
