/** Servers as processes of their own, and what commands print line by line. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

import { ended, start, type Answer, type Json } from "./support.ts";

/** The JSON of the first line that a process prints. */
export async function firstLine<T = Json>(child: ChildProcess): Promise<T> {
  if (child.stdout === null) throw new Error("The process has no output.");
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  return JSON.parse(line) as T;
}

export interface ServerProcess {
  readonly url: string;
  readonly pid: number;
  readonly child: ChildProcess;
  readonly end: Promise<Answer & { readonly signal: string | null }>;
}

/** Serves the store that a directory holds in its `.sennit`; resolves once it listens. @param words flags of `serve` */
export async function startServing(
  directory: string,
  words: readonly string[] = ["--port", "0"],
): Promise<ServerProcess> {
  const child = start(["serve", "--json", "--log-level", "silent", ...words], directory);
  const end = ended(child);
  const { url, pid } = await firstLine<{ readonly url: string; readonly pid: number }>(child);
  return { url, pid, child, end };
}

/** Gives `use` a server of that directory, and ends it. */
export async function withServing(
  directory: string,
  use: (server: ServerProcess) => Promise<void>,
): Promise<void> {
  const server = await startServing(directory);
  try {
    await use(server);
  } finally {
    server.child.kill("SIGKILL");
    await server.end;
  }
}
