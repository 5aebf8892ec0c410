/** Opens the store of a command line: in its directory, at the server named, or at the server that has the directory open. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { isStoreError, readStoreOwner, StoreError } from "@sennit/core";

import type { Io } from "../io.ts";
import type { Output } from "../output.ts";
import { discoveredServer } from "./discovered-server.ts";
import { EmbeddedTarget } from "./embedded-target.ts";
import type { Place } from "./place.ts";
import type { ServerPlace } from "./server-target.ts";
import type { Target } from "./target.ts";

/** A store may change hands between two looks at it: it is looked at so many times. */
const attemptsMax = 2;
/** A server that has the store open, and does not say yet where it answers, is waited for so long. */
const startingMs = 3000;
/** Who has just opened a store says who it is within that time. */
const unknownMs = 500;
const lookEveryMs = 25;

/**
 * Opens a store. One that a server on this machine has open is asked there, without being told.
 *
 * @throws the codes of `openStore`, `server-unreachable`, `unauthenticated`, `forbidden`
 */
export async function openTarget(place: Place, io: Io, out: Output): Promise<Target> {
  if ("url" in place) return connectTo({ url: place.url, token: tokenIn(io.env) }, io);
  const { directory } = place;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await openDirectory(directory, io, out);
    } catch (error) {
      if (!isStoreError(error) || error.code !== "store-locked") throw error;
      const isLast = attempt === attemptsMax;
      const server = await findServer(directory, io.signal);
      if (server === "gone" && !isLast) continue;
      if (typeof server === "string") throw error;
      const target = await askInstead(server, io, isLast);
      if (target === undefined) continue;
      // An answer comes from somewhere else than asked, which is no matter for a program.
      if (!out.isJson) out.note(`${server.url} answers, which has the store open`);
      return target;
    }
  }
}

async function openDirectory(directory: string, io: Io, out: Output): Promise<Target> {
  const target = await EmbeddedTarget.open(directory, io.clock);
  const { damage } = target.store;
  // Answers from a damaged store are true where it is intact, and whoever reads them must know.
  if (damage !== undefined) out.note(`warning ${damage.code}: ${damage.message}`);
  return target;
}

/**
 * The server that says it has the store open, also one that is about to listen. `none`: whoever has it is no server, or does not
 * become one; `gone`: nobody says that he has it.
 */
async function findServer(
  directory: string,
  signal: AbortSignal,
): Promise<ServerPlace | "none" | "gone"> {
  const began = performance.now();
  for (;;) {
    const owner = await readStoreOwner(directory);
    if (owner?.url !== undefined) return discoveredServer(directory, owner.url, owner.token);
    if (owner !== undefined && owner.token === undefined) return "none";
    const waited = performance.now() - began;
    if (owner === undefined && waited >= unknownMs) return "gone";
    if (waited >= startingMs || signal.aborted) return "none";
    await sleep(lookEveryMs);
  }
}

/** @returns undefined when the server has gone meanwhile, and the store with it */
async function askInstead(
  server: ServerPlace,
  io: Io,
  isLast: boolean,
): Promise<Target | undefined> {
  let target: Target;
  try {
    target = await connectTo(server, io);
  } catch (error) {
    const isGone = isStoreError(error) && error.code === "server-unreachable";
    if (!isGone || isLast) throw error;
    return undefined;
  }
  const { directory = "", url } = server;
  const { storeId } = target.store;
  const expected = await readStoreId(directory);
  if (expected === storeId) return target;
  await target.close();
  throw new StoreError(
    "store-locked",
    `The store in ${directory} is in use, and ${url} answers for another store.`,
    { details: { directory, url, storeId: expected, answeringStoreId: storeId } },
  );
}

/** The id in the store's manifest; undefined when it cannot be read. */
async function readStoreId(directory: string): Promise<unknown> {
  try {
    const text = await readFile(join(directory, "sennit.json"), "utf8");
    return (JSON.parse(text) as { readonly storeId?: unknown }).storeId;
  } catch {
    return undefined;
  }
}

async function connectTo(server: ServerPlace, io: Io): Promise<Target> {
  const { ServerTarget } = await import("./server-target.ts");
  return ServerTarget.connect(server, io.signal);
}

/** The credential for a server named by its URL. @throws `argument-invalid`, which does not repeat it */
function tokenIn(env: Io["env"]): string | undefined {
  const token = env["SENNIT_TOKEN"];
  if (token === undefined || token === "") return undefined;
  if (/^[\u0021-\u007e]+$/.test(token)) return token;
  throw new StoreError("argument-invalid", "SENNIT_TOKEN holds characters that no token has.", {
    hint: "Set it to the token alone, without spaces or line ends.",
    details: { variable: "SENNIT_TOKEN" },
  });
}
