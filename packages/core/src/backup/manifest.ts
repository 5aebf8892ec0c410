/** What a backup says of itself in `backup.json`, which is written last: files it does not name are no part of it. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { isKeyName } from "../checkpoint/signed-note.ts";
import { StoreError } from "../errors.ts";
import { isPlainObject } from "../event/json.ts";
import type { Position } from "../ids.ts";
import { parseJson, storeFormat, writeWhole } from "../store-directory.ts";

const backupFormat = "sennit-backup";
/** The version of the format that is written, and the newest that is read. */
const backupVersion = 1;
export const backupManifestName = "backup.json";
/** The directory of the segment files. */
export const segmentsName = "segments";

/** A file of a backup, as it must be. */
export interface BackupFile {
  /** Its path within the backup. */
  readonly file: string;
  readonly bytes: number;
  /** SHA-256 of its bytes, 64 hexadecimal digits. */
  readonly sha256: string;
}

/** The entries of consecutive positions. */
export interface BackupSegment extends BackupFile {
  readonly from: Position;
  readonly to: Position;
}

/** A log at one size. */
export interface BackedUpHead {
  readonly head: Position;
  /** The Merkle root, 64 hexadecimal digits. */
  readonly root: string;
}

export interface BackupManifest extends BackedUpHead {
  readonly format: typeof backupFormat;
  readonly version: number;
  /** The manifest of the store. */
  readonly store: { readonly format: string; readonly version: number; readonly storeId: string };
  /** What came before: nothing, or what another backup holds. */
  readonly base: BackedUpHead;
  /** In order and without a gap from the position after `base` to `head`. */
  readonly segments: readonly BackupSegment[];
  readonly idempotencyKeys: BackupFile & { readonly count: number };
  /** Entries up to `base` whose content has been erased since: they replace those of the other backup. */
  readonly replaced: (BackupFile & { readonly positions: readonly Position[] }) | null;
}

/** Makes a manifest. */
export function backupManifest(
  storeId: string,
  parts: Omit<BackupManifest, "format" | "version" | "store">,
): BackupManifest {
  const store = { format: "sennit-store", version: storeFormat, storeId };
  return { format: backupFormat, version: backupVersion, store, ...parts };
}

export async function writeBackupManifest(
  directory: string,
  manifest: BackupManifest,
): Promise<void> {
  await writeWhole(
    join(directory, backupManifestName),
    `${JSON.stringify(manifest, undefined, 2)}\n`,
  );
}

/**
 * Reads the manifest of a backup; undefined when the directory has none.
 *
 * @throws `backup-damaged`, `backup-invalid`, `format-too-new`
 */
export async function readBackupManifest(directory: string): Promise<BackupManifest | undefined> {
  const path = join(directory, backupManifestName);
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const value = parseJson(text);
  if (!isPlainObject(value)) throw damaged(backupManifestName, "is no JSON object");
  if (value["format"] !== backupFormat) {
    throw new StoreError("backup-invalid", `${path} does not describe a backup.`);
  }
  const { version } = value;
  if (typeof version === "number" && version > backupVersion) {
    throw new StoreError(
      "format-too-new",
      `The backup has format ${version}; this Sennit reads up to ${backupVersion}.`,
      { hint: "Use the newer Sennit that wrote it.", details: { format: version } },
    );
  }
  if (isManifest(value)) return value;
  throw damaged(backupManifestName, "does not say what a backup says");
}

/** A file of a backup that is not what it was when it was written. */
export function damaged(file: string, problem: string, cause?: unknown): StoreError {
  return new StoreError("backup-damaged", `${file} of the backup ${problem}.`, {
    details: { file },
    cause,
  });
}

/** Names that lead nowhere else. */
const fileName = /^(segments\/)?[\w-]+\.msgpack$/;
const hash = /^[0-9a-f]{64}$/;

type Unknown<T> = { readonly [K in keyof T]?: unknown };

function isManifest(value: Unknown<BackupManifest>): value is BackupManifest {
  const { version, store, base, segments, idempotencyKeys, replaced } = value;
  if (version !== backupVersion || !isStore(store) || !isHead(base) || !isHead(value)) return false;
  if (!Array.isArray(segments) || !isFile(idempotencyKeys)) return false;
  if (!isNumber((idempotencyKeys as { readonly count?: unknown }).count)) return false;
  if (replaced !== null && !isReplaced(replaced)) return false;
  let head = base.head;
  for (const segment of segments as unknown[]) {
    if (!isSegment(segment) || segment.from !== head + 1 || segment.to < segment.from) return false;
    head = segment.to;
  }
  return head === value.head;
}

function isStore(value: unknown): boolean {
  if (!isPlainObject(value)) return false;
  const { storeId } = value;
  return typeof storeId === "string" && isKeyName(storeId);
}

function isHead(value: unknown): value is BackedUpHead {
  const { head, root } = (value ?? {}) as Unknown<BackedUpHead>;
  return isNumber(head) && typeof root === "string" && hash.test(root);
}

function isFile(value: unknown): value is BackupFile {
  const { file, bytes, sha256 } = (value ?? {}) as Unknown<BackupFile>;
  const isNamed = typeof file === "string" && fileName.test(file);
  return isNamed && isNumber(bytes) && typeof sha256 === "string" && hash.test(sha256);
}

function isSegment(value: unknown): value is BackupSegment {
  const { from, to } = (value ?? {}) as Unknown<BackupSegment>;
  return isFile(value) && isNumber(from) && isNumber(to);
}

function isReplaced(value: unknown): boolean {
  const { positions } = (value ?? {}) as { readonly positions?: unknown };
  return isFile(value) && Array.isArray(positions) && positions.every(isNumber);
}

function isNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
