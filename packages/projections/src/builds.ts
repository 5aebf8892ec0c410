/**
 * Where the builds of projections stand: each in a database of its own, and one small file that says which of them count.
 *
 * ```text
 * views/builds.json      for each projection: the build that answers, and the one being made
 * views/records@1-3/     the third build, made by version 1 of `records`
 * ```
 *
 * The file is replaced whole by a synced rename, so going over from one build to another happens or does not. What it does
 * not name is removed.
 */
import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";

import { isPlainObject, isStoreError, StoreError, type Position } from "@sennit/core";
import {
  crc32c,
  openLevelStorage,
  openMemoryStorage,
  writeWhole,
  type Storage,
} from "@sennit/core/storage";

/** One build of a projection. */
export interface BuildRef {
  /** The name of its directory. */
  readonly directory: string;
  readonly version: number;
  /** Head of the log when its fold began. */
  readonly begunAt: Position;
}

/** The builds of one projection that count. */
export interface Builds {
  /** The one that answers. */
  readonly serving?: BuildRef | undefined;
  /** The one that is being made. It takes the other's place once it has caught up. */
  readonly next?: BuildRef | undefined;
}

/** Where builds stand. */
export interface BuildPlace {
  /** The builds of each projection as of the last `set`. */
  readonly builds: ReadonlyMap<string, Builds>;
  /** Replaces the builds of a projection, durably and at once. @throws `disk-full`, `write-failed` */
  set(projection: string, builds: Builds): Promise<void>;
  /** The name of a build that there has not been. */
  newDirectory(projection: string, version: number): string;
  /** Where a build stands, for a thread of its own; undefined in memory. */
  path(directory: string): string | undefined;
  /** Opens the storage of a build. @throws the codes of `openLevelStorage` */
  open(directory: string, options: { readonly create: boolean }): Promise<Storage>;
  /** True when the files of a build are not there any more. */
  isGone(directory: string): Promise<boolean>;
  /** Removes every build that is not to be kept, asked once it is known which there are. @throws `disk-full`, `write-failed` */
  sweep(kept: () => ReadonlySet<string>): Promise<void>;
  close(): void;
}

/** Names of builds. */
const buildPattern = /^[a-z][a-z0-9-]{0,63}@\d+-\d+$/;
/** Names of the files of views of the first layout, which was one database. */
const formerPattern = /^(?:\d{6,}\.(?:ldb|sst|log)|MANIFEST-\d{6,}|CURRENT|LOCK|LOG|LOG\.old)$/;
const buildsName = "builds.json";
const writeBufferBytes = 16 * 1024 * 1024;
/** Less than for a log: there is one for each projection, and its rows lie close together. */
const cacheBytes = 16 * 1024 * 1024;

/** Directories of views that are open in this process. A store may be open in one process at a time. */
const inUse = new Set<string>();

/**
 * While a thread makes a build, nothing else is written and hardly anything is read: what is collected in memory for longer is
 * merged less often on the disk, where that takes as much of a processor as half of the fold.
 */
const making = { writeBufferBytes: 64 * 1024 * 1024, tableBytesMax: 16 * 1024 * 1024 };

/** Opens the database of a build for the thread that makes it. @throws the codes of `openLevelStorage` */
export function openBuildToMake(path: string): Promise<Storage> {
  return openLevelStorage(path, { create: true, ...making, cacheBytes });
}

/** Opens the database of a build. @throws the codes of `openLevelStorage` */
function openBuildStorage(path: string, create: boolean): Promise<Storage> {
  return openLevelStorage(path, { create, writeBufferBytes, cacheBytes });
}

/** Builds in memory: gone when they are swept. */
export function openMemoryBuilds(): BuildPlace {
  return new MemoryBuilds();
}

/**
 * Builds in a directory, which is made when it is not there. What says which builds count is believed when it is whole, and
 * otherwise none do.
 *
 * @throws `store-locked` when it is open already, `file-unreadable`
 */
export async function openBuildDirectory(directory: string): Promise<BuildPlace> {
  if (inUse.has(directory)) {
    throw new StoreError("store-locked", `The views in ${directory} are open already.`, {
      details: { directory },
    });
  }
  inUse.add(directory);
  try {
    const names = await readdir(directory).catch((error: unknown) => renew(directory, error));
    const numbers = names.map((name) => Number(/-(\d+)$/.exec(name)?.[1] ?? 0));
    const builds = await readBuilds(join(directory, buildsName));
    return new BuildDirectory(directory, builds, Math.max(0, ...numbers));
  } catch (error) {
    inUse.delete(directory);
    throw error;
  }
}

async function renew(directory: string, reason: unknown): Promise<string[]> {
  try {
    if (errorCode(reason) !== "ENOENT") await rm(directory, { recursive: true, force: true });
    await mkdir(directory, { recursive: true });
    return [];
  } catch (error) {
    throw new StoreError(
      "file-unreadable",
      `Cannot renew the views in ${directory}: ${String(error)}`,
      { cause: error, details: { directory } },
    );
  }
}

/** Names builds, and remembers which of them count. */
class BuildNames {
  readonly builds = new Map<string, Builds>();
  #last: number;

  constructor(last: number) {
    this.#last = last;
  }

  newDirectory(projection: string, version: number): string {
    this.#last += 1;
    return `${projection}@${version}-${this.#last}`;
  }
}

class MemoryBuilds extends BuildNames implements BuildPlace {
  constructor() {
    super(0);
  }

  async set(projection: string, builds: Builds): Promise<void> {
    this.builds.set(projection, builds);
  }

  path(): undefined {
    return undefined;
  }

  async open(): Promise<Storage> {
    return openMemoryStorage();
  }

  async isGone(): Promise<boolean> {
    return false;
  }

  async sweep(): Promise<void> {}

  close(): void {}
}

class BuildDirectory extends BuildNames implements BuildPlace {
  readonly #directory: string;
  /** Settles when the file is not being written. */
  #writing: Promise<void> = Promise.resolve();

  constructor(directory: string, builds: ReadonlyMap<string, Builds>, last: number) {
    super(last);
    this.#directory = directory;
    for (const [projection, its] of builds) this.builds.set(projection, its);
  }

  set(projection: string, builds: Builds): Promise<void> {
    const written = this.#writing.then(async () => {
      const all = new Map(this.builds).set(projection, builds);
      await attempt(this.#directory, async () => {
        await mkdir(this.#directory, { recursive: true });
        await writeWhole(join(this.#directory, buildsName), formatBuilds(all));
      });
      this.builds.set(projection, builds);
    });
    this.#writing = written.catch(() => undefined);
    return written;
  }

  path(directory: string): string {
    return join(this.#directory, directory);
  }

  async open(directory: string, { create }: { readonly create: boolean }): Promise<Storage> {
    if (create) await mkdir(this.#directory, { recursive: true });
    return openBuildStorage(this.path(directory), create);
  }

  async isGone(directory: string): Promise<boolean> {
    return stat(join(this.path(directory), "CURRENT")).then(
      () => false,
      (error: unknown) => errorCode(error) === "ENOENT",
    );
  }

  async sweep(kept: () => ReadonlySet<string>): Promise<void> {
    await attempt(this.#directory, async () => {
      const names = await readdir(this.#directory).catch(() => []);
      const keep = kept();
      for (const name of names) {
        // What somebody else has put there is not ours to remove.
        if (keep.has(name) || !(buildPattern.test(name) || formerPattern.test(name))) continue;
        await rm(this.path(name), { recursive: true, force: true });
      }
    });
  }

  close(): void {
    inUse.delete(this.#directory);
  }
}

async function attempt(directory: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw new StoreError(
      errorCode(error) === "ENOSPC" ? "disk-full" : "write-failed",
      `Cannot change the views in ${directory}: ${String(error)}`,
      { cause: error, details: { directory } },
    );
  }
}

function formatBuilds(builds: ReadonlyMap<string, Builds>): string {
  const text = JSON.stringify(Object.fromEntries(builds));
  return `${JSON.stringify({ format: 1, check: crc32c(Buffer.from(text)) })}\n${text}\n`;
}

async function readBuilds(path: string): Promise<ReadonlyMap<string, Builds>> {
  try {
    const [head = "", text = ""] = (await readFile(path, "utf8")).split("\n");
    const about: unknown = JSON.parse(head);
    const isWhole =
      isPlainObject(about) && about["format"] === 1 && about["check"] === crc32c(Buffer.from(text));
    return new Map(isWhole ? Object.entries(JSON.parse(text) as Record<string, Builds>) : []);
  } catch (error) {
    // What cannot be read says nothing, and everything it could say can be made again.
    if (isStoreError(error)) throw error;
    return new Map();
  }
}

function errorCode(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
