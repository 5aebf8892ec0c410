/** The public keys of the issuer of tokens: from a file, or from a URL that is asked no more than needed. */
import { readFile, stat } from "node:fs/promises";

import { StoreError } from "@sennit/core";
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from "jose";

/** Of a set of keys. */
const bytesMax = 1024 * 1024;
const fetchTimeoutMs = 5000;
/** Times, in milliseconds, of keys that a URL gives. */
interface KeyTimes {
  /** How long keys count without being fetched again. */
  readonly maxAgeMs: number;
  /** After how long a token of a key that is not among them has them fetched. */
  readonly minAgeMs: number;
  /** How long keys count while no others can be had: an issuer that is down for the night stops no instrument. */
  readonly staleMs: number;
  /** How long nothing is fetched after a failure, so that tokens of strangers cannot have it tried over and over. */
  readonly failureMs: number;
}

const usualTimes: KeyTimes = {
  maxAgeMs: 10 * 60_000,
  minAgeMs: 30_000,
  staleMs: 24 * 3_600_000,
  failureMs: 5000,
};
/** How often the file is looked at. */
const lookEveryMs = 1000;

/** @param source the path of a file with a JSON Web Key Set, or a URL that gives one */
export function issuerKeys(source: string, times: Partial<KeyTimes> = {}): JWTVerifyGetKey {
  if (!/^https?:/.test(source)) return keysOfFile(source);
  const keys = new KeysOfUrl(new URL(source), { ...usualTimes, ...times });
  return (header, token) => keys.find(header, token);
}

/** @throws `keys-unreadable` (from the function it gives) while the file cannot be read, or is no key set */
function keysOfFile(path: string): JWTVerifyGetKey {
  let lookedAtMs = -Infinity;
  let stamp = "";
  let current: Promise<JWTVerifyGetKey> | undefined;
  return async (header, token) => {
    if (current === undefined || performance.now() - lookedAtMs > lookEveryMs) {
      lookedAtMs = performance.now();
      const { ino, size, mtimeMs } = await stat(path).catch(unreadable);
      const seen = `${ino} ${size} ${mtimeMs}`;
      if (current === undefined || seen !== stamp) {
        stamp = seen;
        current = readFile(path, "utf8").then((text) => createLocalJWKSet(parseKeySet(text)));
      }
    }
    const keys = await current.catch((error: unknown) => {
      current = undefined;
      return unreadable(error);
    });
    return keys(header, token);
  };
}

type VerifyKey = Awaited<ReturnType<JWTVerifyGetKey>>;

/** Keys that were fetched. */
interface Fetched {
  readonly find: JWTVerifyGetKey;
  readonly atMs: number;
}

class KeysOfUrl {
  readonly #url: URL;
  readonly #times: KeyTimes;
  #fetched: Fetched | undefined;
  #fetching: Promise<Fetched> | undefined;
  #failedAtMs = -Infinity;

  constructor(url: URL, times: KeyTimes) {
    this.#url = url;
    this.#times = times;
  }

  /** @throws `keys-unreadable` while there are no keys to look in; what `jose` throws for a key that is not among them */
  async find(...asked: Parameters<JWTVerifyGetKey>): Promise<VerifyKey> {
    const held = await this.#current();
    try {
      return await held.find(...asked);
    } catch (error) {
      const isMissing = error instanceof errors.JWKSNoMatchingKey;
      if (!isMissing || ageMs(held) < this.#times.minAgeMs) throw error;
    }
    const next = await this.#fetch();
    return next.find(...asked);
  }

  /** Keys that are fresh, or the last ones while there are no fresh ones to be had. */
  async #current(): Promise<Fetched> {
    const held = this.#fetched;
    if (held === undefined) return this.#fetch();
    if (ageMs(held) < this.#times.maxAgeMs) return held;
    const fetching = this.#fetch().catch((error: unknown) => {
      if (ageMs(held) < this.#times.staleMs) return held;
      throw error;
    });
    // An issuer that was silent since is tried again, but nobody waits for it once more.
    const isDown = this.#failedAtMs > held.atMs && ageMs(held) < this.#times.staleMs;
    if (!isDown) return fetching;
    fetching.catch(() => undefined);
    return held;
  }

  /** Those who ask at a time wait for one answer. @throws `keys-unreadable` */
  async #fetch(): Promise<Fetched> {
    if (performance.now() - this.#failedAtMs < this.#times.failureMs) {
      return unreadable("it has just failed");
    }
    this.#fetching ??= fetchKeys(this.#url)
      .then((keys) => (this.#fetched = { find: createLocalJWKSet(keys), atMs: performance.now() }))
      .catch((error: unknown) => {
        this.#failedAtMs = performance.now();
        return unreadable(error);
      })
      .finally(() => (this.#fetching = undefined));
    return this.#fetching;
  }
}

function ageMs({ atMs }: Fetched): number {
  return performance.now() - atMs;
}

async function fetchKeys(url: URL): Promise<JSONWebKeySet> {
  const response = await fetch(url, {
    headers: { accept: "application/jwk-set+json, application/json" },
    // The keys are those of the address in the settings, and of no other.
    redirect: "manual",
    signal: AbortSignal.timeout(fetchTimeoutMs),
  });
  if (response.status !== 200) throw new Error(`status ${response.status}`);
  return parseKeySet(await boundedText(response));
}

function parseKeySet(text: string): JSONWebKeySet {
  const set = JSON.parse(text) as JSONWebKeySet;
  // Checks its form; what is wrong with one key does not keep the others from being used.
  createLocalJWKSet(set);
  return set;
}

async function boundedText({ body }: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of body ?? []) {
    size += (part as Uint8Array).length;
    if (size > bytesMax) throw new Error(`more than ${bytesMax} bytes`);
    parts.push(part as Uint8Array);
  }
  return Buffer.concat(parts).toString("utf8");
}

function unreadable(cause: unknown): never {
  throw new StoreError("keys-unreadable", "The keys of the tokens' issuer cannot be had now.", {
    hint: "Try again; the setting tokenKeys says where the server looks for them.",
    cause,
  });
}
