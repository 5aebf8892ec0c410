/** The store's key pair beside its backup: written whole or not at all, because the one there may be the only copy. */
import { chmod, mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";

import { privateKeyName, publicKeyName, SigningKey } from "../checkpoint/signing-key.ts";
import { StoreError } from "../errors.ts";
import { keysName, writeWhole } from "../store-directory.ts";

/** The two files of a key pair. */
export interface KeyFiles {
  readonly privateKey: string;
  readonly publicKey: string;
}

/** The pair a backup holds; undefined when it was taken without the private key. */
export async function readKeyPair(backup: string): Promise<KeyFiles | undefined> {
  const { privateKey, publicKey } = await readKeyFiles(join(backup, keysName));
  if (privateKey === undefined || publicKey === undefined) return undefined;
  return { privateKey, publicKey };
}

/**
 * Copies a store's key pair into a backup, or its public key alone.
 *
 * @param store the store's directory; undefined for one in memory, which has no key files
 * @param isPrivateKeyWanted false removes a private key the backup has
 * @param log name of the log that the key signs for
 * @throws `key-invalid` when a wanted pair is not there as a whole or cannot sign for the log; the backup keeps what it has
 */
export async function copyKeyPair(
  store: string | undefined,
  backup: string,
  isPrivateKeyWanted: boolean,
  log: string,
): Promise<void> {
  const target = join(backup, keysName);
  const path = (name: string) => join(target, name);
  if (store === undefined) {
    await rm(path(privateKeyName), { force: true });
    return;
  }
  // Before anything is removed: the backup may hold what the store has lost.
  if (isPrivateKeyWanted) await SigningKey.open(join(store, keysName), log);
  const [from, to] = [await readKeyFiles(join(store, keysName)), await readKeyFiles(target)];
  const { publicKey, privateKey } = from;
  const isLost = publicKey === undefined || privateKey === undefined;
  if (isPrivateKeyWanted && isLost) throw lost(store);
  await mkdir(target, { recursive: true, mode: 0o700 });
  // What a run that was killed has left holds a private key as well.
  await rm(`${path(privateKeyName)}.new`, { force: true });
  // A private key never stands beside the public one of another pair, also when the process ends between the two.
  if (!isPrivateKeyWanted || publicKey !== to.publicKey) {
    await rm(path(privateKeyName), { force: true });
  }
  if (!isPrivateKeyWanted || isLost) {
    // Without the key nothing of it is needed: a store that has lost it can be backed up all the same.
    if (publicKey !== undefined) await writeWhole(path(publicKeyName), publicKey);
    return;
  }
  if (publicKey === to.publicKey && privateKey === to.privateKey) {
    await chmod(path(privateKeyName), 0o600);
    return;
  }
  await writeWhole(path(publicKeyName), publicKey);
  await writeWhole(path(privateKeyName), privateKey, 0o600);
}

async function readKeyFiles(directory: string): Promise<Partial<KeyFiles>> {
  const read = (name: string) =>
    readFile(join(directory, name), "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
  const [privateKey, publicKey] = [await read(privateKeyName), await read(publicKeyName)];
  return {
    ...(privateKey === undefined ? {} : { privateKey }),
    ...(publicKey === undefined ? {} : { publicKey }),
  };
}

function lost(store: string): StoreError {
  const directory = join(store, keysName);
  return new StoreError("key-invalid", `The store has lost its signing key: ${directory}.`, {
    hint: "Put back a copy of the directory, or back up without the key.",
    details: { path: directory },
  });
}
