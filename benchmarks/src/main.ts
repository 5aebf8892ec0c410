/** Runs the benchmarks asked for and prints their rows. */
import { statfs } from "node:fs/promises";
import { arch, availableParallelism, cpus, loadavg, platform, release } from "node:os";
import { parseArgs } from "node:util";

import { append } from "./append.ts";
import { asOf } from "./as-of.ts";
import { measureCurves } from "./curves.ts";
import { http } from "./http.ts";
import { ingest } from "./ingest.ts";
import { lineage } from "./lineage.ts";
import { opening } from "./opening.ts";
import { rebuild } from "./rebuild.ts";
import { formatJson, formatTable, type BoundedRow } from "./report.ts";
import type { Benchmark, Run, Scale } from "./run.ts";
import { Scratch } from "./scratch.ts";
import { search } from "./search.ts";
import { SqlitePeer } from "./sqlite.ts";

const benchmarks: readonly Benchmark[] = [
  append,
  ingest,
  asOf,
  lineage,
  rebuild,
  http,
  search,
  opening,
];
const budgets = benchmarks.flatMap((benchmark) => benchmark.budgets);
const exitInvalid = 2;

const help = `Measures the budgets of the store, each beside a peer in the same run.

Usage: npm run bench -- [options]

  --json             one line of JSON per row; everything else goes to stderr
  --rows P1,P4       only these budgets (of ${budgets.join(", ")})
  --scale small|full how much work (default small, about a minute)
  --seed N           random choices, repeated for the same N (default 1)
  --curves DIR       instead of the rows: cost against the size of the log, written to DIR as curves.md and
                     curves.svg, with logs of 10,000 to 1,000,000 events (about a quarter of an hour)
  --no-sqlite        without the rows beside SQLite, whose program is a download of 50 MB the first time
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
  readonly sqlite: boolean;
  readonly curves: string | undefined;
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
      curves: { type: "string" },
      "no-sqlite": { type: "boolean", default: false },
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
  const sqlite = !values["no-sqlite"];
  const { json, help: isHelp, curves } = values;
  return { json, help: isHelp, budgets: new Set(chosen), scale, seed, sqlite, curves };
}

async function describeRun({ scale, seed, scratch, sqlite }: Run): Promise<string> {
  const cpu = `${availableParallelism()} x ${cpus()[0]?.model.trim() ?? "unknown processor"}`;
  const load = loadavg().map((value) => value.toFixed(2));
  return [
    `machine: ${platform()} ${release()} ${arch()}, ${cpu}`,
    `node: ${process.version}`,
    `sqlite: ${sqlite.about}`,
    `load average: ${load.join(" ")}`,
    `scale: ${scale}, seed: ${seed}, databases in ${scratch.root} (${await fileSystem(scratch.root)})`,
  ].join("\n");
}

/** What `statfs` calls the file systems of Linux that a benchmark may well meet. */
const fileSystems = new Map([
  [0xef53, "ext4"],
  [0x5846_5342, "xfs"],
  [0x9123_683e, "btrfs"],
  [0x794c_7630, "overlay"],
  [0x0102_1994, "tmpfs: in memory, nothing is durable"],
]);

async function fileSystem(directory: string): Promise<string> {
  const { type } = await statfs(directory);
  return fileSystems.get(type) ?? `file system 0x${type.toString(16)}`;
}

async function runBenchmarks(options: Options): Promise<void> {
  const scratch = await Scratch.make();
  const sqlite = await SqlitePeer.start(scratch, options.sqlite);
  try {
    const run: Run = { scale: options.scale, seed: options.seed, scratch, sqlite };
    const about = await describeRun(run);
    (options.json ? console.error : console.log)(`${about}\n`);
    if (options.curves !== undefined) return await measureCurves(run, options.curves, about);
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
    await sqlite.close();
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
