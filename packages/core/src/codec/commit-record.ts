/** The commit record: what the last synced write made of the store, checked against the log at every open. */
import { StoreError } from "../errors.ts";
import type { Position } from "../ids.ts";
import { Frontier } from "../merkle/frontier.ts";
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
  /** The right edge of the Merkle tree over all events: hashes of its complete subtrees, largest first. */
  readonly frontier: readonly Uint8Array[];
}

export const emptyCommit: CommitRecord = {
  head: 0,
  recordedAtUs: 0,
  recordCount: 0,
  frontier: [],
};

export function encodeCommit({ head, recordedAtUs, recordCount, frontier }: CommitRecord): Buffer {
  const body = encodeMessagePack([commitFormat, head, recordedAtUs, recordCount, frontier]);
  return frame(commitKey, body);
}

type EncodedCommit = [number, Position, number, number, Uint8Array[]];

/** @throws `checksum-mismatch`, `format-too-new`, `head-mismatch` */
export function decodeCommit(value: Uint8Array): CommitRecord {
  const body = unframe(commitKey, value, () => "the commit record");
  const [format, head, recordedAtUs, recordCount, frontier] = decodeMessagePack(
    body,
  ) as EncodedCommit;
  if (format > commitFormat) {
    throw new StoreError(
      "format-too-new",
      `The store has format ${format}; this Sennit reads up to ${commitFormat}.`,
      { details: { format } },
    );
  }
  if (!Frontier.fits(head, frontier)) {
    throw new StoreError(
      "head-mismatch",
      `The commit record's Merkle frontier does not fit its head, ${head}.`,
      { details: { committed: head } },
    );
  }
  return { head, recordedAtUs, recordCount, frontier };
}
