/** Loads the built client where there is nothing of Node, only what every browser has, and asks a server with it. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { createContext, SourceTextModule } from "node:vm";

const [entry, url] = process.argv.slice(2);

/** What browsers have beside the language itself. */
const web = {
  fetch,
  URL,
  URLSearchParams,
  Headers,
  Request,
  Response,
  AbortController,
  AbortSignal,
  ReadableStream,
  TextDecoder,
  TextEncoder,
  crypto,
  setTimeout,
  clearTimeout,
  performance,
};
const context = createContext({ ...web });

const modules = new Map();

async function load(address) {
  const known = modules.get(address);
  if (known !== undefined) return known;
  const source = await readFile(fileURLToPath(address), "utf8");
  const module = new SourceTextModule(source, { context, identifier: address });
  modules.set(address, module);
  return module;
}

const main = await load(new URL(entry, "file://").href);
await main.link((specifier, { identifier }) => {
  if (!specifier.startsWith("./")) throw new Error(`${identifier} imports ${specifier}`);
  return load(new URL(specifier, identifier).href);
});
await main.evaluate();
const client = await main.namespace.connect(url);
const data = { kind: "k", name: "from the web" };
const { head } = await client.append([{ type: "record.created", recordId: "web/1", data }]);
const reader = await client.at({ position: head });
const names = [];
for await (const record of reader.allRecords()) names.push(record.name);
const followed = [];
for await (const event of client.follow()) {
  followed.push(event.recordId);
  break;
}
const lines = new TextEncoder().encode(
  '{"type":"record.created","recordId":"web/2","data":{"kind":"k","name":"n"}}',
);
const source = (async function* pieces() {
  yield lines;
})();
const ingesting = client.ingest(source);
while ((await ingesting.next()).done !== true) continue;
await client.close();
const files = modules.size;
process.stdout.write(JSON.stringify({ files, names, followed, head: client.head }));
