/** Answers questions about the store in a directory, and prints the memory this process then takes, in bytes. */
import { openStore } from "@sennit/core";

import { recordId } from "./workload.ts";

const reads = 10_000;

const [directory = "", records = "0"] = process.argv.slice(2);
const store = await openStore(directory, { create: false });
const count = Number(records);
const reader = await store.at({ position: Math.ceil(count / 2) });
for (let read = 0; read < reads; read += 1) {
  await store.record(recordId(Math.floor((read / reads) * count)));
}
await store.lineage(recordId(count - 1), { depth: 1000 });
await store.lineage(recordId(0), { direction: "descendants", depth: 1000 });
await reader.lineage(recordId(Math.floor(count / 2) - 1), { depth: 1000 });
console.log(process.memoryUsage.rss());
await store.close();
