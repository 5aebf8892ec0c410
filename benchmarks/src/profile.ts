/** Shows where the time of one appended event goes: `node benchmarks/dist/profile.js [callers] [events in a batch] [events]`. */
import { Session, type Profiler } from "node:inspector";
import { promisify } from "node:util";

import { openLevelStorage, openStoreOn } from "@sennit/core";

import { Scratch } from "./scratch.ts";
import { secondsOf } from "./timing.ts";
import { batchesOf, workload } from "./workload.ts";

const sampleUs = 100;

/** A part of the work and where its code stands. The innermost function that one of these knows gets the sample. */
const parts: readonly (readonly [name: string, place: RegExp])[] = [
  ["waiting: nothing to do", /^\(idle\)/],
  ["garbage collector", /^\(garbage collector\)/],
  ["validate", /event\/(validate|checker|json)\.js|log\/(batch-input|conditions)\.js/],
  ["stored form, documents", /log\/stored-form\.js|event\/document\.js/],
  ["ids and salts", /core\/dist\/ids\.js/],
  ["MessagePack", /codec\/msgpack\.js|\/msgpackr\//],
  ["SHA-256: Merkle nodes", /nodeHash .*merkle\/hashing\.js/],
  ["SHA-256: payload, leaf", /merkle\/hashing\.js/],
  ["Merkle tree, tiles", /merkle\/|log\/stored-tree\.js/],
  ["CRC-32C", /codec\/crc32c\.js/],
  ["version blocks", /codec\/version-block\.js/],
  ["entries, frames, keys", /codec\/|storage\/keyspace\.js/],
  ["Level: batch and write", /storage\/|\/(abstract-level|classic-level|level)\//],
  ["side file", /log\/acknowledged-file\.js/],
  ["group writer", /log\/group-writer\.js/],
  ["decide, pin, state", /core\/dist\/(log|records|lineage)\/(?!embedded-log)/],
  ["append: promises, answers", /log\/embedded-log\.js|dist\/(store|abort)\.js/],
  ["the caller", /benchmarks\/dist\//],
  ["Node: turns, ticks, promises", /^/],
];

interface Work {
  readonly callers: number;
  readonly batchEvents: number;
  readonly events: number;
}

/** Appends on a new store on disk. Seconds it took. */
async function appendAll(
  scratch: Scratch,
  { callers, batchEvents, events }: Work,
): Promise<number> {
  return scratch.within(async (directory) => {
    const store = await openStoreOn(await openLevelStorage(directory));
    const queue = batchesOf(workload(events), batchEvents).values();
    const caller = async () => {
      for (const batch of queue) await store.append(batch);
    };
    const seconds = await secondsOf(async () => {
      await Promise.all(Array.from({ length: callers }, caller));
    });
    await store.close();
    return seconds;
  });
}

async function profiled(work: () => Promise<number>): Promise<[number, Profiler.Profile]> {
  const session = new Session();
  session.connect();
  const post = promisify(session.post.bind(session)) as (
    method: string,
    params?: object,
  ) => Promise<{ readonly profile: Profiler.Profile }>;
  await post("Profiler.enable");
  await post("Profiler.setSamplingInterval", { interval: sampleUs });
  await post("Profiler.start");
  const seconds = await work();
  const { profile } = await post("Profiler.stop");
  session.disconnect();
  return [seconds, profile];
}

/** Share of each part in all samples. */
function sharesOf({ nodes, samples = [] }: Profiler.Profile): Map<string, number> {
  const partOf = new Map<number, string>();
  const visit = (node: Profiler.ProfileNode, inherited: string): void => {
    const { functionName, url } = node.callFrame;
    const place = `${functionName} ${url}`;
    const own = parts.find(([, pattern]) => pattern.source !== "^" && pattern.test(place))?.[0];
    partOf.set(node.id, own ?? inherited);
    for (const id of node.children ?? [])
      visit(byId.get(id) as Profiler.ProfileNode, own ?? inherited);
  };
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const [root] = nodes;
  if (root !== undefined) visit(root, "Node: turns, ticks, promises");
  const shares = new Map<string, number>();
  for (const id of samples) {
    const part = partOf.get(id) ?? "Node: turns, ticks, promises";
    shares.set(part, (shares.get(part) ?? 0) + 1 / samples.length);
  }
  return shares;
}

function formatShares(shares: ReadonlyMap<string, number>, usPerEvent: number): string {
  return [...shares]
    .toSorted(([, one], [, other]) => other - one)
    .map(([name, share]) => {
      const us = (share * usPerEvent).toFixed(2).padStart(9);
      return `${name.padEnd(30)} ${us} us ${(100 * share).toFixed(1).padStart(6)} %`;
    })
    .join("\n");
}

async function main([callers = "64", batchEvents = "1", events = "100000"]: readonly string[]) {
  const work = {
    callers: Number(callers),
    batchEvents: Number(batchEvents),
    events: Number(events),
  };
  const scratch = await Scratch.make();
  try {
    await appendAll(scratch, { ...work, events: Math.ceil(work.events / 4) });
    const plain = await appendAll(scratch, work);
    const [seconds, profile] = await profiled(() => appendAll(scratch, work));
    const usPerEvent = (plain / work.events) * 1e6;
    console.log(
      `${callers} callers, batches of ${batchEvents}: ${usPerEvent.toFixed(1)} us per event, ` +
        `${Math.round(1e6 / usPerEvent)} events/s; ${(seconds / plain).toFixed(2)} times that while profiled\n`,
    );
    console.log(formatShares(sharesOf(profile), usPerEvent));
  } finally {
    await scratch.remove();
  }
}

await main(process.argv.slice(2));
