/** Looks for damage when a log is opened: an end that is missing, a hole, a root that is another. */
import type { CommitRecord } from "../codec/commit-record.ts";
import { StoreError } from "../errors.ts";
import type { Position } from "../ids.ts";
import { limits } from "../limits.ts";
import { entryKey, entryKeyPosition } from "../storage/keyspace.ts";
import type { Storage } from "../storage/storage.ts";
import type { Acknowledged } from "./acknowledged-file.ts";
import type { LogProofs } from "./log-proofs.ts";

/**
 * Bytes of entries at the end of the log that are read at every opening. They cover what LevelDB kept in its own log,
 * from which a damaged block drops whole writes without a word.
 */
const tailBytesMax = 32 * 1024 * 1024;

/** The first damage found, or undefined. Reads of what is intact may go on; nothing may be written. */
export async function findDamage(
  storage: Storage,
  commit: CommitRecord,
  proofs: LogProofs,
  acknowledged: Acknowledged | undefined,
): Promise<StoreError | undefined> {
  return (await findGap(storage, commit)) ?? compareWithAcknowledged(commit, proofs, acknowledged);
}

/** The log must end at the head committed, and have no hole on the way there. */
async function findGap(storage: Storage, { head }: CommitRecord): Promise<StoreError | undefined> {
  const range = { from: entryKey(1), until: entryKey(limits.positionMax), reverse: true };
  let expected = head;
  let bytes = 0;
  for await (const chunk of storage.scan(range)) {
    for (const [key, value] of chunk) {
      const position = entryKeyPosition(key);
      if (position !== expected)
        return expected === head ? otherEnd(position, head) : hole(position + 1, expected);
      expected -= 1;
      bytes += value.length;
    }
    if (bytes > tailBytesMax) return undefined;
  }
  if (expected === 0) return undefined;
  return expected === head ? otherEnd(0, head) : hole(1, expected);
}

function otherEnd(found: Position, committed: Position): StoreError {
  return new StoreError(
    "head-mismatch",
    `The log ends at position ${found}, but ${committed} was committed.`,
    { details: { found, committed } },
  );
}

function hole(from: Position, to: Position): StoreError {
  const what = from === to ? `Position ${from} is` : `Positions ${from} to ${to} are`;
  return new StoreError("log-gap", `${what} missing from the log.`, { details: { from, to } });
}

/** Says which positions are missing, in the middle of a sentence. */
export function missing(from: Position, to: Position): string {
  return from === to ? `position ${from} is missing` : `positions ${from} to ${to} are missing`;
}

function compareWithAcknowledged(
  { head }: CommitRecord,
  proofs: LogProofs,
  acknowledged: Acknowledged | undefined,
): StoreError | undefined {
  if (acknowledged === undefined) return undefined;
  const { position, root } = acknowledged;
  if (position > head) {
    return new StoreError(
      "head-mismatch",
      `The log ends at position ${head}, but events up to ${position} were acknowledged: ${missing(head + 1, position)}.`,
      { details: { found: head, acknowledged: position } },
    );
  }
  if (proofs.treeHead(position).root.equals(root)) return undefined;
  return new StoreError(
    "root-mismatch",
    `The first ${position} events are not those that were acknowledged: their Merkle root is another.`,
    { details: { position } },
  );
}
