/** A server under load loses nothing it acknowledged when it is killed or stopped, and no read goes back in time. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";

import { expect, test } from "vitest";

import { repositoryRoot } from "../support/repository.ts";

interface Report {
  readonly status: number | null;
  readonly stderr: string;
  readonly summary: Readonly<Record<string, number>>;
}

/** The program runs on what the build has made. `npm run load -- --seconds 600 --kills 100` takes longer. */
function runLoad(...flags: string[]): Report {
  const program = join(repositoryRoot, "test", "load", "run.mjs");
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...flags], {
    encoding: "utf8",
  });
  const summary = (stdout === "" ? {} : JSON.parse(stdout)) as Record<string, number>;
  return { status, stderr, summary };
}

test("64 connections, killed twice and stopped once: all that was acknowledged is there", () => {
  const { status, stderr, summary } = runLoad("--seconds", "4", "--kills", "2", "--stops", "1");
  expect([status, stderr]).toEqual([0, ""]);
  expect(summary).toMatchObject({ connections: 64, kills: 2, stops: 1, problems: 0 });
  // A run in which nothing was acknowledged or read, or nothing was cut short, would prove nothing.
  expect(summary["acknowledged"]).toBeGreaterThan(64);
  expect(summary["head"]).toBeGreaterThanOrEqual(summary["acknowledged"] ?? 0);
  expect(summary["requests"]).toMatchObject({ resent: expect.any(Number) });
});

test("the check misses what was never stored", () => {
  const { status, summary } = runLoad("--seconds", "1", "--connections", "4", "--forge", "3");
  expect([status, summary["problems"]]).toEqual([1, 3]);
});
