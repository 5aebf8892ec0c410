// The process that is killed: erases a record of a store, and says when it starts.
// Usage: node test/crash/erase-child.mjs STORE RECORD
import { openStore } from "@sennit/core";

const [directory = "", recordId = ""] = process.argv.slice(2);
const store = await openStore(directory, { create: false });
process.stdout.write("started\n");
await store.erase([recordId], { cause: "killed while it was erased" });
await store.close();
