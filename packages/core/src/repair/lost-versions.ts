/** Which records lose versions when a log is cut: by the version blocks, which also know of entries that cannot be read. */
import type { VersionBlock } from "../codec/version-block.ts";
import type { Position, RecordId, Version } from "../ids.ts";
import { keySpaces } from "../storage/keyspace.ts";
import type { Storage } from "../storage/storage.ts";
import { olderBlockSuffixBytes, readBlock, recordOf } from "../verify/key-check.ts";

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
  const lost = new Map<RecordId, LostVersions>();
  let recordCount = 0;
  const note = (recordId: RecordId, block: VersionBlock | undefined) => {
    if (block === undefined || block.lastPosition <= keep) return;
    const from = Math.max(block.firstVersion, block.versionAt(keep) + 1);
    const known = lost.get(recordId);
    if (known === undefined) {
      recordCount += 1;
      if (lost.size >= recordsMax) return;
    }
    const to = Math.max(block.lastVersion, known?.to ?? 0);
    lost.set(recordId, { recordId, from: Math.min(from, known?.from ?? from), to });
  };
  for await (const [key, value] of entriesOf(storage, "block")) {
    note(recordOf(key, 0), readBlock(key, value));
  }
  for await (const [key, value] of entriesOf(storage, "olderBlock")) {
    const recordId = recordOf(key, olderBlockSuffixBytes);
    // A record that loses an older block loses its newest one too, and has been counted with that.
    if (lost.has(recordId)) note(recordId, readBlock(key, value));
  }
  return { recordCount, records: [...lost.values()] };
}

async function* entriesOf(storage: Storage, space: "block" | "olderBlock") {
  const range = {
    from: Buffer.from([keySpaces[space]]),
    until: Buffer.from([keySpaces[space] + 1]),
  };
  for await (const chunk of storage.scan(range)) yield* chunk;
}
