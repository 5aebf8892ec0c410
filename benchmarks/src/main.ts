/** Runs the benchmarks asked for and prints their rows. */
import { arch, availableParallelism, cpus, loadavg, platform } from "node:os";
import { parseArgs } from "node:util";

import { append } from "./append.ts";
import { asOf } from "./as-of.ts";
import { ingest } from "./ingest.ts";
import { opening } from "./opening.ts";
import { formatJson, formatTable, type BoundedRow } from "./report.ts";
import type { Benchmark, Run, Scale } from "./run.ts";
import { Scratch } from "./scratch.ts";

const benchmarks: readonly Benchmark[] = [append, ingest, asOf, opening];
const budgets = benchmarks.flatMap((benchmark) => benchmark.budgets);
const exitInvalid = 2;

const help = `Measures the budgets of the store, each beside a peer in the same run.

Usage: npm run bench -- [options]

  --json             one line of JSON per row; everything else goes to stderr
  --rows P1,P4       only these budgets (of ${budgets.join(", ")})
  --scale small|full how much work (default small, under a minute)
  --seed N           random choices, repeated for the same N (default 1)
  --help

TMPDIR names the directory for the databases. It must be on a disk: in memory no write is durable.

Examples:
  npm run bench
  npm run bench -- --json --rows P3 --scale full
`;

interface Options {
  readonly json: boolean;
  readonly help: boolean;
  readonly budgets: ReadonlySet<string>;
  readonly scale: Scale;
  readonly seed: number;
}

class UsageError extends Error {}

function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
      rows: { type: "string", default: budgets.join(",") },
      scale: { type: "string", default: "small" },
      seed: { type: "string", default: "1" },
    },
  });
  const chosen = values.rows.split(",").map((name) => name.trim().toUpperCase());
  const unknown = chosen.find((name) => !budgets.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(
      `--rows: there is no ${JSON.stringify(unknown)}; choose from ${budgets.join(", ")}.`,
    );
  }
  const { scale } = values;
  if (scale !== "small" && scale !== "full") throw new UsageError("--scale must be small or full.");
  const seed = Number(values.seed);
  if (!/^\d+$/.test(values.seed) || seed > 0xffff_ffff) {
    throw new UsageError("--seed must be a whole number from 0 to 4294967295.");
  }
  return { json: values.json, help: values.help, budgets: new Set(chosen), scale, seed };
}

function describeRun({ scale, seed, scratch }: Run): string {
  const cpu = `${availableParallelism()} x ${cpus()[0]?.model.trim() ?? "unknown processor"}`;
  const load = loadavg().map((value) => value.toFixed(2));
  return [
    `machine: ${platform()} ${arch()}, ${cpu}`,
    `node: ${process.version}`,
    `load average: ${load.join(" ")}`,
    `scale: ${scale}, seed: ${seed}, databases in ${scratch.root}`,
  ].join("\n");
}

async function runBenchmarks(options: Options): Promise<void> {
  const scratch = await Scratch.make();
  try {
    const run: Run = { scale: options.scale, seed: options.seed, scratch };
    (options.json ? console.error : console.log)(`${describeRun(run)}\n`);
    const rows: BoundedRow[] = [];
    for (const benchmark of benchmarks) {
      if (!benchmark.budgets.some((name) => options.budgets.has(name))) continue;
      console.error(`measuring ${benchmark.budgets.join(", ")} ...`);
      const measured = await benchmark.measure(run);
      const wanted = measured.filter(({ row }) => options.budgets.has(row.split("-")[0] ?? row));
      if (options.json) for (const row of wanted) console.log(formatJson(row));
      rows.push(...wanted);
    }
    if (!options.json) {
      console.log(`\n${formatTable(rows)}`);
      console.log(
        "\nratio: ours / peer in each round, the median of the rounds; bounds with an x are of the ratio",
      );
    }
  } finally {
    await scratch.remove();
  }
}

/** Runs the command line. Budgets missed are reported and do not make it fail; only a wrong option does. */
async function main(args: readonly string[]): Promise<void> {
  const options = readOptions(args);
  if (options.help) console.log(help);
  else await runBenchmarks(options);
}

function isUsageError(error: unknown): error is Error {
  if (error instanceof UsageError) return true;
  return (
    error instanceof Error && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS")
  );
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!isUsageError(error)) throw error;
  console.error(`error: ${error.message}\nhint: see --help`);
  process.exitCode = exitInvalid;
}
