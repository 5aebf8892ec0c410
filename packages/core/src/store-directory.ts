/** The files of a store's directory: their names, its manifest, and how they are written so that none is there in part. */
import { open, readdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";

import { isKeyName } from "./checkpoint/signed-note.ts";
import { StoreError } from "./errors.ts";
import { isPlainObject } from "./event/json.ts";

/** The version of the store's layout that this code writes and the newest it reads. */
export const storeFormat = 1;

/** The manifest: what makes a directory a store. */
export const manifestName = "sennit.json";
export const logDirectoryName = "log";
export const keysName = "keys";
export const acknowledgedName = "acknowledged";
/** Snapshots of the state: disposable. */
export const stateName = "state";
/** The snapshot of the lineage graph: disposable. */
export const lineageName = "lineage";

/** The name a store signs under, and the origin of its checkpoints. */
export function logName(storeId: string): string {
  return `sennit/${storeId}`;
}

/** Writes the manifest whole: under another name first, synced, then renamed. */
export async function writeManifest(directory: string, storeId: string): Promise<void> {
  const manifest = { format: "sennit-store", version: storeFormat, storeId };
  await writeWhole(join(directory, manifestName), `${JSON.stringify(manifest, undefined, 2)}\n`);
}

/**
 * Writes a file under another name first, synced, then renamed, so that it is there whole or not at all.
 *
 * @param mode of the file, whatever the process's mask; default: what the mask leaves
 */
export async function writeWhole(
  path: string,
  content: string | Uint8Array,
  mode?: number,
): Promise<void> {
  const file = await open(`${path}.new`, "w", mode);
  try {
    // What an attempt cut short has left keeps its mode when it is opened.
    if (mode !== undefined) await file.chmod(mode);
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
  await syncDirectory(dirname(path));
}

/** Makes a rename durable. Where a directory cannot be synced (Windows) the file system does it by itself. */
export async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The id in a manifest. @throws `not-a-store`, `format-too-new` */
export function parseManifest(directory: string, text: string): string {
  const manifest = parseJson(text);
  const isOurs = isPlainObject(manifest) && manifest["format"] === "sennit-store";
  const { version, storeId } = isOurs ? manifest : {};
  if (typeof version === "number" && version > storeFormat) {
    throw new StoreError(
      "format-too-new",
      `The store in ${directory} has format ${version}; this Sennit reads up to ${storeFormat}.`,
      { details: { directory, format: version } },
    );
  }
  if (
    typeof version !== "number" ||
    version < 1 ||
    typeof storeId !== "string" ||
    !isKeyName(storeId)
  ) {
    throw new StoreError(
      "not-a-store",
      `${join(directory, manifestName)} does not describe a store.`,
      { details: { directory } },
    );
  }
  return storeId;
}

/** The value of JSON text; undefined for text that is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What is in a directory; undefined when it is not there. @throws `not-a-store` for a file, `file-unreadable` */
export async function listDirectory(directory: string): Promise<string[] | undefined> {
  try {
    return await readdir(directory);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT") return undefined;
    if (code === "ENOTDIR") {
      throw new StoreError("not-a-store", `${directory} is a file, not a store.`, {
        details: { directory },
      });
    }
    throw new StoreError("file-unreadable", `Cannot read ${directory}: ${String(error)}`, {
      cause: error,
    });
  }
}

/** The error for what the file system refuses. */
export function fileError(error: unknown, what: string): StoreError {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const reason = error instanceof Error ? error.message : String(error);
  return new StoreError(code === "ENOSPC" ? "disk-full" : "file-unreadable", `${what}: ${reason}`, {
    cause: error,
  });
}
