/** The process that P7 sends requests to: a server of a store, or a Fastify route that parses the same body and drops it. */
import type { AddressInfo } from "node:net";

import { openStore } from "@sennit/core";
import { startServer } from "@sennit/server";
import { fastify } from "fastify";

const [directory] = process.argv.slice(2);

/** What is measured: where it answers, and how to end it. */
interface Served {
  readonly url: string;
  readonly close: () => Promise<unknown>;
}

async function serveStore(path: string): Promise<Served> {
  await (await openStore(path)).close();
  return startServer({ directory: path, port: 0 });
}

async function serveNothing(): Promise<Served> {
  const app = fastify({ bodyLimit: 64 * 1024 * 1024 });
  app.post("/v1/events", (_request, reply) => reply.send({ head: 0 }));
  await app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = app.server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => app.close() };
}

const served = await (directory === undefined ? serveNothing() : serveStore(directory));
let cpuMs = 0;
process.on("message", (word) => {
  const { user, system } = process.cpuUsage();
  const now = (user + system) / 1000;
  if (word === "start") cpuMs = now;
  else if (word === "stop") process.send?.({ cpuMs: now - cpuMs });
  else void served.close().then(() => process.disconnect());
});
process.send?.({ url: served.url });
