/** Backs up a store that a server has open: copies its log into a store of its own, and backs that up. */
import { access, copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  importStore,
  openStore,
  StoreError,
  type BackupOptions,
  type BackupResult,
  type Store,
} from "@sennit/core";

const keysName = "keys";
const privateKeyName = "signing-key.pem";
const publicKeyName = "verifier-key.txt";

/**
 * The backup is the one that the machine of the store would make. The whole log is copied first, into the directory for
 * temporary files, and checked while it is. The private key never leaves its machine.
 *
 * @param home the store's directory, where that is on this machine
 * @throws the codes of `EmbeddedStore.backup`, of `Store.export` and of `importStore`
 */
export async function pullBackup(
  store: Store,
  home: string | undefined,
  directory: string,
  options: BackupOptions,
): Promise<BackupResult> {
  const signingKey = home !== undefined && options.signingKey !== false;
  if (!signingKey && options.signingKey !== false) await assertNoKey(directory);
  const place = await mkdtemp(join(tmpdir(), "sennit-backup-"));
  try {
    const copy = join(place, "copy");
    await importStore(store.export({ format: "msgpack", signal: options.signal }), copy, {
      signal: options.signal,
    });
    await takeKeys(store, home, copy, signingKey);
    const copied = await openStore(copy, { create: false });
    try {
      return await copied.backup(directory, { ...options, signingKey });
    } finally {
      await copied.close();
    }
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

/** Gives the copy the keys of the store: those of its own belong to nobody. */
async function takeKeys(
  store: Store,
  home: string | undefined,
  copy: string,
  isPrivate: boolean,
): Promise<void> {
  const to = join(copy, keysName);
  if (isPrivate && home !== undefined) {
    const from = join(home, keysName);
    await copyFile(join(from, privateKeyName), join(to, privateKeyName));
    await copyFile(join(from, publicKeyName), join(to, publicKeyName));
    return;
  }
  await rm(join(to, privateKeyName), { force: true });
  await writeFile(join(to, publicKeyName), `${await store.verifierKey()}\n`);
}

/** @throws `argument-invalid` for a backup that holds the private key, which would be gone from it afterwards */
async function assertNoKey(directory: string): Promise<void> {
  const path = join(directory, keysName, privateKeyName);
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  if (!isThere) return;
  throw new StoreError(
    "argument-invalid",
    "The backup holds the private key of the store, and a server does not give that away.",
    {
      hint: "Back up on the machine of the store, or let the key go from the backup: --without-key",
      details: { flag: "--without-key", path },
    },
  );
}
