/** The discovery file of a store: which process has it open, where that one answers for it, and to whom. */
import { chmod, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { StoreError } from "./errors.ts";
import { isPlainObject } from "./event/json.ts";
import { isRunning } from "./running.ts";

const ownerName = "owner.json";

/** The process that has a store open. */
export interface StoreOwner {
  readonly pid: number;
  /** Where it answers for the store over HTTP; undefined when it does not, or not yet: a server has a token from the beginning. */
  readonly url: string | undefined;
  /** The credential it takes from whoever can read the file, which is its owner alone. A secret: never to be printed. */
  readonly token: string | undefined;
}

/** The owner's hold on the file. It only serves those who find the store locked, so a failure to write it is no matter. */
export class OwnerFile {
  readonly #path: string;
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string) {
    this.#path = path;
  }

  /** Says that this process has the store open. The caller holds the lock. @param token of a server that is yet to listen */
  static async claim(directory: string, token?: string): Promise<OwnerFile> {
    const file = new OwnerFile(join(directory, ownerName));
    await file.announce(undefined, token);
    return file;
  }

  /** Says where this process answers, and the credential it takes from who reads that; undefined when it does not any more. */
  announce(url: string | undefined, token?: string): Promise<void> {
    const text = `${JSON.stringify({ pid: process.pid, url, token })}\n`;
    return this.#then(async () => {
      // Whole or not at all for whoever reads it meanwhile, and never readable for others: what an attempt left keeps its mode.
      const unfinished = `${this.#path}.new`;
      await writeFile(unfinished, "", { mode: 0o600 });
      await chmod(unfinished, 0o600);
      await writeFile(unfinished, text);
      await rename(unfinished, this.#path);
    });
  }

  /** Removes the file. To be called before the lock is let go: afterwards it may be another process's. */
  release(): Promise<void> {
    return this.#then(() => rm(this.#path, { force: true }));
  }

  #then(write: () => Promise<void>): Promise<void> {
    this.#writing = this.#writing.then(write).catch(() => undefined);
    return this.#writing;
  }
}

/** The error for a store that is in use, which says by whom as far as that is known. @param cause why it was not opened */
export async function storeInUse(directory: string, cause: unknown): Promise<StoreError> {
  const { pid = null, url = null, token } = (await readStoreOwner(directory)) ?? {};
  const owner = pid === null ? "another process" : `process ${pid}`;
  const starting = token === undefined ? "" : ", a server that does not answer yet";
  const where = url === null ? starting : `, which answers at ${url}`;
  const message = `The store in ${directory} is in use by ${owner}${where}.`;
  return new StoreError("store-locked", message, { cause, details: { directory, pid, url } });
}

/** The process that says it has the store open; undefined when none does that runs, or this one may not read the file. */
export async function readStoreOwner(directory: string): Promise<StoreOwner | undefined> {
  const text = await readFile(join(directory, ownerName), "utf8").catch(() => "");
  let owner: unknown;
  try {
    owner = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isPlainObject(owner)) return undefined;
  const { pid, url, token } = owner;
  if (typeof pid !== "number" || !Number.isInteger(pid) || pid < 1 || !isRunning(pid)) {
    return undefined;
  }
  return { pid, url: textOf(url), token: textOf(token) };
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
