/** Makes, lists and revokes the keys of a store in a directory, whoever has the store open. */
import { stat } from "node:fs/promises";
import { join } from "node:path";

import { formatTimestamp, parseTimestamp, StoreError, type Clock } from "@sennit/core";

import { scopes as allScopes, type Scope } from "../scopes.ts";
import { changeKeys, readKeys, type StoredKey, type WriteLimits } from "./key-file.ts";
import { makeKey } from "./key-text.ts";

const nameLengthMax = 256;
/** Keys that a file holds at most, revoked ones included: it is read as a whole. */
const keysMax = 10_000;

/** Whether a key counts at present. */
export type KeyStatus = "active" | "expired" | "revoked";

/** A key as it may be shown: neither the secret nor its hash. */
export interface KeyView extends Omit<StoredKey, "hash"> {
  readonly status: KeyStatus;
}

export interface CreateKeyOptions {
  /** Who uses it: stored as the actor of what it writes. 1-256 characters without controls. */
  readonly name: string;
  /** At least one. */
  readonly scopes: readonly Scope[];
  readonly limits?: WriteLimits | undefined;
  /** RFC 3339 with a zone, ahead. Default: it does not expire. */
  readonly expiresAt?: string | undefined;
  readonly clock: Clock;
}

/**
 * Makes a key. Its text is told here and never again: the file holds a hash.
 *
 * @throws `argument-invalid`, `store-not-found`, `keys-unreadable`, `keys-locked`
 */
export async function createKey(
  directory: string,
  options: CreateKeyOptions,
): Promise<{ readonly key: string; readonly about: KeyView }> {
  await assertStore(directory);
  const { name, limits = {}, clock } = options;
  assertName(name);
  const scopes = allScopes.filter((scope) => options.scopes.includes(scope));
  assertScopes(scopes, limits);
  const nowUs = clock.nowUs();
  const { id, key, hash } = makeKey();
  const stored: StoredKey = {
    id,
    name,
    scopes,
    limits: checkedLimits(limits),
    createdAt: formatTimestamp(nowUs),
    expiresAt: expiryOf(options.expiresAt, nowUs),
    revokedAt: null,
    hash,
  };
  await changeKeys(directory, (keys) => {
    if (keys.length < keysMax) return [...keys, stored];
    throw new StoreError(
      "argument-invalid",
      `There are ${keys.length} keys, and no room for more.`,
    );
  });
  return { key, about: viewOf(stored, nowUs) };
}

/** The keys of a store in the order of their making. @throws `store-not-found`, `keys-unreadable` */
export async function listKeys(directory: string, clock: Clock): Promise<readonly KeyView[]> {
  await assertStore(directory);
  const nowUs = clock.nowUs();
  return ((await readKeys(directory)) ?? []).map((key) => viewOf(key, nowUs));
}

/**
 * Revokes a key for good. One that is revoked stays as it is.
 *
 * @throws `key-not-found`, `store-not-found`, `keys-unreadable`, `keys-locked`
 */
export async function revokeKey(directory: string, id: string, clock: Clock): Promise<KeyView> {
  await assertStore(directory);
  const nowUs = clock.nowUs();
  const revokedAt = formatTimestamp(nowUs);
  let revoked: StoredKey | undefined;
  await changeKeys(directory, (keys) => {
    const found = keys.find((key) => key.id === id);
    if (found === undefined) {
      throw new StoreError("key-not-found", `There is no key ${JSON.stringify(id)}.`, {
        details: { id },
      });
    }
    const key = { ...found, revokedAt: found.revokedAt ?? revokedAt };
    revoked = key;
    return keys.map((other) => (other === found ? key : other));
  });
  return viewOf(revoked as unknown as StoredKey, nowUs);
}

function viewOf({ hash: _hash, ...key }: StoredKey, nowUs: number): KeyView {
  return { ...key, status: keyStatus(key, nowUs) };
}

/** Whether a key counts at a time, in microseconds since 1970. */
export function keyStatus(
  { revokedAt, expiresAt }: Pick<StoredKey, "revokedAt" | "expiresAt">,
  nowUs: number,
): KeyStatus {
  if (revokedAt !== null) return "revoked";
  return expiresAt !== null && Date.parse(expiresAt) * 1000 <= nowUs ? "expired" : "active";
}

async function assertStore(directory: string): Promise<void> {
  const isStore = await stat(join(directory, "sennit.json")).then(
    () => true,
    () => false,
  );
  if (isStore) return;
  throw new StoreError("store-not-found", `There is no store in ${directory}.`, {
    details: { directory },
  });
}

function assertName(name: string): void {
  // eslint-disable-next-line no-control-regex -- control characters are what this pattern is about
  const isName = /^[^\u0000-\u001f\u007f-\u009f]+$/u.test(name) && name.isWellFormed();
  if (isName && name.length <= nameLengthMax && name.trim() !== "") return;
  throw new StoreError(
    "argument-invalid",
    `A key's name has 1 to ${nameLengthMax} characters without controls.`,
    { details: { name } },
  );
}

function assertScopes(scopes: readonly Scope[], { kinds, recordIdPrefixes }: WriteLimits): void {
  if (scopes.length === 0) {
    throw new StoreError("argument-invalid", "A key needs a scope.", {
      hint: `The scopes are ${allScopes.join(", ")}.`,
    });
  }
  const isLimited = kinds !== undefined || recordIdPrefixes !== undefined;
  if (isLimited && scopes.includes("admin")) {
    throw new StoreError("argument-invalid", "A key with the scope admin cannot be limited.", {
      hint: "What admin allows concerns the whole store: make a key of its own for that.",
    });
  }
}

function checkedLimits({ kinds, recordIdPrefixes }: WriteLimits): WriteLimits {
  for (const [member, values] of Object.entries({ kinds, recordIdPrefixes })) {
    if (values === undefined || (values.length > 0 && values.every((value) => value !== "")))
      continue;
    throw new StoreError("argument-invalid", `The limit ${member} of a key is empty.`, {
      details: { member },
    });
  }
  return {
    ...(kinds !== undefined && { kinds }),
    ...(recordIdPrefixes !== undefined && { recordIdPrefixes }),
  };
}

function expiryOf(text: string | undefined, nowUs: number): string | null {
  if (text === undefined) return null;
  const us = parseTimestamp(text);
  if (us !== undefined && us > nowUs) return formatTimestamp(us);
  throw new StoreError(
    "argument-invalid",
    `${JSON.stringify(text)} is no time ahead: write RFC 3339 with a zone.`,
    { details: { value: text } },
  );
}
