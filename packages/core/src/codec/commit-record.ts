/** The commit record: what the last synced write made of the store, checked against the log at every open. */
import { StoreError } from "../errors.ts";
import type { Position } from "../ids.ts";
import { commitKey } from "../storage/keyspace.ts";
import { frame, unframe } from "./frame.ts";
import { decodeMessagePack, encodeMessagePack } from "./msgpack.ts";

const commitFormat = 1;

export interface CommitRecord {
  /** Position of the last event; 0 in an empty store. */
  readonly head: Position;
  /** Time of the last batch, microseconds since the epoch; 0 in an empty store. */
  readonly recordedAtUs: number;
  /** Records ever created. */
  readonly recordCount: number;
}

export const emptyCommit: CommitRecord = { head: 0, recordedAtUs: 0, recordCount: 0 };

export function encodeCommit(commit: CommitRecord): Buffer {
  return frame(
    commitKey,
    encodeMessagePack([commitFormat, commit.head, commit.recordedAtUs, commit.recordCount]),
  );
}

/** @throws `checksum-mismatch`, `format-too-new` */
export function decodeCommit(value: Uint8Array): CommitRecord {
  const body = unframe(commitKey, value, () => "the commit record");
  const [format, head, recordedAtUs, recordCount] = decodeMessagePack(body) as [
    number,
    Position,
    number,
    number,
  ];
  if (format > commitFormat) {
    throw new StoreError(
      "format-too-new",
      `The store has format ${format}; this Sennit reads up to ${commitFormat}.`,
      {
        details: { format },
      },
    );
  }
  return { head, recordedAtUs, recordCount };
}
