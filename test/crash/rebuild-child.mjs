// The process that is killed: makes a projection anew, in another thread or in its own, and says when it starts.
// Usage: node test/crash/rebuild-child.mjs STORE WORKER-EVENTS-MIN
import { openStore } from "@sennit/core";
import { openViews } from "@sennit/projections";

const [directory = "", workerEventsMin = "0"] = process.argv.slice(2);
const store = await openStore(directory, { create: false });
const views = await openViews(store, { workerEventsMin: Number(workerEventsMin) });
process.stdout.write("started\n");
await views.rebuild("records");
await views.close();
await store.close();
