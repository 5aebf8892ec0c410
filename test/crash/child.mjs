// The process that is killed: opens a store and appends from many callers until it dies.
import { openStore } from "@sennit/core";

import { Recorder } from "./recorder.mjs";
import { baseBatch, Caller } from "./workload.mjs";

const [directory, historyPath, seed, round, callers] = process.argv.slice(2);
const recorder = new Recorder(historyPath);

async function keepAppending(store, caller) {
  const batches = new Caller(seed, round, caller);
  for (let count = 1; ; count += 1) {
    await recorder.append(store, `${round}-${caller}-${count}`, batches.next());
  }
}

try {
  process.stdout.write("opening\n");
  const store = await openStore(directory);
  if (store.damage !== undefined) throw store.damage;
  process.stdout.write("open\n");
  await recorder.append(store, `${round}-bases`, baseBatch(seed));
  await Promise.all(
    Array.from({ length: Number(callers) }, (_, caller) => keepAppending(store, caller)),
  );
} catch (error) {
  recorder.write({ line: "failed", call: `${round}-child`, message: String(error) });
  process.exit(1);
}
