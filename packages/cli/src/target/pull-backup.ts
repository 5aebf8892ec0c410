/** Backs up a store that a server has open: copies its log into a store of its own, and backs that up. */
import { access, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import {
  importStore,
  openStore,
  StoreError,
  type BackupOptions,
  type BackupResult,
  type Store,
} from "@sennit/core";

import { makeWorkplace } from "./workplace.ts";

const keysName = "keys";
const privateKeyName = "signing-key.pem";
const publicKeyName = "verifier-key.txt";

/**
 * The backup is the one that the machine of the store would make. The whole log is copied first, into the directory for
 * temporary files, and checked while it is. The private key goes from the store to the backup, and never leaves its machine.
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
  const place = await makeWorkplace();
  try {
    const copy = join(place, "copy");
    await importStore(store.export({ format: "msgpack", signal: options.signal }), copy, {
      signal: options.signal,
    });
    if (home === undefined) await takePublicKey(store, copy);
    const copied = await openStore(copy, { create: false });
    try {
      return await copied.backup(directory, { ...options, signingKey, keysOf: home });
    } finally {
      await copied.close();
    }
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

/** Gives the copy the public key of the store: the pair of its own belongs to nobody. */
async function takePublicKey(store: Store, copy: string): Promise<void> {
  const keys = join(copy, keysName);
  await rm(join(keys, privateKeyName), { force: true });
  await writeFile(join(keys, publicKeyName), `${await store.verifierKey()}\n`);
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
