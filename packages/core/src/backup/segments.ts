/** Segments: the entries of consecutive positions in one file. */
import { rm } from "node:fs/promises";
import { join } from "node:path";

import type { Entry } from "../codec/entry.ts";
import type { Position } from "../ids.ts";
import type { LogProofs } from "../log/log-proofs.ts";
import { BackupFileWriter, readBackupFile } from "./files.ts";
import { damaged, segmentsName, type BackupSegment } from "./manifest.ts";

/** Digits of a position in a file's name. */
const digits = 16;

/** Writes entries into segments of a bounded size. */
export async function* writeSegments(
  directory: string,
  storeId: string,
  entriesMax: number,
  chunks: AsyncIterable<readonly Entry[]>,
): AsyncGenerator<BackupSegment> {
  let open: { readonly from: Position; readonly writer: BackupFileWriter } | undefined;
  let to = 0;
  try {
    for await (const chunk of chunks) {
      for (const entry of chunk) {
        const { position } = entry.header;
        if (open !== undefined && position - open.from >= entriesMax) {
          const { from, writer } = open;
          open = undefined;
          yield await finished(writer, from, to);
        }
        open ??= {
          from: position,
          writer: await BackupFileWriter.create(directory, nameOf(position), storeId),
        };
        await open.writer.add({ type: "entry", entry });
        to = position;
      }
    }
    if (open === undefined) return;
    const { from, writer } = open;
    open = undefined;
    yield await finished(writer, from, to);
  } finally {
    await open?.writer.discard();
  }
}

async function finished(
  writer: BackupFileWriter,
  from: Position,
  to: Position,
): Promise<BackupSegment> {
  const { file, bytes, sha256 } = await writer.finish(`${nameOf(from)}-${padded(to)}`);
  return { file, from, to, bytes, sha256 };
}

function nameOf(from: Position): string {
  return `${segmentsName}/${padded(from)}`;
}

function padded(position: Position): string {
  return String(position).padStart(digits, "0");
}

/** The entries of a segment, read from disk. @throws `backup-damaged` */
export async function* readSegment(
  directory: string,
  segment: BackupSegment,
  storeId: string,
): AsyncGenerator<Entry> {
  let expected = segment.from;
  for await (const item of readBackupFile(directory, segment, storeId)) {
    if (item.type !== "entry" || item.entry.header.position !== expected) {
      throw damaged(segment.file, `does not hold position ${expected} where it belongs`);
    }
    expected += 1;
    yield item.entry;
  }
  if (expected !== segment.to + 1) throw damaged(segment.file, "lacks entries");
}

/**
 * Reads a segment back and compares it with the log: with what is before it, it must give the log's root at its end.
 *
 * @throws `backup-damaged`
 */
export async function verifySegment(
  directory: string,
  segment: BackupSegment,
  storeId: string,
  proofs: LogProofs,
): Promise<void> {
  const frontier = proofs.frontier(segment.from - 1);
  for await (const entry of readSegment(directory, segment, storeId)) {
    if (entry.erasure === undefined && !entry.payloadMatchesDigest()) {
      throw damaged(segment.file, `holds other content at position ${entry.header.position}`);
    }
    frontier.append(entry.leafHash());
  }
  if (frontier.root().equals(proofs.rootFromTiles(segment.to))) return;
  throw damaged(segment.file, "does not lead to the root of the log");
}

/** Removes a file that the manifest does not name any more. */
export async function removeFile(directory: string, file: string): Promise<void> {
  await rm(join(directory, file), { force: true });
}
