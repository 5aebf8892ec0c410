/** The keys of a store as a running server knows them: it notices what becomes of the file by itself. */
import { timingSafeEqual } from "node:crypto";
import { stat } from "node:fs/promises";

import { StoreError, toStoreError, type Clock } from "@sennit/core";

import { unauthenticated } from "../access/unauthenticated.ts";
import { keysPath, readKeys, type StoredKey } from "./key-file.ts";
import { readKey } from "./key-text.ts";
import { keyStatus } from "./manage-keys.ts";

/** How often the file is looked at, in milliseconds: a revoked key works no longer than this, and the time to read the file. */
const lookEveryMs = 200;
/** Compared with where there is no key of an id, so that this takes as long as where there is one. */
const noHash = "0".repeat(64);

/** A key that counts. */
export interface HeldKey {
  readonly key: StoredKey;
  /** Fires when the key counts no more, with what `find` says from then on. */
  readonly ended: AbortSignal;
}

export interface KeyRingOptions {
  readonly clock: Clock;
  /** Told when the file cannot be used, and when it can again. */
  readonly onFailure?: (failure: StoreError | undefined) => void;
}

export class KeyRing {
  readonly #directory: string;
  readonly #options: KeyRingOptions;
  readonly #endings = new Map<string, AbortController>();
  #keys: ReadonlyMap<string, StoredKey> = new Map();
  /** Of the file last read. */
  #stamp = "";
  #hasHadKeys = false;
  #failure: StoreError | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;

  private constructor(directory: string, options: KeyRingOptions) {
    this.#directory = directory;
    this.#options = options;
  }

  /** The keys of a store's directory. A file that cannot be used lets nobody in, until it can. */
  static async open(directory: string, options: KeyRingOptions): Promise<KeyRing> {
    const ring = new KeyRing(directory, options);
    await ring.look();
    ring.#timer = setInterval(() => void ring.look(), lookEveryMs);
    ring.#timer.unref();
    return ring;
  }

  /** Whether there are keys, have been since this was opened, or may be in a file that cannot be read. */
  get isInUse(): boolean {
    return this.#hasHadKeys;
  }

  /**
   * The key that a credential is; undefined for what does not look like one.
   *
   * @throws `unauthenticated` for one that is mistyped, unknown, expired or revoked, `keys-unreadable`
   */
  find(text: string): HeldKey | undefined {
    const reading = readKey(text);
    if (reading.is === "no-key") return undefined;
    if (reading.is === "mistyped")
      throw unauthenticated("mistyped", "The key is not whole: it was mistyped or cut off.");
    if (this.#failure !== undefined) throw unreadable();
    const key = this.#keys.get(reading.id);
    const isRight = timingSafeEqual(
      Buffer.from(reading.hash, "hex"),
      Buffer.from(key?.hash ?? noHash, "hex"),
    );
    if (key === undefined || !isRight) throw unknown();
    // Said only to who has the secret.
    const refusal = this.#refusalOf(key);
    if (refusal !== undefined) throw refusal;
    let ending = this.#endings.get(key.id);
    if (ending === undefined) {
      ending = new AbortController();
      this.#endings.set(key.id, ending);
    }
    return { key, ended: ending.signal };
  }

  /** Looks at the file now. Never throws. */
  async look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      await this.#read();
      this.#endKeys();
    } finally {
      this.#isLooking = false;
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #read(): Promise<void> {
    try {
      const stamp = await stampOf(keysPath(this.#directory));
      // A file that could not be used is tried again each time.
      if (stamp === this.#stamp && this.#failure === undefined) return;
      const keys = (await readKeys(this.#directory)) ?? [];
      this.#keys = new Map(keys.map((key) => [key.id, key]));
      this.#stamp = stamp;
      if (keys.length > 0) this.#hasHadKeys = true;
      this.#setFailure(undefined);
    } catch (error) {
      this.#hasHadKeys = true;
      this.#setFailure(toStoreError(error));
    }
  }

  #setFailure(failure: StoreError | undefined): void {
    const isNews = failure?.message !== this.#failure?.message;
    this.#failure = failure;
    if (isNews) this.#options.onFailure?.(failure);
  }

  /** Tells those who still use a key that counts no more. */
  #endKeys(): void {
    for (const [id, ending] of this.#endings) {
      const refusal =
        this.#failure === undefined ? this.#refusalOf(this.#keys.get(id)) : unreadable();
      if (refusal === undefined) continue;
      this.#endings.delete(id);
      ending.abort(refusal);
    }
  }

  /** Why a key does not count; undefined when it does. */
  #refusalOf(key: StoredKey | undefined): StoreError | undefined {
    if (key === undefined) return unknown();
    const status = keyStatus(key, this.#options.clock.nowUs());
    if (status === "active") return undefined;
    return unauthenticated(status, `The key ${key.id} is ${status}.`);
  }
}

function unknown(): StoreError {
  return unauthenticated("unknown", "The key is not known here.");
}

/** What is wrong with the file is for the log. */
function unreadable(): StoreError {
  return new StoreError("keys-unreadable", "The server cannot read its keys at present.");
}

/** Changes with the file: every change of it makes a new one. */
async function stampOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "none";
    throw new StoreError("keys-unreadable", String(error), { cause: error });
  }
}
