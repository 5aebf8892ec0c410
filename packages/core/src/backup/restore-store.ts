/** Makes a store from a backup, or from several that follow one another. */
import { resolve } from "node:path";

import { throwIfAborted } from "../abort.ts";
import { must } from "../assert.ts";
import type { Entry } from "../codec/entry.ts";
import { isStoreError, StoreError } from "../errors.ts";
import type { Position } from "../ids.ts";
import { LogCopy, type CopiedLog } from "../log/log-copy.ts";
import { emptyRoot } from "../merkle/hashing.ts";
import { makeStore } from "../transfer/new-store.ts";
import { readBackupFile } from "./files.ts";
import { readKeyPair } from "./key-pair.ts";
import { damaged, readBackupManifest, type BackupManifest } from "./manifest.ts";
import { readSegment } from "./segments.ts";

/** Entries handed to the copy at once. */
const batchEntries = 500;

export interface RestoreStoreOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called now and then with the position reached. */
  readonly onProgress?: ((position: Position) => void) | undefined;
}

/** What was restored. Its root is the one that the backup names. */
export interface RestoredStore {
  readonly storeId: string;
  readonly head: Position;
  /** The Merkle root, 64 hexadecimal digits. */
  readonly root: string;
  readonly idempotencyKeys: number;
  /** True when the store signs with its old key, false when it got a new one. */
  readonly signingKey: boolean;
  readonly verifierKey: string;
}

interface Backup {
  readonly directory: string;
  readonly manifest: BackupManifest;
}

/**
 * Makes the store of a backup in a new or empty directory. After an error there is no store.
 *
 * @param backups the directory of a backup; or several, each beginning where the one before it ends, or earlier
 * @throws `directory-not-empty`; `backup-invalid`, `backup-damaged`, `backup-incomplete`, `backup-of-another-store`,
 * `backup-diverged`, `format-too-new`; codes of writing
 */
export async function restoreStore(
  backups: string | readonly string[],
  target: string,
  options: RestoreStoreOptions = {},
): Promise<RestoredStore> {
  const chain: Backup[] = [];
  for (const location of [backups].flat()) chain.push(await readBackup(location));
  checkChain(chain);
  const { directory, manifest } = must(chain.at(-1), "a restore begins with a backup");
  const { storeId } = manifest.store;
  const keys = await readKeyPair(directory);
  const made = await makeStore(target, { storeId, keys }, async (storage) => {
    const copy = LogCopy.open(storage);
    const replaced = await readReplaced(chain);
    for (const backup of chain) await addEntries(copy, backup, replaced, options);
    await addKeys(copy, must(chain.at(-1), "checked above"));
    return finish(copy, manifest);
  });
  const root = made.root.toString("hex");
  const { head, verifierKey } = made;
  const { count } = manifest.idempotencyKeys;
  const signingKey = keys !== undefined;
  return { storeId, head, root, idempotencyKeys: count, signingKey, verifierKey };
}

async function readBackup(location: string): Promise<Backup> {
  const directory = resolve(location);
  const manifest = await readBackupManifest(directory);
  if (manifest !== undefined) return { directory, manifest };
  throw new StoreError("backup-invalid", `${directory} holds no backup, or one that never ended.`, {
    details: { directory },
  });
}

/** The backups must be of one store and leave nothing out. */
function checkChain(chain: readonly Backup[]): void {
  let last: BackupManifest | undefined;
  for (const { directory, manifest } of chain) {
    const { base, store } = manifest;
    if (last !== undefined && store.storeId !== last.store.storeId) {
      throw new StoreError(
        "backup-of-another-store",
        `${directory} is a backup of the store ${store.storeId}, and not of ${last.store.storeId}.`,
        { details: { directory } },
      );
    }
    const reached = last?.head ?? 0;
    if (base.head > reached) {
      throw new StoreError(
        "backup-incomplete",
        `${directory} begins after position ${base.head}, and what comes before ends at ${reached}.`,
        { details: { directory, from: base.head + 1, reached } },
      );
    }
    if (base.head === 0 && base.root !== emptyRoot.toString("hex")) {
      throw damaged("backup.json", "begins with another root than that of an empty log");
    }
    const isOther = last !== undefined && base.head === last.head && base.root !== last.root;
    if (isOther || manifest.head < reached) throw diverged(directory);
    last = manifest;
  }
  if (last === undefined) throw new StoreError("argument-invalid", "Name a backup to restore.");
}

function diverged(directory: string): StoreError {
  return new StoreError(
    "backup-diverged",
    `${directory} does not go on from the backup before it.`,
    {
      hint: "Name the backups oldest first; one of them may be of a copy of the store that went another way.",
      details: { directory },
    },
  );
}

/** Entries whose content was erased after the backup that holds them. The newest word counts. */
async function readReplaced(chain: readonly Backup[]): Promise<ReadonlyMap<Position, Entry>> {
  const entries = new Map<Position, Entry>();
  for (const { directory, manifest } of chain) {
    if (manifest.replaced === null) continue;
    const { storeId } = manifest.store;
    for await (const item of readBackupFile(directory, manifest.replaced, storeId)) {
      if (item.type === "entry") entries.set(item.entry.header.position, item.entry);
    }
  }
  return entries;
}

async function addEntries(
  copy: LogCopy,
  { directory, manifest }: Backup,
  replaced: ReadonlyMap<Position, Entry>,
  { signal, onProgress }: RestoreStoreOptions,
): Promise<void> {
  const reached = copy.head;
  for (const segment of manifest.segments) {
    let batch: Entry[] = [];
    const flush = async () => {
      throwIfAborted(signal);
      await guarded(segment.file, () => copy.add(batch));
      batch = [];
      onProgress?.(copy.head);
    };
    // Also what is there already is read: a damaged file is no backup.
    for await (const entry of readSegment(directory, segment, manifest.store.storeId)) {
      const { position } = entry.header;
      if (position <= reached) continue;
      batch.push(replaced.get(position) ?? entry);
      if (batch.length >= batchEntries) await flush();
    }
    await flush();
  }
}

async function addKeys(copy: LogCopy, { directory, manifest }: Backup): Promise<void> {
  const { idempotencyKeys, store } = manifest;
  let count = 0;
  for await (const item of readBackupFile(directory, idempotencyKeys, store.storeId)) {
    if (item.type !== "key") throw damaged(idempotencyKeys.file, "holds what does not belong");
    await guarded(idempotencyKeys.file, () => copy.addKeys([[item.key, item.batch]]));
    count += 1;
  }
  if (count !== idempotencyKeys.count) throw damaged(idempotencyKeys.file, "lacks keys");
}

async function finish(copy: LogCopy, { head, root }: BackupManifest): Promise<CopiedLog> {
  const copied = await guarded("The end", () => copy.finish());
  if (copied.head === head && copied.root.toString("hex") === root) return copied;
  throw damaged("backup.json", "names another root than the events have");
}

/** What does not hold together is no backup of a log. */
async function guarded<T>(file: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (!isStoreError(error) || error.category !== "corrupt") throw error;
    throw damaged(file, `does not hold together: ${error.message.replace(/\.$/, "")}`, error);
  }
}
