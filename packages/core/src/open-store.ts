/** Opens a store: a directory on disk, or memory. */
import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";

import { formatVerifierKey } from "./checkpoint/signed-note.ts";
import { SigningKey } from "./checkpoint/signing-key.ts";
import { systemClock, type Clock } from "./clock.ts";
import { isStoreError, StoreError } from "./errors.ts";
import { SnapshotFile } from "./lineage/snapshot-file.ts";
import { AcknowledgedFile, isAcknowledgedLost, newAcknowledged } from "./log/acknowledged-file.ts";
import { EmbeddedLog } from "./log/embedded-log.ts";
import { commitKey } from "./storage/keyspace.ts";
import { openLevelStorage } from "./storage/level-storage.ts";
import { openMemoryStorage } from "./storage/memory-storage.ts";
import type { Storage } from "./storage/storage.ts";
import {
  acknowledgedName,
  fileError,
  keysName,
  lineageName,
  listDirectory,
  logDirectoryName,
  logName,
  manifestName,
  parseManifest,
  writeManifest,
  writeWhole,
} from "./store-directory.ts";
import { finishSwap } from "./repair/swap.ts";
import { OwnerFile, storeInUse } from "./owner-file.ts";
import { EmbeddedStore } from "./store.ts";

export interface OpenStoreOptions {
  /** Make the store when the directory is missing or empty. Default true. */
  readonly create?: boolean | undefined;
  /** Default: the machine's clock. */
  readonly clock?: Clock | undefined;
  /**
   * Of a process that is going to answer for the store over HTTP: the credential it takes from whoever reads the discovery file,
   * which says from the beginning that this is a server; where it answers it says with `announce`.
   */
  readonly localToken?: string | undefined;
}

/**
 * Opens the store in a directory, and makes it when it is not there. One process at a time. A store that has lost its side file
 * is damaged: it is read and not written.
 *
 * @throws `store-not-found` (with `create: false`), `not-a-store`, `format-too-new`, `store-locked`, `file-damaged`,
 * `checksum-mismatch`, `head-mismatch`
 */
export async function openStore(
  location: string,
  options: OpenStoreOptions = {},
): Promise<EmbeddedStore> {
  const directory = resolve(location);
  await finishSwap(directory);
  const known = await prepareDirectory(directory, options.create ?? true);
  const storage = await openLog(directory, known === undefined);
  let acknowledged: AcknowledgedFile | undefined;
  let owner: OwnerFile | undefined;
  try {
    // Who finds the store locked meanwhile is told by whom.
    if (known !== undefined) owner = await OwnerFile.claim(directory, options.localToken);
    if (known === undefined && storage.get(commitKey) !== undefined) throw lostManifest(directory);
    const storeId = known ?? (await makeManifest(directory));
    acknowledged = await openAcknowledged(directory, storage.get(commitKey) !== undefined);
    const clock = options.clock ?? systemClock;
    const snapshot = new SnapshotFile(join(directory, lineageName, "graph"));
    const log = await EmbeddedLog.open(storage, clock, acknowledged, snapshot);
    owner ??= await OwnerFile.claim(directory, options.localToken);
    return new EmbeddedStore(log, {
      storeId,
      storage,
      directory,
      signingKey: () => SigningKey.open(join(directory, keysName), logName(storeId)),
      owner,
    });
  } catch (error) {
    await acknowledged?.close();
    await owner?.release();
    await storage.close();
    throw isStoreError(error) ? error : fileError(error, `Cannot write to ${directory}`);
  }
}

/** The side file. @param isUsed the log has been written to */
async function openAcknowledged(directory: string, isUsed: boolean): Promise<AcknowledgedFile> {
  const path = join(directory, acknowledgedName);
  if (await isAcknowledgedLost(path, isUsed)) return AcknowledgedFile.lost(path);
  return AcknowledgedFile.open(path);
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
  const storeId = randomUUID();
  return new EmbeddedStore(log, {
    storeId,
    storage,
    directory: undefined,
    signingKey: () => SigningKey.generate(logName(storeId)),
    owner: undefined,
  });
}

/** Where `sennit init` makes the store of a directory. */
const usualName = ".sennit";

/** Checks what is in the directory. @returns the store's id; undefined when the store is still to be made */
async function prepareDirectory(directory: string, create: boolean): Promise<string | undefined> {
  const names = await listDirectory(directory);
  if (names?.includes(manifestName) === true) {
    const storeId = parseManifest(directory, await readFile(join(directory, manifestName), "utf8"));
    // LevelDB would make an empty log in its place, and delete what is left of the old one.
    const log = await listLog(directory);
    if (!log.includes("CURRENT")) throw lostLog(directory, log);
    return storeId;
  }
  // A store whose making was cut short holds parts of a store and nothing else; it is made again.
  const ours = [logDirectoryName, keysName, acknowledgedName].concat(
    [acknowledgedName, manifestName].map((name) => `${name}.new`),
  );
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
        ...(names?.includes(usualName) === true && {
          hint: `The store in it is ${join(directory, usualName)}`,
        }),
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

/** What a repair can read events from. */
const logFiles = /^\d+\.(ldb|sst|log)$/;

async function listLog(directory: string): Promise<string[]> {
  return (await listDirectory(join(directory, logDirectoryName))) ?? [];
}

function lostLog(directory: string, left: readonly string[]): StoreError {
  const repair = left.some((name) => logFiles.test(name))
    ? " Or see what can be kept of what is left: sennit verify --repair"
    : "";
  return new StoreError("log-gap", `The store in ${directory} has lost its log.`, {
    hint: `Put back a copy of the directory log, whole; nothing has been changed.${repair}`,
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

/** Makes the key and the side file, then the manifest. @returns the id */
async function makeManifest(directory: string): Promise<string> {
  const storeId = randomUUID();
  // A making that was cut short may have left the key of a store that never was.
  await rm(join(directory, keysName), { recursive: true, force: true });
  await SigningKey.make(join(directory, keysName), logName(storeId));
  await writeWhole(join(directory, acknowledgedName), newAcknowledged());
  await writeManifest(directory, storeId);
  return storeId;
}

async function openLog(directory: string, create: boolean): Promise<Storage> {
  try {
    return await openLevelStorage(join(directory, logDirectoryName), { create });
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== "store-locked") throw error;
    throw await storeInUse(directory, error);
  }
}

/**
 * Gives a store another signing key, when its own is lost or known to others. What was signed with the old one verifies with
 * that alone, so it is kept where there is one, in `keys.replaced-TIME`.
 *
 * @returns the new verifier key, and where the old one is; null when it was lost
 * @throws `store-not-found`, `not-a-store`, `format-too-new`
 */
export async function renewSigningKey(
  location: string,
): Promise<{ readonly verifierKey: string; readonly replaced: string | null }> {
  const directory = resolve(location);
  const storeId = await prepareDirectory(directory, false);
  if (storeId === undefined) {
    throw new StoreError("store-not-found", `${directory} holds no store.`, {
      details: { directory },
    });
  }
  const keys = join(directory, keysName);
  const time = new Date().toISOString().replaceAll(/[^\dTZ]/g, "");
  const aside = `${keysName}.replaced-${time}`;
  const isThere = await rename(keys, join(directory, aside)).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return false;
      throw fileError(error, `Cannot put ${keys} aside`);
    },
  );
  const key = await SigningKey.make(keys, logName(storeId));
  return { verifierKey: formatVerifierKey(key.verifierKey), replaced: isThere ? aside : null };
}
