/**
 * Which records lose versions when a log is cut: by the version blocks, which also know of entries that cannot be read, and by the
 * entries, for records whose blocks cannot be read.
 */
import { Entry } from "../codec/entry.ts";
import type { VersionBlock } from "../codec/version-block.ts";
import type { Position, RecordId, Version } from "../ids.ts";
import { limits } from "../limits.ts";
import { blockKey, entryKey, entryKeyPosition, keySpaces } from "../storage/keyspace.ts";
import type { Storage } from "../storage/storage.ts";
import { olderBlockSuffixBytes, readBlock, recordOf, spaceOf } from "../verify/key-check.ts";

/** Records that a plan lists; `recordCount` counts them all. */
const recordsMax = 100;

/** Versions of one record that would go. */
export interface LostVersions {
  readonly recordId: RecordId;
  readonly from: Version;
  readonly to: Version;
}

export interface LostRecords {
  readonly recordCount: number;
  /** In the order of their ids, at most 100. */
  readonly records: readonly LostVersions[];
}

/** The versions that stand after a position. */
export async function findLostRecords(storage: Storage, keep: Position): Promise<LostRecords> {
  const listed = new Map<RecordId, LostVersions>();
  /** Records without a block that tells of them: few, as blocks go. */
  const untold = new Set<RecordId>();
  let toldCount = 0;
  const note = (recordId: RecordId, from: Version, to: Version) => {
    const known = listed.get(recordId);
    if (known === undefined && listed.size >= recordsMax) return;
    const first = Math.min(from, known?.from ?? from);
    listed.set(recordId, { recordId, from: first, to: Math.max(to, known?.to ?? to) });
  };
  const noteBlock = (recordId: RecordId, block: VersionBlock) =>
    note(recordId, Math.max(block.firstVersion, block.versionAt(keep) + 1), block.lastVersion);
  for await (const [key, value] of entriesOf(storage, "block")) {
    const block = readBlock(key, value);
    if (block === undefined || block.lastPosition <= keep) continue;
    toldCount += 1;
    noteBlock(recordOf(key, 0), block);
  }
  for await (const [key, value] of entriesOf(storage, "olderBlock")) {
    const block = readBlock(key, value);
    if (block === undefined || block.lastPosition <= keep) continue;
    const recordId = recordOf(key, olderBlockSuffixBytes);
    if (!isTold(storage, recordId, keep)) untold.add(recordId);
    else if (!listed.has(recordId)) continue;
    noteBlock(recordId, block);
  }
  for await (const { recordId, version } of entriesAfter(storage, keep)) {
    if (isTold(storage, recordId, keep)) continue;
    untold.add(recordId);
    note(recordId, version, version);
  }
  const records = [...listed.values()].toSorted((a, b) => (a.recordId < b.recordId ? -1 : 1));
  return { recordCount: toldCount + untold.size, records };
}

/** True for a record whose newest block can be read, and says that versions go. */
function isTold(storage: Storage, recordId: RecordId, keep: Position): boolean {
  const key = blockKey(recordId);
  const value = storage.get(key);
  const block = value && readBlock(key, value);
  return block !== undefined && block.lastPosition > keep;
}

/** The versions that the entries after a position make, as far as they can be read. */
async function* entriesAfter(
  storage: Storage,
  keep: Position,
): AsyncGenerator<{ readonly recordId: RecordId; readonly version: Version }> {
  const range = { from: entryKey(keep + 1), until: entryKey(limits.positionMax) };
  for await (const chunk of storage.scan(range)) {
    for (const [key, value] of chunk) {
      if (spaceOf(key) !== "entry") continue;
      try {
        yield Entry.decode(entryKeyPosition(key), value).header;
      } catch {
        // What it was, only a block could say.
      }
    }
  }
}

async function* entriesOf(storage: Storage, space: "block" | "olderBlock") {
  const range = {
    from: Buffer.from([keySpaces[space]]),
    until: Buffer.from([keySpaces[space] + 1]),
  };
  for await (const chunk of storage.scan(range)) yield* chunk;
}
