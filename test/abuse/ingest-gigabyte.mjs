/**
 * Sends a gigabyte of NDJSON to a server and watches its memory: `node test/abuse/ingest-gigabyte.mjs [MEBIBYTES]`, after
 * a build. It fails when the server takes more than its bound, or stores anything else than was sent.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const mebibyte = 1024 * 1024;
const mebibytes = Number(process.argv[2] ?? 1024);
/** Of the whole process: the caches of two databases, their write buffers and the heap of Node. */
const residentMax = 700 * mebibyte;
const eventsInChunk = 2000;

const directory = await mkdtemp(join(tmpdir(), "sennit-gigabyte-"));
const child = fileURLToPath(new URL("serve-child.mjs", import.meta.url));
const server = fork(child, [join(directory, "store")]);
const [{ url }] = await once(server, "message");

let residentPeak = 0;
server.on("message", ({ resident }) => (residentPeak = Math.max(residentPeak, resident ?? 0)));

let count = 0;
function chunk() {
  let text = "";
  for (let index = 0; index < eventsInChunk; index += 1) {
    count += 1;
    const attributes = { note: "x".repeat(300), count };
    const data = { kind: "dataset", name: `set ${count}`, attributes };
    text += `${JSON.stringify({ type: "record.created", recordId: `ds-${count}`, data })}\n`;
  }
  return text;
}

const outgoing = request(`${url}/v1/events?results=refused`, {
  method: "POST",
  headers: { "content-type": "application/x-ndjson" },
});
const answered = once(outgoing, "response").then(async ([response]) => {
  let text = "";
  for await (const part of response) text += part;
  return text;
});

const start = performance.now();
let sent = 0;
while (sent < mebibytes * mebibyte) {
  const text = chunk();
  sent += text.length;
  if (!outgoing.write(text)) await once(outgoing, "drain");
}
outgoing.end();
const answer = await answered;
const seconds = (performance.now() - start) / 1000;
const summary = JSON.parse(answer.trim().split("\n").at(-1)).summary;
server.send("close");
await once(server, "exit");
await rm(directory, { recursive: true, force: true });

const resident = Math.round(residentPeak / mebibyte);
process.stdout.write(
  `${Math.round(sent / mebibyte)} MiB, ${count} events in ${seconds.toFixed(0)} s; the server took ${resident} MiB at most; ${JSON.stringify(summary)}\n`,
);
if (summary?.stored !== count || summary.head !== count || residentPeak > residentMax) {
  process.stderr.write(`expected ${count} stored, and at most ${residentMax / mebibyte} MiB\n`);
  process.exitCode = 1;
}
