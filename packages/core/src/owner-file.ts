/** The discovery file of a store: which process has it open, and where that one answers for it. */
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { isPlainObject } from "./event/json.ts";
import { isRunning } from "./running.ts";

const ownerName = "owner.json";

/** The process that has a store open. */
export interface StoreOwner {
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

/** The process that says it has the store open; undefined when none does, or it has ended without taking that back. */
export async function readOwner(directory: string): Promise<StoreOwner | undefined> {
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
