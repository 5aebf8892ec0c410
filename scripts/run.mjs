// Installs what is missing, builds, then runs one task: start, test, check, bench or build.
// It needs Node and npm and nothing else; the package manager is fetched by its pinned version.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stampPath = join(root, "node_modules", ".sennit-install");
const [task = "start", ...rest] = process.argv.slice(2);
const words = rest.filter((word) => word !== "--");

const tool = (name) =>
  join(root, "node_modules", ".bin", process.platform === "win32" ? `${name}.cmd` : name);

/** Runs a program and ends this process with its exit code when it fails. */
function run(program, args) {
  const { status, error } = spawnSync(program, args, {
    cwd: root,
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  if (error !== undefined) console.error(`${program}: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

function say(text) {
  console.error(`> ${text}`);
}

/** What an installation is made from; it is repeated when any of this changes. */
function installStamp() {
  const hash = createHash("sha256").update(process.version);
  for (const file of ["package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml"]) {
    hash.update(readFileSync(join(root, file)));
  }
  return hash.digest("hex");
}

function install() {
  const stamp = installStamp();
  if (existsSync(stampPath) && readFileSync(stampPath, "utf8") === stamp) return;
  const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  say(`installing with ${packageManager} (once; later runs skip this)`);
  run("npx", [
    "--yes",
    packageManager,
    "install",
    "--frozen-lockfile",
    "--config.confirmModulesPurge=false",
  ]);
  writeFileSync(stampPath, stamp);
}

function build() {
  say("building");
  run(tool("tsc"), ["-b"]);
}

/** Every check but the tests: format, lint, types of sources and tests, unused code. */
function check() {
  say("checking format");
  run(tool("oxfmt"), ["--check"]);
  say("linting");
  run(tool("oxlint"), ["--type-aware"]);
  say("checking types");
  run(tool("tsc"), ["-p", "tsconfig.check.json"]);
  say("looking for unused code");
  run(tool("knip"), []);
}

const tasks = {
  build,
  check: () => {
    build();
    check();
  },
  test: () => {
    build();
    check();
    say("testing");
    run(tool("vitest"), ["run", ...words]);
  },
  bench: () => {
    build();
    run(process.execPath, ["benchmarks/dist/main.js", ...words]);
  },
  start: () => {
    build();
    run(process.execPath, ["packages/cli/bin/sennit.js", "demo", ...words]);
  },
};

if (!Object.hasOwn(tasks, task)) {
  console.error(`run.mjs: no task "${task}"; there are ${Object.keys(tasks).join(", ")}`);
  process.exit(2);
}
install();
tasks[task]();
