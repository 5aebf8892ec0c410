/** A replayed closure as files: one per record version, and a manifest that names each with its digest. */
import { createHash } from "node:crypto";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";

import { StoreError, type Position, type RecordView, type Replay } from "@sennit/core";

/**
 * Writes the closure into a new or empty directory.
 *
 * @returns the number of record files
 * @throws `directory-not-empty`, `file-unreadable`
 */
export async function writeReplay(
  cwd: string,
  path: string,
  replay: Replay,
  asOf: Position,
): Promise<number> {
  const directory = resolve(cwd, path);
  await prepare(directory, path);
  const files = [];
  for (const [index, record] of replay.closure.entries()) {
    const file = join("records", fileName(index, record));
    const bytes = Buffer.from(`${JSON.stringify(record, undefined, 2)}\n`);
    await writeFile(join(directory, file), bytes);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    files.push({
      path: file,
      recordId: record.id,
      version: record.version,
      sizeBytes: bytes.length,
      sha256,
    });
  }
  const { decision, decidedAt, digest, edges, verdicts } = replay;
  const manifest = {
    format: "sennit-replay",
    version: 1,
    decision: { recordId: decision.id, version: decision.version },
    decidedAt,
    comparedAsOf: asOf,
    digest,
    files,
    edges,
    verdicts,
  };
  // The manifest comes last: a directory that has one is complete.
  await writeFile(join(directory, "manifest.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
  return files.length;
}

async function prepare(directory: string, path: string): Promise<void> {
  try {
    await mkdir(join(directory), { recursive: true });
    const names = await readdir(directory);
    if (names.length > 0) {
      throw new StoreError("directory-not-empty", `${path} is not empty.`, {
        details: { flag: "--out", path },
      });
    }
    await mkdir(join(directory, "records"));
  } catch (error) {
    if (error instanceof StoreError) throw error;
    throw new StoreError(
      "file-unreadable",
      `Cannot write to ${path}: ${error instanceof Error ? error.message : String(error)}`,
      {
        cause: error,
        details: { flag: "--out", path },
      },
    );
  }
}

/** `003-model-braggnn@2.json`: the place keeps names apart that only differ in characters a file cannot have. */
function fileName(index: number, { id, version }: RecordView): string {
  const safe = id.replaceAll(/[^A-Za-z0-9._-]+/g, "-").slice(0, 80);
  return `${String(index + 1).padStart(3, "0")}-${safe}@${version}.json`;
}
