/** `sennit demo`: plays a story, and serves the store it leaves until it is stopped. */
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";

import { openStore, StoreError } from "@sennit/core";

import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { playStory } from "../demo/play.ts";
import { tryNext } from "../demo/story.ts";
import { commandLine, Output } from "../output.ts";
import { newStoreDirectory } from "../target/place.ts";
import { untilStopped } from "../until-stopped.ts";

const directoryDefault = "sennit-demo";
/** Marks a directory as made by the demo, so that the next demo may replace it. */
const markerName = "demo.json";
const marker = `${JSON.stringify({
  note: "Made by `sennit demo`, which replaces this directory when it is run again.",
})}\n`;
/** All that can stand in the directory of a demo's store. */
const storeNames: ReadonlySet<string> = new Set([
  markerName,
  "acknowledged",
  "keys",
  "keys.json",
  "lineage",
  "log",
  "owner.json",
  "sennit.json",
  "state",
  "subscriptions",
  "views",
]);
const localCommand = join("node_modules", ".bin", "sennit");

export const command = defineCommand({
  name: "demo",
  summary: "play a story, and serve the store it leaves to try things in",
  arguments: [
    { name: "DIR", optional: true, help: `Where to leave the store; default: ${directoryDefault}` },
  ],
  flags: [{ name: "once", type: "boolean", help: "End after the story, without a server" }],
  examples: ["sennit demo", "sennit demo ./try --once"],
  presentOnly: true,
  async run(context) {
    const { io, out, values } = context;
    const named = values.positionals[0] ?? values.text("store") ?? directoryDefault;
    const directory = newStoreDirectory(io.cwd, named, "sennit demo");
    await prepare(directory, io.clock);
    const { run } = await import("../run.ts");
    if (out.isJson) {
      // The story is for people; a program gets what it leaves behind.
      const silent = { ...io, stdout: () => undefined };
      const code = await playStory(silent, new Output(silent, false), directory, run);
      const played = { store: directory, commands: nextCommands(context, directory) };
      if (code !== 0) return code;
      if (values.flag("once")) out.json(played);
      else await serve(context, directory, (url) => out.json({ ...played, url }));
      return code;
    }
    const place = relative(io.cwd, directory) || ".";
    out.line(`A sennit is a braided cord. This one is laid in ${place}.`);
    const code = await playStory(io, out, directory, run);
    if (code !== 0) return code;
    printNext(context, directory);
    if (!values.flag("once")) {
      await serve(context, directory, (url) => printServer(context, url));
      out.line("\nThe server has stopped; the store stays.");
    }
    out.line(`To be rid of it, delete ${place}.`);
    return code;
  },
});

/** Replaces the store of an earlier demo, and nothing else. */
async function prepare(directory: string, clock: Context["io"]["clock"]): Promise<void> {
  const names = existsSync(directory) ? await readdir(directory) : [];
  if (names.length > 0 && !(await isDemoStore(directory, names))) {
    throw new StoreError(
      "directory-not-empty",
      `${directory} holds something that no demo has made.`,
      {
        hint: "Name another directory: sennit demo DIR",
        details: { directory },
      },
    );
  }
  if (names.length > 0) await rejectInUse(directory, clock);
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  await (await openStore(directory, { clock })).close();
  await writeFile(join(directory, markerName), marker);
}

/** True for what a demo has made and nobody has added to. */
async function isDemoStore(directory: string, names: readonly string[]): Promise<boolean> {
  if (!names.includes(markerName) || !names.every((name) => storeNames.has(name))) return false;
  return (await readFile(join(directory, markerName), "utf8")) === marker;
}

/** @throws `store-locked` when the earlier store is open somewhere */
async function rejectInUse(directory: string, clock: Context["io"]["clock"]): Promise<void> {
  try {
    await (await openStore(directory, { create: false, clock })).close();
  } catch (error) {
    if (error instanceof StoreError && error.code === "store-locked") throw error;
    // Whatever else is wrong with the old demo store goes away with it.
  }
}

function printNext(context: Context, directory: string): void {
  const { io, out } = context;
  const store = relative(io.cwd, directory) || ".";
  out.line(out.style("bold", "Now you"));
  out.line(`The store is in ${store}. Each of these works as it stands:\n`);
  for (const line of nextCommands(context, directory)) out.line(`  ${line}`);
  out.line();
}

/** Answers for the store at a free port until the user stops it. @param say gets the address once the server listens */
async function serve(
  { io }: Context,
  directory: string,
  say: (url: string) => void,
): Promise<void> {
  const { startServer } = await import("@sennit/server");
  const server = await startServer({ directory, port: 0, clock: io.clock });
  try {
    say(server.url);
    await untilStopped(io);
  } finally {
    await server.close();
  }
}

function printServer({ io, out }: Context, url: string): void {
  out.line(`A server answers for it at ${out.style("bold", url)} until Ctrl-C.`);
  out.line("From another terminal:\n");
  const lines = [
    commandLine([programOf(io), "--store", url, "show", "decision-1"]),
    `curl ${url}/v1/records/decision-1/lineage`,
    `curl '${url}/v1/records?where=kind:decision&as-of=first-decision'`,
  ];
  for (const line of lines) out.line(`  ${line}`);
  out.line(`\nWhat else can be asked: ${url}/docs`);
}

/** Command lines that work in the store left behind, as they are to be typed here. */
function nextCommands({ io }: Context, directory: string): string[] {
  const store = relative(io.cwd, directory) || ".";
  return tryNext.map((words) => commandLine([programOf(io), "--store", store, ...words]));
}

/** What is typed here to call this program. */
function programOf({ cwd }: Context["io"]): string {
  return existsSync(join(cwd, localCommand)) ? localCommand : "sennit";
}
