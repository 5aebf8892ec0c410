/** Makes a whole store under another name and renames it at the end, so that nothing half made is ever taken for one. */
import { mkdir, open, readdir, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";

import { privateKeyName, publicKeyName, SigningKey } from "../checkpoint/signing-key.ts";
import { formatVerifierKey } from "../checkpoint/signed-note.ts";
import { decodeCommit, emptyCommit } from "../codec/commit-record.ts";
import { isStoreError, StoreError } from "../errors.ts";
import { AcknowledgedFile } from "../log/acknowledged-file.ts";
import type { CopiedLog } from "../log/log-copy.ts";
import { Frontier } from "../merkle/frontier.ts";
import { isRunning } from "../running.ts";
import {
  acknowledgedName,
  fileError,
  keysName,
  listDirectory,
  logDirectoryName,
  logName,
  syncDirectory,
  writeManifest,
} from "../store-directory.ts";
import { commitKey } from "../storage/keyspace.ts";
import { openLevelStorage } from "../storage/level-storage.ts";
import type { Storage } from "../storage/storage.ts";

/** What a new store gets beside its log. */
export interface NewStoreParts {
  readonly storeId: string;
  /** The files of its key pair; a new pair is made when they are not given. */
  readonly keys?: { readonly privateKey: string; readonly publicKey: string } | undefined;
}

export interface MadeStore extends CopiedLog {
  readonly verifierKey: string;
}

/**
 * Makes a store in a directory that is new or empty. Until it is whole, the directory is as it was.
 *
 * @param fill writes the log
 * @throws `directory-not-empty`, and what `fill` throws
 */
export async function makeStore(
  location: string,
  parts: NewStoreParts,
  fill: (storage: Storage) => Promise<CopiedLog>,
): Promise<MadeStore> {
  const target = resolve(location);
  await assertEmpty(target);
  const building = `${target}.making-${process.pid}`;
  try {
    await removeLeftovers(target);
    await mkdir(building, { recursive: true });
    const copied = await makeLog(join(building, logDirectoryName), fill);
    await assertStored(join(building, logDirectoryName), copied);
    const verifierKey = await makeKeys(join(building, keysName), parts);
    await acknowledge(join(building, acknowledgedName), copied);
    await writeManifest(building, parts.storeId);
    await moveInto(building, target);
    return { ...copied, verifierKey };
  } catch (error) {
    await rm(building, { recursive: true, force: true });
    throw isStoreError(error) ? error : fileError(error, `Cannot make a store in ${target}`);
  }
}

async function assertEmpty(target: string): Promise<void> {
  const names = await listDirectory(target);
  if (names === undefined || names.length === 0) return;
  throw new StoreError("directory-not-empty", `${target} is not empty.`, {
    details: { directory: target },
  });
}

/** What processes left that ended before their store was whole. */
async function removeLeftovers(target: string): Promise<void> {
  const parent = dirname(target);
  const prefix = `${basename(target)}.making-`;
  for (const name of (await listDirectory(parent)) ?? []) {
    const pid = name.startsWith(prefix) ? Number(name.slice(prefix.length)) : Number.NaN;
    if (!Number.isInteger(pid) || (pid !== process.pid && isRunning(pid))) continue;
    await rm(join(parent, name), { recursive: true, force: true });
  }
}

async function makeLog(
  directory: string,
  fill: (storage: Storage) => Promise<CopiedLog>,
): Promise<CopiedLog> {
  const storage = await openLevelStorage(directory);
  try {
    return await fill(storage);
  } finally {
    await storage.close();
  }
}

/** Opens what was written again, which checks every file of it, and looks at what it says of its end. */
async function assertStored(directory: string, { head, root }: CopiedLog): Promise<void> {
  const storage = await openLevelStorage(directory, { create: false });
  try {
    const value = storage.get(commitKey);
    const commit = value === undefined ? emptyCommit : decodeCommit(value);
    if (commit.head === head && new Frontier(head, commit.frontier).root().equals(root)) return;
    throw new StoreError("root-mismatch", "What was written is not what can be read.");
  } finally {
    await storage.close();
  }
}

async function makeKeys(directory: string, { storeId, keys }: NewStoreParts): Promise<string> {
  if (keys !== undefined) {
    await mkdir(directory, { mode: 0o700 });
    const file = await open(join(directory, privateKeyName), "w", 0o600);
    try {
      await file.writeFile(keys.privateKey);
      await file.sync();
    } finally {
      await file.close();
    }
    await writeFile(join(directory, publicKeyName), keys.publicKey);
  }
  return formatVerifierKey((await SigningKey.make(directory, logName(storeId))).verifierKey);
}

async function acknowledge(path: string, { head, root }: CopiedLog): Promise<void> {
  const file = await AcknowledgedFile.open(path);
  file.note(() => ({ position: head, root, answeredUntilUs: 0 }));
  await file.close();
}

async function moveInto(building: string, target: string): Promise<void> {
  await syncDirectory(building);
  // Somebody may have put something there meanwhile; then this fails, and what is there stays.
  if ((await readdir(target).catch(() => undefined)) !== undefined) await rmdir(target);
  await rename(building, target);
  await syncDirectory(dirname(target));
}
