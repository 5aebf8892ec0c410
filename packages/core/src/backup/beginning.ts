/** Where a backup begins, and whether what stands in its directory is of the log at hand. */
import { realpath } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";

import { StoreError } from "../errors.ts";
import type { Position } from "../ids.ts";
import type { EmbeddedLog } from "../log/embedded-log.ts";
import { keysName, listDirectory } from "../store-directory.ts";
import { lockName } from "./lock.ts";
import {
  backupManifestName,
  segmentsName,
  type BackedUpHead,
  type BackupManifest,
} from "./manifest.ts";

/** What a backup that was cut short may have left, and nothing else, may stand in a directory without a manifest. */
export async function assertNew(directory: string): Promise<void> {
  const ours = [segmentsName, keysName, `${backupManifestName}.new`];
  const other = ((await listDirectory(directory)) ?? []).find(
    (name) =>
      !ours.includes(name) &&
      !name.startsWith(lockName) &&
      !/^(idempotency-keys|replaced)[-.]/.test(name),
  );
  if (other === undefined) return;
  throw new StoreError("directory-not-empty", `${directory} holds ${other} and no backup.`, {
    details: { directory, found: other },
  });
}

/** A backup inside the store it is of would go with it, and is in its way. @throws `argument-invalid` */
export async function assertOutside(store: string | undefined, directory: string): Promise<void> {
  if (store === undefined) return;
  const way = relative(await whereIs(store), await whereIs(directory));
  if (way === ".." || way.startsWith(`..${sep}`) || way === resolve(way)) return;
  throw new StoreError(
    "argument-invalid",
    `${directory} is inside the directory of the store, and a backup must be elsewhere.`,
    { hint: "Name a directory elsewhere, best on another disk.", details: { directory, store } },
  );
}

/** The path without links, as far as it is there. */
async function whereIs(path: string): Promise<string> {
  const real = await realpath(path).catch(() => undefined);
  if (real !== undefined || dirname(path) === path) return real ?? path;
  return join(await whereIs(dirname(path)), basename(path));
}

/** Where the backup begins. One that is there must be of this log, and hold the beginning of it. */
export function beginningOf(
  { storeId, log }: { readonly storeId: string; readonly log: EmbeddedLog },
  before: BackupManifest | undefined,
  { since }: { readonly since?: Position | undefined },
): BackedUpHead {
  if (since !== undefined && !(Number.isInteger(since) && since >= 0)) {
    throw new StoreError("argument-invalid", `${since} is no position.`);
  }
  if (since !== undefined && since > log.head) {
    throw new StoreError(
      "as-of-ahead-of-head",
      `The backup cannot begin after position ${since}: the head is ${log.head}.`,
      { details: { since, head: log.head } },
    );
  }
  if (before === undefined) {
    const head = since ?? 0;
    return { head, root: rootAt(log, head) };
  }
  if (before.store.storeId !== storeId) {
    throw new StoreError(
      "backup-of-another-store",
      `The backup is of the store ${before.store.storeId}, and this is ${storeId}.`,
      { details: { backup: before.store.storeId, store: storeId } },
    );
  }
  const { head, root, base } = before;
  if (head > log.head || rootAt(log, head) !== root || rootAt(log, base.head) !== base.root) {
    throw new StoreError(
      "backup-diverged",
      head > log.head
        ? `The backup holds ${head} events, and the store ${log.head}.`
        : `The first ${head} events of the store are not those of the backup.`,
      { details: { backup: head, store: log.head } },
    );
  }
  if (since !== undefined && since !== base.head) {
    throw new StoreError(
      "argument-invalid",
      `The backup begins after position ${base.head}, not after ${since}.`,
      { hint: "Name another directory, or leave --since out to go on where the backup ends." },
    );
  }
  return base;
}

function rootAt(log: EmbeddedLog, size: Position): string {
  return log.proofs.rootFromTiles(size).toString("hex");
}
