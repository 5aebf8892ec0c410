/** The public keys of the issuer of tokens: from a file, or from a URL that is asked no more than needed. */
import { readFile, stat } from "node:fs/promises";

import { StoreError } from "@sennit/core";
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
} from "jose";

/** Of a set of keys. */
const bytesMax = 1024 * 1024;
const fetchTimeoutMs = 5000;
/** How long keys count without being fetched again, and after how long a key that is not among them has them fetched. */
const keysMaxAgeMs = 10 * 60_000;
const keysMinAgeMs = 30_000;
/** How long nothing is fetched after a failure, so that tokens of strangers cannot have it tried over and over. */
const failureMs = 5000;
/** How often the file is looked at. */
const lookEveryMs = 1000;

/** @param source the path of a file with a JSON Web Key Set, or a URL that gives one */
export function issuerKeys(source: string): JWTVerifyGetKey {
  return /^https?:/.test(source) ? keysOfUrl(new URL(source)) : keysOfFile(source);
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

/** @throws `keys-unreadable` (from the function it gives) while the URL gives no key set */
function keysOfUrl(url: URL): JWTVerifyGetKey {
  let failedAtMs = -Infinity;
  const remote = createRemoteJWKSet(url, {
    timeoutDuration: fetchTimeoutMs,
    cooldownDuration: keysMinAgeMs,
    cacheMaxAge: keysMaxAgeMs,
    [customFetch]: async (address, options) => {
      if (performance.now() - failedAtMs < failureMs) return unreadable("it has just failed");
      try {
        const response = await fetch(address, options);
        if (response.status !== 200) throw new Error(`status ${response.status}`);
        const keys = parseKeySet(await boundedText(response));
        return Response.json(keys);
      } catch (error) {
        failedAtMs = performance.now();
        return unreadable(error);
      }
    },
  });
  return remote;
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
