/** Cost against the size of the log: the questions of the budgets at 10 000, 100 000 and 1 000 000 events. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { invalidated, openLevelStorage, openStore } from "@sennit/core";

import { idsOf, OldReader, oldVersions } from "./as-of.ts";
import { ingestOn, ingestWithViews } from "./ingest.ts";
import { closureMs, fillStore, memoryMiB } from "./lineage.ts";
import { openBare, openOurs } from "./opening.ts";
import { drawPanels, type Panel } from "./plot.ts";
import { decodeLog, rebuildAll } from "./rebuild.ts";
import type { Run } from "./run.ts";
import { median, secondsOf, takeTurns, type Contestant } from "./timing.ts";
import { batchesOf, recordId, seededRandom, tree, workload } from "./workload.ts";

/** Events in the logs that are measured. */
const curveSizes: readonly number[] = [10_000, 100_000, 1_000_000];

const batchEvents = 1000;
const rounds = 3;
const samples = 1000;
const closureMax = 12_000;
const treeRecords = 1024;

/** One panel at one size: what each contestant took. */
type Figures = Readonly<Record<string, number>>;

/** A question whose cost is measured at each size. */
interface Question {
  readonly title: string;
  readonly unit: string;
  readonly measure: (run: Run, events: number) => Promise<Figures>;
}

const questions: readonly Question[] = [
  { title: "Bulk ingest, batches of 1000", unit: "events/s, more is better", measure: ingest },
  { title: "Make all views anew", unit: "events/s, more is better", measure: rebuild },
  { title: "A record as of an old position", unit: "us, less is better", measure: oldRecord },
  { title: "Closure of 12 000 ancestors", unit: "ms, less is better", measure: closure },
  { title: "Withdraw a tree of 1024", unit: "ms, less is better", measure: withdrawal },
  { title: "Open a store and read a record", unit: "ms, less is better", measure: opening },
  { title: "Memory, records and lineage served", unit: "MiB, less is better", measure: memory },
];

/**
 * Measures every question at every size and writes `curves.svg` and `curves.md` into a directory.
 *
 * @param about the machine and the circumstances, for the page
 */
export async function measureCurves(
  run: Run,
  directory: string,
  about: string,
  sizes: readonly number[] = curveSizes,
): Promise<void> {
  const panels: Panel[] = [];
  for (const { title, unit, measure } of questions) {
    const lines = new Map<string, [number, number][]>();
    for (const events of sizes) {
      console.error(`measuring: ${title}, ${events.toLocaleString("en-US")} events ...`);
      for (const [name, figure] of Object.entries(await measure(run, events))) {
        if (Number.isNaN(figure)) continue;
        lines.set(name, [...(lines.get(name) ?? []), [events, figure]]);
      }
    }
    panels.push({ title, unit, series: [...lines].map(([name, points]) => ({ name, points })) });
  }
  await mkdir(directory, { recursive: true });
  await writeFile(
    join(directory, "curves.svg"),
    drawPanels("Cost against the size of the log", panels),
  );
  await writeFile(join(directory, "curves.md"), page(panels, about, sizes));
}

function page(panels: readonly Panel[], about: string, sizes: readonly number[]): string {
  const head = sizes.map((size) => size.toLocaleString("en-US"));
  const rows = panels.flatMap(({ title, unit, series }) =>
    series.map(({ name, points }) => {
      const figures = sizes.map((size) => formatFigure(points.find(([at]) => at === size)?.[1]));
      return `| ${title} | ${name} | ${figures.join(" | ")} | ${unit.split(",")[0]} |`;
    }),
  );
  return `# Curves

What the questions of the budgets cost in logs of several sizes, each beside its peers in the same run, the median of
${rounds} rounds. The command writes this page and the drawing:

\`\`\`sh
npm run bench -- --curves docs/internals
\`\`\`

![Cost against the size of the log](curves.svg)

| Question | Who | ${head.join(" | ")} | Unit |
|---|---|${sizes.map(() => "---").join("|")}|---|
${rows.join("\n")}

\`\`\`text
${about}
\`\`\`
`;
}

function formatFigure(figure: number | undefined): string {
  if (figure === undefined) return "-";
  const digits = figure >= 100 ? 0 : figure >= 10 ? 1 : 2;
  return Number(figure.toFixed(digits)).toLocaleString("en-US");
}

async function medians(contestants: Readonly<Record<string, Contestant>>): Promise<Figures> {
  const figures = await takeTurns(rounds, contestants);
  return Object.fromEntries(Object.entries(figures).map(([name, all]) => [name, median(all)]));
}

async function ingest({ scratch, sqlite }: Run, events: number): Promise<Figures> {
  const batches = batchesOf(workload(events), batchEvents);
  const prepared = await sqlite.prepare(batches);
  return medians({
    "Sennit, log alone": () =>
      scratch.within(
        async (path) => events / (await ingestOn(await openLevelStorage(path), batches)),
      ),
    "Sennit, with views": () =>
      scratch.within(async (path) => events / (await ingestWithViews(path, batches))),
    "SQLite, 1000 in a transaction": () => sqlite.appendRate(prepared, batchEvents),
  });
}

function rebuild({ scratch }: Run, events: number): Promise<Figures> {
  return scratch.within(async (directory) => {
    await fillStore(directory, workload(events));
    const store = await openStore(directory);
    const figures = await medians({
      Sennit: async () => events / (await rebuildAll(store, directory)),
      "decoding the raw log": async () => events / (await secondsOf(() => decodeLog(store))),
    });
    await store.close();
    return figures;
  });
}

async function oldRecord({ scratch, sqlite, seed }: Run, events: number): Promise<Figures> {
  const reader = await OldReader.open(scratch, events, samples, seed);
  const database = await sqlite.fill(await sqlite.prepare(oldVersions(events, seededRandom(seed))));
  const figures = await medians({
    Sennit: () => reader.readRecords(reader.plain),
    "raw getSync of its keys": () => reader.readKeys(reader.plain),
    SQLite: () => sqlite.readUs(database, idsOf(reader.plain), events / 2),
  });
  await reader.close();
  return figures;
}

function closure({ scratch, sqlite }: Run, events: number): Promise<Figures> {
  return scratch.within(async (directory) => {
    const count = Math.min(closureMax, events - 1);
    const id = recordId(count);
    await fillStore(directory, workload(events));
    const prepared = await sqlite.prepare(batchesOf(workload(events), batchEvents));
    const database = await sqlite.fillWithLineage(prepared);
    const store = await openStore(directory);
    const old = await store.at({ position: count + 1 });
    const figures = await medians({
      Sennit: () => closureMs(store, id, count),
      "Sennit, as of an old position": () => closureMs(old, id, count),
      "SQLite, recursive query": () => sqlite.ancestorsMs(database, id, events, count),
    });
    await store.close();
    return figures;
  });
}

function withdrawal({ scratch }: Run, events: number): Promise<Figures> {
  return scratch.within(async (directory) => {
    await fillStore(directory, workload(events));
    const store = await openStore(directory);
    let round = 0;
    const figures = await medians({
      Sennit: async () => {
        round += 1;
        const prefix = `tree-${round}-`;
        await store.append(tree(treeRecords, prefix));
        await store.lineage(`${prefix}1`);
        const seconds = await secondsOf(async () => {
          await store.append([invalidated(`${prefix}0`, { cause: "wrong" })]);
        });
        return seconds * 1000;
      },
    });
    await store.close();
    return figures;
  });
}

function opening({ scratch }: Run, events: number): Promise<Figures> {
  return scratch.within(async (directory) => {
    await fillStore(directory, workload(events));
    return medians({
      Sennit: () => scratch.within((copy) => openOurs(directory, copy, recordId(events / 2))),
      "the bare Level of its log": () => scratch.within((copy) => openBare(directory, copy)),
    });
  });
}

function memory({ scratch }: Run, events: number): Promise<Figures> {
  return scratch.within(async (directory) => {
    await fillStore(directory, workload(events));
    return medians({ Sennit: () => memoryMiB(directory, events) });
  });
}
