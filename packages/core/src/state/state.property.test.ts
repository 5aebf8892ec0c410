/** The state of a store against the oracle, at every position, with snapshots that are there, gone, damaged or of another log. */
import { copyFile, mkdir, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";

import * as fc from "fast-check";
import { expect, test } from "vitest";

import type { Position } from "../ids.ts";
import { openMemoryStore } from "../open-store.ts";
import { EmbeddedReader } from "../read/embedded-reader.ts";
import type { Reader, RecordView } from "../read/reader.ts";
import type { EmbeddedStore } from "../store.ts";
import { EventPlanner, histories, type HistoryStep } from "../testing/arbitraries.ts";
import { appendToBoth } from "../testing/compare.ts";
import { Oracle } from "../testing/oracle.ts";
import { propertySettings } from "../testing/settings.ts";
import { withTemporaryDirectory } from "../testing/temporary-directory.ts";
import { StateSnapshots } from "./snapshots.ts";

/** Small enough for the histories of a test to have several levels of them. */
const interval = 2;

/** What the oracle says of the state as of a position. */
function predicted(oracle: Oracle, position: Position): { records: RecordView[]; summary: object } {
  const model = oracle.at(position);
  const records = model
    .recordIds()
    .map((recordId) => model.record({ recordId, version: model.currentVersion(recordId) }));
  const events = oracle.events.slice(0, position);
  const count = (type: string) => events.filter((event) => event.type === type).length;
  const tally = (some: readonly RecordView[]) => ({
    valid: some.filter(({ status }) => status === "valid").length,
    withdrawn: some.filter(({ status }) => status === "invalid").length,
    stale: some.filter(({ stale }) => stale).length,
  });
  const kinds = [...new Set(records.map(({ kind }) => kind))].toSorted((a, b) => (a < b ? -1 : 1));
  const summary = {
    asOf: position,
    events: {
      created: count("record.created"),
      updated: count("record.updated"),
      invalidated: count("record.invalidated"),
    },
    records: records.length,
    ...tally(records),
    kinds: kinds.map((kind) => ({ kind, ...tally(records.filter((item) => item.kind === kind)) })),
    labels: [],
  };
  return { records, summary };
}

async function collect(reader: Reader): Promise<RecordView[]> {
  const records: RecordView[] = [];
  for await (const record of reader.allRecords()) records.push(record);
  return records;
}

/** Compares the state with the oracle's at every position, the last one first or last. */
async function expectStates(
  store: EmbeddedStore,
  oracle: Oracle,
  directory: string,
  isFromEnd: boolean,
): Promise<void> {
  const snapshots = new StateSnapshots(directory, interval);
  const positions = Array.from({ length: oracle.head + 1 }, (_, position) => position);
  for (const position of isFromEnd ? positions.toReversed() : positions) {
    const reader = new EmbeddedReader(store.log, position, snapshots);
    const { records, summary } = predicted(oracle, position);
    expect(await collect(reader)).toEqual(records);
    const { root, firstRecordedAt, lastRecordedAt, ...rest } = await reader.summary({
      stale: true,
    });
    expect(rest).toEqual(summary);
    expect(root).toBe(store.log.proofs.rootFromTiles(position).toString("hex"));
    const times = await Promise.all([1, position].map((at) => timeOf(store, at, position)));
    expect([firstRecordedAt, lastRecordedAt]).toEqual(times);
    await snapshots.idle();
  }
}

async function timeOf(store: EmbeddedStore, at: Position, until: Position): Promise<string | null> {
  for await (const { recordedAt } of store.events({ from: at, until, limit: 1 })) return recordedAt;
  return null;
}

async function fill(
  steps: readonly HistoryStep[],
): Promise<{ store: EmbeddedStore; oracle: Oracle }> {
  const store = await openMemoryStore();
  const oracle = new Oracle();
  const planner = new EventPlanner();
  for (const step of steps) {
    if (step.type === "batch") {
      await appendToBoth(store, oracle, planner.plan(step.drafts, oracle));
    }
  }
  return { store, oracle };
}

const damages = ["none", "deleted", "flipped", "cut", "renamed", "of another log"] as const;

async function damageAll(
  directory: string,
  damage: (typeof damages)[number],
  other: string,
  at: number,
): Promise<void> {
  const names = await readdir(directory).catch(() => []);
  for (const [index, name] of names.entries()) {
    const path = join(directory, name);
    if (damage === "deleted" && index % 2 === at % 2) await rm(path);
    if (damage === "cut") await truncate(path, at % (await readFile(path)).length);
    if (damage === "flipped") {
      const bytes = await readFile(path);
      const place = at % bytes.length;
      bytes[place] = (bytes[place] ?? 0) ^ 4;
      await writeFile(path, bytes);
    }
    if (damage === "renamed") await copyFile(path, join(directory, `state-${(index + 1) * 2}`));
    if (damage === "of another log") await copyFile(join(other, name), path).catch(() => undefined);
  }
}

test("the state as of every position is the oracle's, whatever has become of the snapshots", async () => {
  expect.hasAssertions();
  await fc.assert(
    fc.asyncProperty(
      histories(7),
      histories(7),
      fc.constantFrom(...damages),
      fc.nat({ max: 5000 }),
      fc.boolean(),
      (steps, otherSteps, damage, at, isFromEnd) =>
        withTemporaryDirectory(async (directory) => {
          const [own, other] = [join(directory, "own"), join(directory, "other")];
          await mkdir(other);
          const { store, oracle } = await fill(steps);
          if (damage === "of another log") {
            const another = await fill(otherSteps);
            await expectStates(another.store, another.oracle, other, true);
          }
          await expectStates(store, oracle, own, isFromEnd);
          await damageAll(own, damage, other, at);
          await expectStates(store, oracle, own, !isFromEnd);
        }),
    ),
    propertySettings(40),
  );
});
