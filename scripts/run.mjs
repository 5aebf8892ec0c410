// Installs what is missing, builds, then runs one task: start, test, check, bench or build.
// It needs Node and npm and nothing else; the package manager is fetched by its pinned version.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stampName = ".sennit-install";
const stampPath = join(root, "node_modules", stampName);
const peerName = "@sennit/sqlite-peer";
const peerStampPath = join(root, "benchmarks", "sqlite-peer", "node_modules", stampName);
const [task = "start", ...rest] = process.argv.slice(2);
const words = rest.filter((word) => word !== "--");

const tool = (name) =>
  join(root, "node_modules", ".bin", process.platform === "win32" ? `${name}.cmd` : name);

const spawnOptions = { cwd: root, stdio: "inherit", shell: process.platform === "win32" };

/** Runs a program and ends this process with its exit code when it fails. */
function run(program, args) {
  const { status, error } = spawnSync(program, args, spawnOptions);
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

/** Runs the pinned package manager. @returns its exit code */
function installPackages(filter) {
  const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const flags = ["--frozen-lockfile", "--config.confirmModulesPurge=false", "--filter", filter];
  return spawnSync("npx", ["--yes", packageManager, "install", ...flags], spawnOptions).status;
}

/** Whether what the stamp stands for is installed as it should be now. */
function isInstalled(path) {
  return existsSync(path) && readFileSync(path, "utf8") === installStamp();
}

function install() {
  if (isInstalled(stampPath)) return;
  say("installing (once; later runs skip this)");
  const status = installPackages(`!${peerName}`);
  if (status !== 0) process.exit(status ?? 1);
  writeFileSync(stampPath, installStamp());
}

/** The peer brings a Node of its own, so nothing but the benchmarks installs it, and they do without it when they must. */
function installPeer() {
  if (isInstalled(peerStampPath)) return;
  say("installing SQLite to compare with (once, 50 MB; --no-sqlite does without)");
  if (installPackages(peerName) === 0) writeFileSync(peerStampPath, installStamp());
  else say("SQLite could not be installed; its rows stay empty");
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
    if (!words.includes("--no-sqlite") && !words.includes("--help")) installPeer();
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
