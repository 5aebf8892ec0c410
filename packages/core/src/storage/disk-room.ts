/** Whether a disk has room for what opening a LevelDB directory again writes. */
import { open, readdir, rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";

import { StoreError } from "../errors.ts";

/** Left for the new manifest and LevelDB's own notes, bytes. */
const spareBytes = 1024 * 1024;
const probeName = "room.probe";
const probeChunk = Buffer.alloc(1024 * 1024);

/**
 * Bytes that opening may write before it has deleted anything: LevelDB copies its logs into tables, and the manifest.
 * What it writes beyond that is compaction, which comes later and may fail without harm.
 */
export async function bytesToOpen(directory: string): Promise<number> {
  const names = await readdir(directory);
  const written = names.filter((name) => name.endsWith(".log") || name.startsWith("MANIFEST-"));
  const sizes = await Promise.all(
    written.map(async (name) => (await stat(join(directory, name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, spareBytes);
}

/** Cheap, and often says enough: a file system with fewer free bytes than that has no room. @throws `disk-full` */
export async function assertFreeBytes(directory: string, bytes: number): Promise<void> {
  const { bsize, blocks, bfree } = await statfs(directory);
  // Some file systems do not tell how large they are.
  if (blocks > 0 && bsize * bfree < bytes) throw noRoom(directory, bytes);
}

/**
 * Writes a file of that many bytes, syncs and removes it. Only this tells whether quotas, reserves and the disk itself
 * allow it: free blocks may be somebody else's.
 *
 * @throws the error of the file system
 */
export async function writeProbe(directory: string, bytes: number): Promise<void> {
  const path = join(directory, probeName);
  const file = await open(path, "w");
  try {
    for (let left = bytes; left > 0; left -= probeChunk.length) {
      await file.writeFile(probeChunk.subarray(0, Math.min(left, probeChunk.length)));
    }
    await file.datasync();
  } finally {
    await file.close();
    await rm(path, { force: true });
  }
}

/** Removes what a process that died while probing has left. */
export async function removeProbe(directory: string): Promise<void> {
  await rm(join(directory, probeName), { force: true }).catch(() => undefined);
}

function noRoom(directory: string, bytes: number): StoreError {
  return new StoreError(
    "disk-full",
    `The disk is full: the database in ${directory} needs ${bytes} free bytes to be written again.`,
    { details: { directory, bytes } },
  );
}
