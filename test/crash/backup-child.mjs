// The process that is killed: takes a backup of a store, or restores one, and kills itself at a step when told one.
// Usage: node test/crash/backup-child.mjs backup|restore FROM TO [STEP]
import { openStore, restoreStore } from "@sennit/core";

const [mode, from, to, step = "0"] = process.argv.slice(2);
let steps = 0;

function onProgress() {
  steps += 1;
  process.stdout.write(`${steps}\n`);
  if (steps === Number(step)) process.kill(process.pid, "SIGKILL");
}

if (mode === "backup") {
  const store = await openStore(from);
  await store.backup(to, { segmentEntriesMax: 700, onProgress });
  await store.close();
} else {
  await restoreStore(from, to, { onProgress });
}
