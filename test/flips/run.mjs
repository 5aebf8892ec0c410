// Flips bits in every file of a small store, one at a time, and checks that no answer is wrong and no process dies.
// Usage: node test/flips/run.mjs [--every N | --flips N] [--seed N] [--children N] [--file TEXT] [--keep DIR]
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";

import { randomFrom } from "../crash/workload.mjs";
import { Asker } from "./asker.mjs";
import { judge, kindOf } from "./judge.mjs";
import { makeStore } from "./make-store.mjs";

const verdicts = ["detected", "right", "wrong", "crashed"];
const problemsMax = 20;

/** A store as bytes: the contents of each file by its path. */
function readImage(directory) {
  const paths = readdirSync(directory, { recursive: true })
    .map((path) => path.replaceAll("\\", "/"))
    // In the same order everywhere, so that a seed chooses the same places.
    .toSorted((a, b) => (a < b ? -1 : 1))
    .filter((path) => statSync(join(directory, path)).isFile());
  return new Map(paths.map((path) => [path, readFileSync(join(directory, path))]));
}

function writeImage(image, directory) {
  rmSync(directory, { recursive: true, force: true });
  for (const [path, bytes] of image) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), bytes);
  }
}

/** A directory that holds the store with one bit flipped, again and again. */
class FlippedStore {
  #image;
  #flippedPath;
  directory;

  constructor(image, directory) {
    this.#image = image;
    this.directory = directory;
  }

  flip({ path, offset, bit }) {
    if (this.#flippedPath === undefined) writeImage(this.#image, this.directory);
    else this.#write(this.#flippedPath, this.#image.get(this.#flippedPath));
    const flipped = Buffer.from(this.#image.get(path));
    flipped[offset] ^= 1 << bit;
    this.#write(path, flipped);
  }

  /** A store that was refused with this code is as it was, but for the flip: that saves most of the time of a long run. */
  noteResult({ path }, { refused }) {
    this.#flippedPath = refused?.code === "file-damaged" ? path : undefined;
  }

  #write(path, bytes) {
    writeFileSync(join(this.directory, path), bytes);
  }
}

/** Every so many bytes of each file. */
function* everyFlip(image, every, random) {
  for (const [path, bytes] of image) {
    for (let offset = Math.floor(random() * every); offset < bytes.length; offset += every) {
      yield { path, offset, bit: Math.floor(random() * 8) };
    }
  }
}

/** The same number of flips in each file, one in each of as many equal parts of it. */
function* sampledFlips(image, flips, random) {
  const files = [...image].filter(([, bytes]) => bytes.length > 0);
  const share = Math.max(1, Math.floor(flips / files.length));
  for (const [path, bytes] of files) {
    const count = Math.min(share, bytes.length);
    for (let part = 0; part < count; part += 1) {
      const offset = Math.floor(((part + random()) * bytes.length) / count);
      yield { path, offset, bit: Math.floor(random() * 8) };
    }
  }
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      every: { type: "string" },
      flips: { type: "string", default: "1000" },
      seed: { type: "string", default: String(Date.now() % 1_000_000) },
      children: { type: "string", default: "1" },
      file: { type: "string", default: "" },
      keep: { type: "string" },
    },
  });
  const { keep, file, ...numbers } = values;
  for (const [name, value] of Object.entries(numbers)) {
    if (value !== undefined && !(Number(value) >= (name === "seed" ? 0 : 1)))
      throw new Error(`--${name} must be a number from 1, not ${value}.`);
  }
  return {
    every: values.every === undefined ? undefined : Number(values.every),
    flips: Number(values.flips),
    seed: Number(values.seed),
    children: Number(values.children),
    file,
    keep,
  };
}

/** The flips of all files, counted by verdict for each kind of file. */
class Tally {
  #rows = new Map();
  problems = [];
  codes = {};
  total = { flips: 0, detected: 0, right: 0, wrong: 0, crashed: 0 };

  add({ path, offset, bit }, { verdict, codes = [], why }) {
    const kind = kindOf(path);
    const row = this.#rows.get(kind) ?? {
      files: new Set(),
      flips: 0,
      detected: 0,
      right: 0,
      wrong: 0,
      crashed: 0,
    };
    this.#rows.set(kind, row);
    row.files.add(path);
    for (const count of [row, this.total]) {
      count.flips += 1;
      count[verdict] += 1;
    }
    for (const code of codes) this.codes[code] = (this.codes[code] ?? 0) + 1;
    if (verdict !== "wrong" && verdict !== "crashed") return;
    if (this.problems.length < problemsMax)
      this.problems.push({ path, offset, bit, verdict, why: why.slice(0, 3) });
  }

  get rows() {
    return [...this.#rows].map(([kind, { files, ...counts }]) => ({
      kind,
      files: files.size,
      ...counts,
    }));
  }

  table() {
    const lines = [["file", "files", "flips", ...verdicts]];
    for (const row of [...this.rows, { kind: "all", files: "", ...this.total }]) {
      lines.push([row.kind, row.files, row.flips, ...verdicts.map((verdict) => row[verdict])]);
    }
    return lines
      .map(([kind, ...cells]) => kind.padEnd(24) + cells.map(padCell).join(""))
      .join("\n");
  }
}

function padCell(cell) {
  return `${cell}`.padStart(9);
}

/** What the sound store answers. It must refuse nothing, or the run would prove nothing. */
async function soundAnswers(image, directory) {
  const asker = new Asker();
  writeImage(image, directory);
  const truth = await asker.ask(directory);
  asker.stop();
  const refusals = Object.values(truth.refusals ?? {});
  if (truth.answers === undefined || truth.damage !== undefined || refusals.length > 0) {
    const { answers: _, ...rest } = truth;
    throw new Error(`The sound store does not answer everything: ${JSON.stringify(rest)}`);
  }
  return truth;
}

async function main() {
  const { every, flips, seed, children, file, keep } = readOptions();
  const root = keep ?? (await mkdtemp(join(tmpdir(), "sennit-flips-")));
  const imagePath = join(root, "image");
  await makeStore(join(root, "made"), imagePath);
  const image = readImage(imagePath);
  const truth = await soundAnswers(image, join(root, "sound"));
  process.stderr.write(
    `flip run: --seed ${seed}, ${image.size} files of ${[...image.values()].reduce((sum, { length }) => sum + length, 0)} bytes, ` +
      `${truth.head} events, ${Object.keys(truth.answers).length} questions, in ${root}\n`,
  );
  const random = randomFrom(seed, "flips");
  const chosen = new Map([...image].filter(([path]) => path.includes(file)));
  const plan =
    every === undefined ? sampledFlips(chosen, flips, random) : everyFlip(chosen, every, random);
  const tally = new Tally();
  const work = async (child) => {
    const asker = new Asker();
    const store = new FlippedStore(image, join(root, `flipped-${child}`));
    for (const flip of plan) {
      store.flip(flip);
      const result = await asker.ask(store.directory, truth.head);
      store.noteResult(flip, result);
      tally.add(flip, judge(flip.path, truth, result));
      if (tally.total.flips % 1000 === 0) process.stderr.write(`${tally.total.flips} flips\n`);
    }
    asker.stop();
  };
  await Promise.all(Array.from({ length: children }, (_, child) => work(child)));
  process.stderr.write(`${tally.table()}\n`);
  const { rows, total, codes, problems } = tally;
  process.stdout.write(
    `${JSON.stringify({ seed, ...total, codes, rows, problems }, undefined, 2)}\n`,
  );
  if (problems.length > 0) process.exitCode = 1;
  if (keep === undefined) rmSync(root, { recursive: true });
}

await main();
