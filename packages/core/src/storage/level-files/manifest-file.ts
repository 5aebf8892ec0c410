/** Reads from a manifest of LevelDB which files its database consists of. */
import { ByteReader } from "./byte-reader.ts";

/** The files of a database, as its manifest names them. */
export interface LevelFileList {
  /** Number and size in bytes of every table. */
  readonly tables: ReadonlyMap<number, number>;
  /** Number of the oldest write-ahead log that counts; 0 before the first one. */
  readonly oldestWal: number;
}

/**
 * Plays the edits of a manifest in order.
 *
 * @throws RangeError for an edit that cannot be read
 */
export function readFileList(edits: readonly (readonly Uint8Array[])[]): LevelFileList {
  const tables = new Map<number, number>();
  let oldestWal = 0;
  for (const fragments of edits) {
    const reader = new ByteReader(Buffer.concat(fragments));
    const added = new Map<number, number>();
    while (!reader.isAtEnd) oldestWal = readField(reader, tables, added) ?? oldestWal;
    // A table that moves between levels is taken out and put in by the same edit.
    for (const [number, size] of added) tables.set(number, size);
  }
  return { tables, oldestWal };
}

/** @returns the number of the oldest write-ahead log, where the field says so */
function readField(
  reader: ByteReader,
  tables: Map<number, number>,
  added: Map<number, number>,
): number | undefined {
  const tag = reader.varint();
  switch (tag) {
    case 1: // Name of the order of keys.
      reader.sized();
      return undefined;
    case 2:
      return reader.varint();
    case 3: // Next file number.
    case 4: // Last sequence number.
    case 9: // A log that versions before 1.20 wrote beside the newest.
      reader.varint();
      return undefined;
    case 5: // Where the next compaction of a level begins.
      reader.varint();
      reader.sized();
      return undefined;
    case 6:
      reader.varint();
      tables.delete(reader.varint());
      return undefined;
    case 7: {
      reader.varint();
      added.set(reader.varint(), reader.varint());
      reader.sized();
      reader.sized();
      return undefined;
    }
    default:
      throw new RangeError(`There is no field ${tag} in a manifest.`);
  }
}
