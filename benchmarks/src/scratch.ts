/** Directories for the databases of a run, gone when it ends. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Hands out directories that do not exist yet, inside one that is removed with everything in it by `remove`. */
export class Scratch {
  readonly root: string;
  #count = 0;

  private constructor(root: string) {
    this.root = root;
  }

  /** Makes the directory where the system keeps temporary files (`TMPDIR` names another; on a disk, or no write is durable). */
  static async make(): Promise<Scratch> {
    return new Scratch(await mkdtemp(join(tmpdir(), "sennit-bench-")));
  }

  /** A path that nothing stands at. */
  directory(): string {
    this.#count += 1;
    return join(this.root, String(this.#count));
  }

  /** Does something with a new directory and removes it. */
  async within<T>(work: (directory: string) => Promise<T>): Promise<T> {
    const directory = this.directory();
    try {
      return await work(directory);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  async remove(): Promise<void> {
    await rm(this.root, { recursive: true, force: true });
  }
}
