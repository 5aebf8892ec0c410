// Kills a process that appends to a store, again and again, and checks after each kill that nothing was lost.
// Usage: node test/crash/run.mjs [--kills N] [--seed N] [--kills-per-store N] [--callers N] [--minutes N] [--keep DIR]
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, fstatSync, mkdirSync, openSync, readSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { openStore } from "@sennit/core";

import { HistoryChecker } from "./check-history.mjs";
import { dropTornLine, Recorder } from "./recorder.mjs";
import { randomFrom } from "./workload.mjs";

const childPath = fileURLToPath(new URL("child.mjs", import.meta.url));
const checkerPath = fileURLToPath(new URL("check-history.mjs", import.meta.url));
/** A process is killed at most so long after it begins to open the store, or after it has opened it. Milliseconds. */
const openingDelayMaxMs = 25;
const appendingDelayMaxMs = 150;

/** When a process is to be killed: counted from `opening` or from `open`, whichever it is told first. */
function planKill(seed, round, isFirst) {
  const random = randomFrom(seed, "kill", round);
  const phase = isFirst || random() < 0.2 ? "opening" : "open";
  const most = phase === "opening" ? openingDelayMaxMs : appendingDelayMaxMs;
  return { phase, delayMs: Math.floor(random() * most) };
}

/** One store and its history. */
class CrashedStore {
  #directory;
  #historyPath;
  #seed;
  #callers;
  #checker = new HistoryChecker();
  #resent = new Set();
  #offset = 0;
  #head = 0;

  constructor(directory, seed, callers) {
    mkdirSync(directory, { recursive: true });
    this.#directory = join(directory, "store");
    this.#historyPath = join(directory, "history.jsonl");
    this.#seed = seed;
    this.#callers = callers;
  }

  get problems() {
    return this.#checker.problems;
  }

  /** Starts a process, kills it, and checks what it has left. @returns how far it had come */
  async kill(round, plan) {
    const before = this.#checker.acknowledged;
    const phase = await this.#runChild(round, plan);
    dropTornLine(this.#historyPath);
    const recorder = new Recorder(this.#historyPath);
    this.#takeLines();
    const acknowledged = this.#checker.acknowledged - before;
    const unanswered = this.#unanswered();
    const store = await openStore(this.#directory);
    try {
      await this.#readBack(store, recorder);
      // A call without an answer is sent again as it was: it gets its first answer, or is stored now.
      await Promise.allSettled(
        unanswered.map(([call, events]) => recorder.append(store, `${call}-again`, events)),
      );
    } finally {
      await store.close();
      recorder.close();
    }
    this.#takeLines();
    return { phase, acknowledged, resent: unanswered.length };
  }

  /** Reads everything once more, then lets the checker judge the whole history in a process of its own. */
  async finish() {
    const recorder = new Recorder(this.#historyPath);
    const store = await openStore(this.#directory);
    try {
      await this.#readBack(store, recorder);
      const records = new Set();
      for await (const event of store.events()) {
        recorder.write({ line: "again", event: placeOf(event) });
        records.add(event.recordId);
      }
      await answers(store, recorder, records);
    } finally {
      await store.close();
      recorder.close();
    }
    this.#takeLines();
    const { status, stdout } = spawnSync(process.execPath, [checkerPath, this.#historyPath], {
      encoding: "utf8",
    });
    return { ...JSON.parse(stdout), ok: status === 0, tables: await this.#tableCount() };
  }

  /** Calls of the process just killed that have no answer. Those of earlier processes have been sent again. */
  #unanswered() {
    const all = this.#checker.unanswered();
    const fresh = all.filter(([call]) => !this.#resent.has(call));
    for (const [call] of fresh) this.#resent.add(call);
    return fresh;
  }

  async #tableCount() {
    const names = await readdir(join(this.#directory, "log"));
    return names.filter((name) => name.endsWith(".ldb")).length;
  }

  async #runChild(round, { phase, delayMs }) {
    const args = [childPath, this.#directory, this.#historyPath, this.#seed, round, this.#callers];
    const child = spawn(process.execPath, args.map(String), {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exited = once(child, "exit");
    let reached = "starting";
    createInterface({ input: child.stdout }).on("line", (line) => {
      reached = line;
      if (line === phase) setTimeout(() => child.kill("SIGKILL"), delayMs);
    });
    const [, signal] = await exited;
    if (signal !== "SIGKILL") throw new Error(`The process of round ${round} ended by itself.`);
    return reached;
  }

  /** Writes what a store holds that has not been read before, and its answers about the records this touched. */
  async #readBack(store, recorder) {
    const { head } = store;
    const report = await store.verify();
    recorder.write({
      line: "opened",
      damage: store.damage?.code ?? null,
      verified: report.ok && report.events === head,
      head,
      previousRoot: rootAt(store, Math.min(this.#head, head)),
    });
    const records = new Set();
    for await (const event of store.events({ from: this.#head + 1 })) {
      recorder.write({ line: "stored", event });
      records.add(event.recordId);
    }
    recorder.write({ line: "read", head, root: rootAt(store, head) });
    await answers(store, recorder, records);
    this.#head = head;
  }

  #takeLines() {
    const file = openSync(this.#historyPath, "r");
    const bytes = Buffer.alloc(fstatSync(file).size - this.#offset);
    readSync(file, bytes, 0, bytes.length, this.#offset);
    closeSync(file);
    this.#offset += bytes.length;
    for (const text of bytes.toString("utf8").split("\n")) {
      if (text !== "") this.#checker.take(JSON.parse(text));
    }
  }
}

async function answers(store, recorder, recordIds) {
  for (const recordId of recordIds) {
    recorder.write({ line: "answer", view: await store.record(recordId) });
  }
}

function placeOf({ id, position, version, hash }) {
  return { id, position, version, hash };
}

function rootAt(store, size) {
  return Buffer.from(store.log.proofs.treeHead(size).root).toString("hex");
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      kills: { type: "string", default: "20" },
      seed: { type: "string", default: String(Date.now() % 1_000_000) },
      "kills-per-store": { type: "string", default: "20" },
      callers: { type: "string", default: "64" },
      minutes: { type: "string", default: "Infinity" },
      keep: { type: "string" },
    },
  });
  const { keep, ...numbers } = values;
  for (const [name, value] of Object.entries(numbers)) {
    if (!(Number(value) >= 0)) throw new Error(`--${name} must be a number, not ${value}.`);
  }
  return {
    kills: Number(values.kills),
    seed: Number(values.seed),
    killsPerStore: Number(values["kills-per-store"]),
    callers: Number(values.callers),
    endsAt: Date.now() + Number(values.minutes) * 60_000,
    keep,
  };
}

async function main() {
  const { kills, seed, killsPerStore, callers, endsAt, keep } = readOptions();
  const root = keep ?? (await mkdtemp(join(tmpdir(), "sennit-crash-")));
  const total = {
    seed,
    kills: 0,
    killsWhileOpening: 0,
    stores: 0,
    events: 0,
    acknowledged: 0,
    resent: 0,
    duplicates: 0,
    refusals: 0,
    tables: 0,
    problems: [],
  };
  process.stderr.write(`crash run: --seed ${seed} --kills ${kills}, in ${root}\n`);
  while (total.kills < kills && total.problems.length === 0 && Date.now() < endsAt) {
    total.stores += 1;
    const store = new CrashedStore(join(root, String(total.stores)), seed, callers);
    const until = Math.min(kills, total.kills + killsPerStore);
    for (let isFirst = true; total.kills < until && store.problems.length === 0; isFirst = false) {
      total.kills += 1;
      const { phase, acknowledged, resent } = await store.kill(
        total.kills,
        planKill(seed, total.kills, isFirst),
      );
      if (phase === "opening") total.killsWhileOpening += 1;
      total.acknowledged += acknowledged;
      total.resent += resent;
    }
    const verdict = await store.finish();
    for (const name of ["events", "duplicates", "refusals", "tables"]) {
      total[name] += verdict[name];
    }
    total.problems.push(...store.problems, ...verdict.problems);
    process.stderr.write(`${total.kills} kills, ${total.acknowledged} events acknowledged\n`);
    if (verdict.ok && keep === undefined)
      await rm(join(root, String(total.stores)), { recursive: true });
  }
  process.stdout.write(`${JSON.stringify(total, undefined, 2)}\n`);
  if (total.problems.length > 0) process.exitCode = 1;
  else if (keep === undefined) await rm(root, { recursive: true });
}

await main();
