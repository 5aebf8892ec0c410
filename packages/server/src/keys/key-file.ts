/** The keys of a store in its file `keys.json`: what it holds, how it is read, and how it is changed by one process at a time. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { isPlainObject, StoreError } from "@sennit/core";
import { takeLock, writeWhole } from "@sennit/core/storage";

import { isScope, type Scope } from "../scopes.ts";

const keysFileName = "keys.json";
/** Of the form of the file. */
const keysFileVersion = 1;
const format = "sennit-keys";

/** How long somebody else may hold the file, and how long until it is tried again, in milliseconds. */
const lockWaitMs = 10_000;
const lockRetryMs = 20;

/** What a key may write. Undefined members limit nothing. */
export interface WriteLimits {
  /** Kinds of records. */
  readonly kinds?: readonly string[] | undefined;
  /** Beginnings of record ids. */
  readonly recordIdPrefixes?: readonly string[] | undefined;
}

/** A key as the file has it: all but the secret. */
export interface StoredKey {
  readonly id: string;
  /** Stored as the actor of what the key writes. */
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly limits: WriteLimits;
  /** RFC 3339, UTC. */
  readonly createdAt: string;
  /** When it ends; null for never. */
  readonly expiresAt: string | null;
  /** When it was revoked; null unless it was. */
  readonly revokedAt: string | null;
  /** SHA-256 of the key: 64 hexadecimal digits. */
  readonly hash: string;
}

/** Path of the file in a store's directory. */
export function keysPath(directory: string): string {
  return join(directory, keysFileName);
}

/** The keys of a store; undefined when it has no such file. @throws `keys-unreadable` */
export async function readKeys(directory: string): Promise<readonly StoredKey[] | undefined> {
  const path = keysPath(directory);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw unreadable(path, `cannot be read: ${String(error)}`, error);
  }
  return parseKeys(path, text);
}

/**
 * Changes the keys of a store, of which nobody else changes any meanwhile. The file is there whole or not at all.
 *
 * @throws `keys-unreadable`, `keys-locked`, `disk-full`
 */
export async function changeKeys(
  directory: string,
  change: (keys: readonly StoredKey[]) => readonly StoredKey[],
): Promise<void> {
  const path = keysPath(directory);
  const unlock = await lock(path).catch((error: unknown) => {
    throw writeError(path, error);
  });
  try {
    const keys = change((await readKeys(directory)) ?? []);
    const text = JSON.stringify({ format, version: keysFileVersion, keys }, undefined, 2);
    await writeWhole(path, `${text}\n`, 0o600).catch((error: unknown) => {
      throw writeError(path, error);
    });
  } finally {
    await unlock();
  }
}

function writeError(path: string, error: unknown): unknown {
  if (error instanceof StoreError || !(error instanceof Error)) return error;
  const isFull = "code" in error && error.code === "ENOSPC";
  const message = `${path} cannot be written: ${error.message}`;
  const hint = isFull ? "Free some space and try again; the keys are as they were." : undefined;
  const code = isFull ? "disk-full" : "file-unreadable";
  return new StoreError(code, message, { cause: error, hint, details: { path } });
}

async function lock(path: string): Promise<() => Promise<void>> {
  const until = performance.now() + lockWaitMs;
  for (;;) {
    try {
      return await takeLock(`${path}.lock`, (holder) => {
        const who = holder?.pid === null || holder === undefined ? "" : ` by process ${holder.pid}`;
        return new StoreError("keys-locked", `${path} is being changed${who}.`, {
          details: { path: `${path}.lock`, pid: holder?.pid ?? null, host: holder?.host ?? null },
        });
      });
    } catch (error) {
      const isHeld = error instanceof StoreError && error.code === "keys-locked";
      if (!isHeld || performance.now() > until) throw error;
      await sleep(lockRetryMs);
    }
  }
}

function parseKeys(path: string, text: string): readonly StoredKey[] {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch (error) {
    throw unreadable(path, "is no JSON", error);
  }
  if (!isPlainObject(file) || file["format"] !== format) throw unreadable(path, "holds no keys");
  const { version, keys } = file;
  if (version !== keysFileVersion) {
    throw unreadable(path, `has version ${String(version)}; this Sennit reads ${keysFileVersion}`);
  }
  if (!Array.isArray(keys)) throw unreadable(path, "holds no list of keys");
  return keys.map((key: unknown, index) => {
    if (isStoredKey(key)) return key;
    throw unreadable(path, `holds something that is no key at /keys/${index}`);
  });
}

function isStoredKey(key: unknown): key is StoredKey {
  if (!isPlainObject(key)) return false;
  const { id, name, scopes, limits, createdAt, expiresAt, revokedAt, hash } = key;
  return (
    typeof id === "string" &&
    typeof name === "string" &&
    Array.isArray(scopes) &&
    scopes.every(isScope) &&
    isPlainObject(limits) &&
    isTexts(limits["kinds"]) &&
    isTexts(limits["recordIdPrefixes"]) &&
    // What is not known may be a limit: without this, a key would be allowed what it was not given.
    Object.keys(limits).every((limit) => limit === "kinds" || limit === "recordIdPrefixes") &&
    isTime(createdAt) &&
    (expiresAt === null || isTime(expiresAt)) &&
    (revokedAt === null || isTime(revokedAt)) &&
    typeof hash === "string" &&
    /^[0-9a-f]{64}$/.test(hash)
  );
}

function isTexts(value: unknown): boolean {
  return (
    value === undefined || (Array.isArray(value) && value.every((item) => typeof item === "string"))
  );
}

function isTime(value: unknown): value is string {
  return typeof value === "string" && !Number.isNaN(Date.parse(value));
}

function unreadable(path: string, what: string, cause?: unknown): StoreError {
  return new StoreError("keys-unreadable", `${path} ${what}.`, { cause, details: { path } });
}
