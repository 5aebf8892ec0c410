/**
 * A snapshot of a store's state as bytes: SHA-256 of the rest (32 bytes), then one MessagePack array of format, position,
 * Merkle root, counts of events, kinds, and the rows.
 *
 * A row is five numbers of seven bits to a byte: the distances of its creation from the creation before and of its last event from its
 * creation, its content version, the number of its kind, and 1 when it is valid. Ids stand in the log and not here.
 */
import { decodeMessagePack, encodeMessagePack } from "../codec/msgpack.ts";
import { eventTypes } from "../event/event.ts";
import type { Position } from "../ids.ts";
import { VarintReader, VarintWriter } from "../lineage/varint.ts";
import { hashBytes, sha256 } from "../merkle/hashing.ts";
import { StoreState, type EventCounts } from "./store-state.ts";

const snapshotFormat = 1;
type StoredSnapshot = [
  format: number,
  position: Position,
  root: Uint8Array,
  counts: readonly number[],
  kinds: readonly string[],
  size: number,
  rows: Uint8Array,
];

/** A state read from a snapshot, and the root of the log that it was taken of. */
export interface Snapshot {
  readonly state: StoreState;
  /** 32 bytes. */
  readonly root: Uint8Array;
}

export function encodeSnapshot(state: StoreState, root: Uint8Array): Buffer {
  const kinds = new Map<string, number>();
  const rows = new VarintWriter();
  let before = 0;
  for (let number = 0; number < state.size; number += 1) {
    const { created, position, contentVersion, kind, isValid } = state.row(number);
    const kindNumber = kinds.get(kind) ?? kinds.size;
    kinds.set(kind, kindNumber);
    rows.number(created - before);
    rows.number(position - created);
    rows.number(contentVersion);
    rows.number(kindNumber);
    rows.number(isValid ? 1 : 0);
    before = created;
  }
  const counts = eventTypes.map((type) => state.counts[type]);
  const stored: StoredSnapshot = [
    snapshotFormat,
    state.position,
    root,
    counts,
    [...kinds.keys()],
    state.size,
    rows.take(),
  ];
  const body = encodeMessagePack(stored);
  return Buffer.concat([sha256(body), body]);
}

/** The snapshot in some bytes; undefined for bytes that are none, or not all of one, or of a format of later days. */
export function decodeSnapshot(bytes: Uint8Array): Snapshot | undefined {
  const body = bytes.subarray(hashBytes);
  if (bytes.length <= hashBytes || !sha256(body).equals(bytes.subarray(0, hashBytes))) {
    return undefined;
  }
  const [format, position, root, counts, kinds, size, rows] = decodeMessagePack(
    body,
  ) as StoredSnapshot;
  if (format !== snapshotFormat) return undefined;
  const byType = Object.fromEntries(eventTypes.map((type, index) => [type, counts[index] ?? 0]));
  const state = new StoreState(position, byType as unknown as EventCounts);
  const numbers = new VarintReader(Buffer.from(rows.buffer, rows.byteOffset, rows.length));
  let created = 0;
  for (let number = 0; number < size; number += 1) {
    created += numbers.number();
    state.restore({
      created,
      position: created + numbers.number(),
      contentVersion: numbers.number(),
      kind: kinds[numbers.number()] ?? "",
      isValid: numbers.number() === 1,
    });
  }
  return { state, root };
}
