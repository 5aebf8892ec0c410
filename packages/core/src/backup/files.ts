/** The files of a backup: a start and items in the MessagePack form, under a name that says what they hold. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";

import { throwIfAborted } from "../abort.ts";
import { isStoreError } from "../errors.ts";
import { syncDirectory } from "../store-directory.ts";
import type { ExportItem } from "../transfer/items.ts";
import { messagePackForm } from "../transfer/messagepack-form.ts";
import { damaged, type BackupFile } from "./manifest.ts";

/** Bytes collected before they are written. */
const bufferBytes = 256 * 1024;

/** Writes one file: under another name until it is whole and synced. */
export class BackupFileWriter {
  readonly #directory: string;
  readonly #partial: string;
  readonly #file: FileHandle;
  readonly #hash = createHash("sha256");
  #parts: Uint8Array[] = [];
  #waiting = 0;
  #bytes = 0;

  private constructor(directory: string, partial: string, file: FileHandle) {
    this.#directory = directory;
    this.#partial = partial;
    this.#file = file;
  }

  /** @param name the path within the backup, without what `finish` adds */
  static async create(directory: string, name: string, storeId: string): Promise<BackupFileWriter> {
    const partial = join(directory, `${name}.partial`);
    const writer = new BackupFileWriter(directory, partial, await open(partial, "w"));
    await writer.add({ type: "start", storeId });
    return writer;
  }

  async add(item: ExportItem): Promise<void> {
    const bytes = messagePackForm.encode(item);
    this.#parts.push(bytes);
    this.#waiting += bytes.length;
    if (this.#waiting >= bufferBytes) await this.#flush();
  }

  /** Makes the file durable under a name that ends in the beginning of its digest: no file is ever written over. */
  async finish(name: string): Promise<BackupFile> {
    await this.#flush();
    await this.#file.sync();
    await this.#file.close();
    const sha256 = this.#hash.digest("hex");
    const file = `${name}-${sha256.slice(0, 16)}.msgpack`;
    await rename(this.#partial, join(this.#directory, file));
    await syncDirectory(dirname(this.#partial));
    return { file, bytes: this.#bytes, sha256 };
  }

  /** Gives the file up. */
  async discard(): Promise<void> {
    await this.#file.close();
    await rm(this.#partial, { force: true });
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#waiting = 0;
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
    await this.#file.appendFile(bytes);
  }
}

/** A file must be there with its size. @throws `backup-damaged` */
export async function verifySize(directory: string, { file, bytes }: BackupFile): Promise<void> {
  const stats = await stat(join(directory, file)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
  if (stats === undefined) throw damaged(file, "is missing");
  if (stats.size !== bytes) throw damaged(file, "has another size");
}

/** Every byte of a file must be as it was written. @throws `backup-damaged`, `aborted` */
export async function verifyDigest(
  directory: string,
  expected: BackupFile,
  signal?: AbortSignal,
): Promise<void> {
  await verifySize(directory, expected);
  const { file, sha256 } = expected;
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(join(directory, file))) {
      throwIfAborted(signal);
      hash.update(chunk as Buffer);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EIO") throw error;
    throw damaged(file, "cannot be read", error);
  }
  if (hash.digest("hex") !== sha256) throw damaged(file, "has changed since it was written");
}

/** The items of a file after its start, read from disk. @throws `backup-damaged` when a byte of it is not as it was */
export async function* readBackupFile(
  directory: string,
  { file, bytes, sha256 }: BackupFile,
  storeId: string,
): AsyncGenerator<ExportItem> {
  const hash = createHash("sha256");
  let size = 0;
  async function* hashed(): AsyncGenerator<Uint8Array> {
    for await (const chunk of createReadStream(join(directory, file))) {
      hash.update(chunk as Buffer);
      size += (chunk as Buffer).length;
      yield chunk as Buffer;
    }
  }
  let isFirst = true;
  try {
    for await (const item of messagePackForm.decode(hashed())) {
      if (isFirst !== (item.type === "start")) throw damaged(file, "holds what does not belong");
      if (item.type === "start" && item.storeId !== storeId) {
        throw damaged(file, "is of another store");
      }
      if (!isFirst) yield item;
      isFirst = false;
    }
  } catch (error) {
    if (isStoreError(error) && !error.code.startsWith("import-")) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw damaged(file, `cannot be read: ${reason.replace(/\.$/, "")}`, error);
  }
  if (size === bytes && hash.digest("hex") === sha256) return;
  throw damaged(file, "has changed since it was written");
}
