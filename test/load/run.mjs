// Loads a server with appends and reads over many connections, ends it again and again, and checks that nothing that was
// acknowledged is lost and that no read goes back in time. Prints what it did as JSON.
// Usage: node test/load/run.mjs [--connections 64] [--seconds 10] [--kills 0] [--stops 0]
//   --kills: how often the server gets SIGKILL, at random moments; --stops: how often SIGTERM.
//   --forge: so many acknowledgements that never were are added before the check, which must miss their events.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

import { openStore } from "@sennit/core";

import { startServer } from "./server.mjs";
import { Load } from "./work.mjs";

const { values } = parseArgs({
  options: {
    connections: { type: "string", default: "64" },
    seconds: { type: "string", default: "10" },
    kills: { type: "string", default: "0" },
    stops: { type: "string", default: "0" },
    forge: { type: "string", default: "0" },
  },
});
const [seconds, kills, stops] = [values.seconds, values.kills, values.stops].map(Number);

/** The signals in the order they are sent. */
function plan() {
  const all = [...Array(kills).fill("SIGKILL"), ...Array(stops).fill("SIGTERM")];
  return all.toSorted(() => Math.random() - 0.5);
}

const parent = await mkdtemp(join(tmpdir(), "sennit-load-"));
const directory = join(parent, "store");
await (await openStore(directory)).close();
let server = await startServer(directory);
const load = new Load(server.url, Number(values.connections));
try {
  const running = load.run();
  const signals = plan();
  const startMs = performance.now();
  for (const signal of signals) {
    await sleep(((seconds * 1000) / (signals.length + 1)) * (0.5 + Math.random()));
    load.down();
    const { code, errors } = await server.end(signal);
    if (signal === "SIGTERM" && code !== 0) {
      load.problems.push(`the server ended with ${code}: ${errors}`);
    }
    server = await startServer(directory);
    load.up(server.url);
  }
  await sleep(Math.max(0, seconds * 1000 - (performance.now() - startMs)));
  load.stop();
  await running;
  const tookSeconds = (performance.now() - startMs) / 1000;
  for (let position = 1; position <= Number(values.forge); position += 1) {
    load.acknowledged.push({ recordId: "never", version: 1, position, n: -position });
  }
  const head = await load.check();
  const { append, read, asOf } = load.requests;
  const summary = {
    seconds: Math.round(tookSeconds * 10) / 10,
    connections: Number(values.connections),
    kills,
    stops,
    head,
    acknowledged: load.acknowledged.length,
    requests: load.requests,
    requestsPerSecond: Math.round((append + read + asOf) / tookSeconds),
    problems: load.problems.length,
  };
  process.stdout.write(`${JSON.stringify(summary)}\n`);
  for (const problem of load.problems.slice(0, 20)) process.stderr.write(`${problem}\n`);
  if (load.problems.length > 0) process.exitCode = 1;
} finally {
  load.stop();
  await server.end("SIGTERM");
  await rm(parent, { recursive: true, force: true });
}
