/** The discovery file of a store: which process has it open, and where that one answers for it. */
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { StoreError } from "./errors.ts";
import { isPlainObject } from "./event/json.ts";
import { isRunning } from "./running.ts";

const ownerName = "owner.json";

/** The process that has a store open. */
interface StoreOwner {
  readonly pid: number;
  /** Where it answers for the store over HTTP; undefined when it does not. */
  readonly url: string | undefined;
}

/** The owner's hold on the file. It only serves those who find the store locked, so a failure to write it is no matter. */
export class OwnerFile {
  readonly #path: string;
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string) {
    this.#path = path;
  }

  /** Says that this process has the store open. The caller holds the lock. */
  static async claim(directory: string): Promise<OwnerFile> {
    const file = new OwnerFile(join(directory, ownerName));
    await file.announce(undefined);
    return file;
  }

  /** Says where this process answers; undefined when it does not any more. */
  announce(url: string | undefined): Promise<void> {
    const text = `${JSON.stringify({ pid: process.pid, url })}\n`;
    return this.#then(async () => {
      // Whole or not at all for whoever reads it meanwhile.
      await writeFile(`${this.#path}.new`, text, { mode: 0o600 });
      await rename(`${this.#path}.new`, this.#path);
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
  const { pid = null, url = null } = (await readOwner(directory)) ?? {};
  const owner = pid === null ? "another process" : `process ${pid}`;
  const where = url === null ? "" : `, which answers at ${url}`;
  const message = `The store in ${directory} is in use by ${owner}${where}.`;
  return new StoreError("store-locked", message, { cause, details: { directory, pid, url } });
}

/** The process that says it has the store open; undefined when none does, or it has ended without taking that back. */
async function readOwner(directory: string): Promise<StoreOwner | undefined> {
  const text = await readFile(join(directory, ownerName), "utf8").catch(() => "");
  let owner: unknown;
  try {
    owner = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isPlainObject(owner)) return undefined;
  const { pid, url } = owner;
  if (typeof pid !== "number" || !Number.isInteger(pid) || pid < 1 || !isRunning(pid)) {
    return undefined;
  }
  return { pid, url: typeof url === "string" ? url : undefined };
}
