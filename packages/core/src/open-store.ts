/** Opens a store: a directory on disk, or memory. */
import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";

import { isKeyName } from "./checkpoint/signed-note.ts";
import { SigningKey } from "./checkpoint/signing-key.ts";
import { systemClock, type Clock } from "./clock.ts";
import { isStoreError, StoreError } from "./errors.ts";
import { isPlainObject } from "./event/json.ts";
import { AcknowledgedFile } from "./log/acknowledged-file.ts";
import { EmbeddedLog } from "./log/embedded-log.ts";
import { commitKey } from "./storage/keyspace.ts";
import { openLevelStorage } from "./storage/level-storage.ts";
import { openMemoryStorage } from "./storage/memory-storage.ts";
import type { Storage } from "./storage/storage.ts";
import { EmbeddedStore } from "./store.ts";

/** The version of the store's layout that this code writes and the newest it reads. */
export const storeFormat = 1;

const manifestName = "sennit.json";
const ownerName = "owner.json";
const logDirectoryName = "log";
const keysName = "keys";
const acknowledgedName = "acknowledged";

export interface OpenStoreOptions {
  /** Make the store when the directory is missing or empty. Default true. */
  readonly create?: boolean | undefined;
  /** Default: the machine's clock. */
  readonly clock?: Clock | undefined;
}

/**
 * Opens the store in a directory, and makes it when it is not there. One process at a time.
 *
 * @throws `store-not-found` (with `create: false`), `not-a-store`, `format-too-new`, `store-locked`,
 * `checksum-mismatch`, `head-mismatch`
 */
export async function openStore(
  location: string,
  options: OpenStoreOptions = {},
): Promise<EmbeddedStore> {
  const directory = resolve(location);
  const known = await prepareDirectory(directory, options.create ?? true);
  const storage = await openLog(directory, known === undefined);
  try {
    if (known === undefined && storage.get(commitKey) !== undefined) throw lostManifest(directory);
    const storeId = known ?? (await makeManifest(directory));
    const acknowledged = await openAcknowledged(directory);
    const log = await EmbeddedLog.open(storage, options.clock ?? systemClock, acknowledged);
    await noteOwner(directory);
    return new EmbeddedStore(log, {
      directory,
      signingKey: () => SigningKey.open(join(directory, keysName), logName(storeId)),
      release: () => rm(join(directory, ownerName), { force: true }),
    });
  } catch (error) {
    await storage.close();
    throw isStoreError(error) ? error : fileError(error, `Cannot write to ${directory}`);
  }
}

/** Says who has the store open. It only serves a better message, so a directory that cannot be written is no matter. */
async function noteOwner(directory: string): Promise<void> {
  const owner = `${JSON.stringify({ pid: process.pid })}\n`;
  await writeFile(join(directory, ownerName), owner).catch(() => undefined);
}

/** The side file; undefined where the directory cannot be written: the log itself is still checked. */
async function openAcknowledged(directory: string): Promise<AcknowledgedFile | undefined> {
  return AcknowledgedFile.open(join(directory, acknowledgedName)).catch(() => undefined);
}

/** Opens an empty store that lives in memory and is gone when the process ends. */
export async function openMemoryStore(
  options: Pick<OpenStoreOptions, "clock"> = {},
): Promise<EmbeddedStore> {
  return openStoreOn(openMemoryStorage(), options);
}

/** Opens a store on a storage of the caller's. Closing the store closes the storage. */
export async function openStoreOn(
  storage: Storage,
  options: Pick<OpenStoreOptions, "clock"> = {},
): Promise<EmbeddedStore> {
  const log = await EmbeddedLog.open(storage, options.clock ?? systemClock);
  return new EmbeddedStore(log, {
    directory: undefined,
    signingKey: () => SigningKey.generate(logName(randomUUID())),
    release: async () => {},
  });
}

/** The name a store signs under, and the origin of its checkpoints. */
function logName(storeId: string): string {
  return `sennit/${storeId}`;
}

/** Checks what is in the directory. @returns the store's id; undefined when the store is still to be made */
async function prepareDirectory(directory: string, create: boolean): Promise<string | undefined> {
  const names = await listDirectory(directory);
  if (names?.includes(manifestName) === true) {
    const storeId = parseManifest(directory, await readFile(join(directory, manifestName), "utf8"));
    // LevelDB would make an empty log in its place, and delete what is left of the old one.
    if (!(await listLog(directory)).includes("CURRENT")) throw lostLog(directory);
    return storeId;
  }
  // A store whose making was cut short holds parts of a store and nothing else; it is made again.
  const ours = [logDirectoryName, keysName, acknowledgedName, `${manifestName}.new`];
  const others = (names ?? []).filter((name) => !ours.includes(name));
  const log = await listLog(directory);
  const isLog = log.includes("CURRENT") || log.every((name) => unfinishedLogNames.test(name));
  if (!isLog) others.push(logDirectoryName);
  if (others.length > 0) {
    throw new StoreError(
      "not-a-store",
      `${directory} is not a store: it holds other files and no ${manifestName}.`,
      {
        details: { directory },
      },
    );
  }
  if (!create) {
    const what = names === undefined ? "does not exist" : "holds no store";
    throw new StoreError("store-not-found", `${directory} ${what}.`, { details: { directory } });
  }
  await makeDirectory(directory);
  return undefined;
}

/** What LevelDB has written before a new database is one. */
const unfinishedLogNames = /^(LOCK|LOG|LOG\.old|MANIFEST-\d+|\d+\.dbtmp)$/;

async function listLog(directory: string): Promise<string[]> {
  return (await listDirectory(join(directory, logDirectoryName))) ?? [];
}

function lostLog(directory: string): StoreError {
  return new StoreError("log-gap", `The store in ${directory} has lost its log.`, {
    hint: "Put back a copy of the directory log, whole; nothing has been changed.",
    details: { directory },
  });
}

/** A log with events belongs to a store with a name; making another one up would sign it as another log. */
function lostManifest(directory: string): StoreError {
  return new StoreError("not-a-store", `The store in ${directory} has lost its ${manifestName}.`, {
    hint: `Put back a copy of ${manifestName}; nothing has been changed.`,
    details: { directory },
  });
}

async function makeDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
  } catch (error) {
    throw fileError(error, `Cannot make ${directory}`);
  }
}

function fileError(error: unknown, what: string): StoreError {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const reason = error instanceof Error ? error.message : String(error);
  return new StoreError(code === "ENOSPC" ? "disk-full" : "file-unreadable", `${what}: ${reason}`, {
    cause: error,
  });
}

async function listDirectory(directory: string): Promise<string[] | undefined> {
  try {
    return await readdir(directory);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT") return undefined;
    if (code === "ENOTDIR") {
      throw new StoreError("not-a-store", `${directory} is a file, not a store.`, {
        details: { directory },
      });
    }
    throw new StoreError("file-unreadable", `Cannot read ${directory}: ${String(error)}`, {
      cause: error,
    });
  }
}

/** The id in a manifest. @throws `not-a-store`, `format-too-new` */
function parseManifest(directory: string, text: string): string {
  const manifest = parseJson(text);
  const isOurs = isPlainObject(manifest) && manifest["format"] === "sennit-store";
  const { version, storeId } = isOurs ? manifest : {};
  if (typeof version === "number" && version > storeFormat) {
    throw new StoreError(
      "format-too-new",
      `The store in ${directory} has format ${version}; this Sennit reads up to ${storeFormat}.`,
      { details: { directory, format: version } },
    );
  }
  if (
    typeof version !== "number" ||
    version < 1 ||
    typeof storeId !== "string" ||
    !isKeyName(storeId)
  ) {
    throw new StoreError(
      "not-a-store",
      `${join(directory, manifestName)} does not describe a store.`,
      { details: { directory } },
    );
  }
  return storeId;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Makes the key, then writes the manifest whole: under another name first, synced, then renamed. @returns the id */
async function makeManifest(directory: string): Promise<string> {
  const path = join(directory, manifestName);
  const storeId = randomUUID();
  await SigningKey.open(join(directory, keysName), logName(storeId));
  const manifest = { format: "sennit-store", version: storeFormat, storeId };
  const file = await open(`${path}.new`, "w");
  try {
    await file.writeFile(`${JSON.stringify(manifest, undefined, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
  await syncDirectory(directory);
  return storeId;
}

/** Makes a rename durable. Where a directory cannot be synced (Windows) the file system does it by itself. */
async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function openLog(directory: string, create: boolean): Promise<Storage> {
  try {
    return await openLevelStorage(join(directory, logDirectoryName), { create });
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== "store-locked") throw error;
    const pid = await readOwner(directory);
    const owner = pid === undefined ? "another process" : `process ${pid}`;
    throw new StoreError("store-locked", `The store in ${directory} is in use by ${owner}.`, {
      cause: error,
      details: { directory, pid: pid ?? null },
    });
  }
}

async function readOwner(directory: string): Promise<number | undefined> {
  const owner = parseJson(await readFile(join(directory, ownerName), "utf8").catch(() => ""));
  const pid = isPlainObject(owner) ? owner["pid"] : undefined;
  return typeof pid === "number" ? pid : undefined;
}
