/** The snapshot of the lineage graph in a store's directory: disposable, and believed only where it fits the log. */
import { mkdir, open, rename, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";

import type { Position } from "../ids.ts";
import { crc32c } from "../codec/crc32c.ts";
import { syncDirectory } from "../store-directory.ts";
import type { LineageGraph } from "./graph.ts";
import {
  blockBytesMax,
  blockHeaderBytes,
  decodeSnapshotHeader,
  encodeBlockHeader,
  encodeSnapshotHeader,
  SnapshotDecoder,
  snapshotBlocks,
  snapshotHeaderBytes,
  type SnapshotHeader,
} from "./snapshot-codec.ts";

export class SnapshotFile {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * The graph in the file; undefined when there is none, or none that can be used: damaged, of another format, or
   * refused.
   *
   * @param fits whether a snapshot that says this of itself is one of the log
   */
  async read(fits: (header: SnapshotHeader) => boolean): Promise<LineageGraph | undefined> {
    let file: FileHandle | undefined;
    try {
      file = await open(this.#path, "r");
      const header = decodeSnapshotHeader(await readBytes(file, snapshotHeaderBytes));
      return header !== undefined && fits(header) ? await readGraph(file, header) : undefined;
    } catch {
      // The graph is then made from the log: it costs time and nothing else.
      return undefined;
    } finally {
      await file?.close();
    }
  }

  /**
   * Writes a graph as it was at a position, under another name first, so that the file is there whole or not at all. The
   * graph may take more events meanwhile.
   *
   * @returns whether it was written; what cannot be written is left out
   */
  async write(graph: LineageGraph, position: Position, root: Uint8Array): Promise<boolean> {
    const path = `${this.#path}.new`;
    try {
      await mkdir(dirname(path), { recursive: true });
      const file = await open(path, "w");
      try {
        await writeGraph(file, graph, { position, root });
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(path, this.#path);
      await syncDirectory(dirname(path));
      return true;
    } catch {
      return false;
    }
  }
}

async function writeGraph(
  file: FileHandle,
  graph: LineageGraph,
  header: SnapshotHeader,
): Promise<void> {
  const first = encodeSnapshotHeader(header);
  await file.writeFile(first);
  let seed = crc32c(first);
  for (const block of snapshotBlocks(graph, header.position)) {
    const blockHeader = encodeBlockHeader(block, seed);
    seed = blockHeader.readUInt32LE(4);
    await file.writeFile(blockHeader);
    await file.writeFile(block);
  }
}

async function readGraph(
  file: FileHandle,
  header: SnapshotHeader,
): Promise<LineageGraph | undefined> {
  let seed = crc32c(encodeSnapshotHeader(header));
  const decoder = new SnapshotDecoder(header.position);
  while (!decoder.isDone) {
    const blockHeader = await readBytes(file, blockHeaderBytes);
    const length = blockHeader.readUInt32LE(0);
    if (length > blockBytesMax) return undefined;
    const block = await readBytes(file, length);
    seed = crc32c(block, 0, seed);
    if (seed !== blockHeader.readUInt32LE(4)) return undefined;
    decoder.take(block);
  }
  const { bytesRead } = await file.read(Buffer.alloc(1), 0, 1);
  return bytesRead === 0 ? decoder.graph : undefined;
}

/** The next so many bytes. @throws `RangeError` when there are fewer */
async function readBytes(file: FileHandle, count: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(count);
  for (let filled = 0; filled < count;) {
    const { bytesRead } = await file.read(bytes, filled, count - filled);
    if (bytesRead === 0) throw new RangeError("the file ends early");
    filled += bytesRead;
  }
  return bytes;
}
