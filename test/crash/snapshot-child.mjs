// The process that is killed: makes the lineage graph from the log and writes its snapshot, and says when it starts.
// Usage: node test/crash/snapshot-child.mjs STORE
import { rm } from "node:fs/promises";
import { join } from "node:path";

import { openStore } from "@sennit/core";

const [directory = ""] = process.argv.slice(2);
await rm(join(directory, "lineage", "graph"), { force: true });
const store = await openStore(directory, { create: false });
process.stdout.write("started\n");
await store.log.graph();
await store.close();
