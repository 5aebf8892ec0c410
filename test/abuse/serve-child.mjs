/** A server of a new store in a process of its own, which tells its memory four times a second. */
import { openStore } from "@sennit/core";
import { startServer } from "@sennit/server";

const [directory] = process.argv.slice(2);
await (await openStore(directory)).close();
const server = await startServer({ directory, port: 0 });
process.send({ url: server.url });
const timer = setInterval(() => process.send({ resident: process.memoryUsage().rss }), 250);
process.on("message", async () => {
  clearInterval(timer);
  await server.close();
  process.disconnect();
});
