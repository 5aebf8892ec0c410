/** The rows that a batch of events changes, by key: keys and framed rows one behind the other in a few large buffers. */
import {
  crc32c,
  encodeMessagePack,
  frameHeaderBytes,
  type StorageEntry,
} from "@sennit/core/storage";

import { rowPrefixBytes } from "./checkpoint.ts";
import { stagedKey } from "./keys.ts";
import { rowBytesBound, writeRow } from "./row-bytes.ts";
import type { RowValue } from "./row-value.ts";

const bufferBytes = 128 * 1024;
const slotsMin = 64;

/** Numbers kept of each row: the checksum of its key, its buffer, where it begins, where its key ends, where it ends. */
const fields = 5;

/**
 * Changes of rows, the last one of each. An object for each would live just long enough to be dear to collect, so what is known
 * of a row stands in one list of numbers, and keys are found by their checksums.
 */
export class RowTable {
  readonly #buffers: Buffer[] = [];
  #buffer: Buffer = Buffer.alloc(0);
  #at = 0;
  #rows: Uint32Array;
  #size = 0;
  /** For each slot the number of its row, from 1; 0 where there is none. */
  #slots: Uint32Array;

  /** @param expected how many rows there will be, as far as that is known */
  constructor(expected = 0) {
    const slots = Math.max(slotsMin, 2 ** Math.ceil(Math.log2(2 * expected + 1)));
    this.#slots = new Uint32Array(slots);
    this.#rows = new Uint32Array((slots / 2) * fields);
  }

  /** Rows changed. */
  get size(): number {
    return this.#size;
  }

  /**
   * The framed row under the staged key.
   *
   * @param keyBytes its length
   * @returns null when it was deleted, undefined when it is not changed
   */
  get(keyBytes: number): Buffer | null | undefined {
    const row = this.#slots[this.#slotOf(keyBytes, checksumOfKey(keyBytes))] as number;
    if (row === 0) return undefined;
    const at = (row - 1) * fields;
    const keyEnd = this.#rows[at + 3] as number;
    const end = this.#rows[at + 4] as number;
    if (keyEnd === end) return null;
    return (this.#buffers[this.#rows[at + 1] as number] as Buffer).subarray(keyEnd, end);
  }

  /** Puts a row under the staged key. @returns the checksum of table, key and value */
  put(keyBytes: number, value: RowValue): number {
    const bound = rowBytesBound(value);
    const packed = bound === undefined ? encodeMessagePack(value) : undefined;
    const start = this.#place(keyBytes, frameHeaderBytes + (bound ?? packed?.length ?? 0));
    const keySum = checksumOfKey(keyBytes);
    const keyEnd = start + keyBytes;
    const body = keyEnd + frameHeaderBytes;
    const end = packed === undefined ? writeRow(this.#buffer, body, value) : body + packed.length;
    if (packed !== undefined) this.#buffer.set(packed, body);
    const checksum = crc32c(this.#buffer, body, keySum, end);
    this.#buffer.writeUInt32LE(checksum, keyEnd);
    this.#note(keyBytes, keySum, start, end);
    return checksum;
  }

  /** Deletes the row under the staged key. @returns the checksum of table and key, negated */
  delete(keyBytes: number): number {
    const start = this.#place(keyBytes, 0);
    const keySum = checksumOfKey(keyBytes);
    this.#note(keyBytes, keySum, start, start + keyBytes);
    return ~keySum >>> 0;
  }

  /** Adds what is to be written. */
  addTo(puts: StorageEntry[], deletes: Uint8Array[]): void {
    const rows = this.#rows;
    for (let at = 0; at < this.#size * fields; at += fields) {
      const { buffer, byteOffset } = this.#buffers[rows[at + 1] as number] as Buffer;
      const start = rows[at + 2] as number;
      const keyEnd = rows[at + 3] as number;
      const end = rows[at + 4] as number;
      const key = new Uint8Array(buffer, byteOffset + start, keyEnd - start);
      if (keyEnd === end) deletes.push(key);
      else puts.push([key, new Uint8Array(buffer, byteOffset + keyEnd, end - keyEnd)]);
    }
  }

  /** Copies the staged key to where a row of so many bytes has room. @returns where that is */
  #place(keyBytes: number, valueBytes: number): number {
    const bytes = keyBytes + valueBytes;
    if (this.#at + bytes > this.#buffer.length) {
      this.#buffer = Buffer.allocUnsafeSlow(Math.max(bufferBytes, bytes));
      this.#buffers.push(this.#buffer);
      this.#at = 0;
    }
    const start = this.#at;
    stagedKey().copy(this.#buffer, start, 0, keyBytes);
    return start;
  }

  #note(keyBytes: number, keySum: number, start: number, end: number): void {
    this.#at = end;
    const slot = this.#slotOf(keyBytes, keySum);
    let row = this.#slots[slot] as number;
    if (row === 0) {
      this.#size += 1;
      row = this.#size;
      this.#slots[slot] = row;
    }
    if (row * fields > this.#rows.length) this.#growRows();
    const rows = this.#rows;
    const at = (row - 1) * fields;
    rows[at] = keySum;
    rows[at + 1] = this.#buffers.length - 1;
    rows[at + 2] = start;
    rows[at + 3] = start + keyBytes;
    rows[at + 4] = end;
    if (this.#size * 2 > this.#slots.length) this.#growSlots();
  }

  /** The slot of the staged key, or the empty one where it belongs. */
  #slotOf(keyBytes: number, keySum: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = keySum & mask; ; slot = (slot + 1) & mask) {
      const row = this.#slots[slot] as number;
      if (row === 0 || this.#hasKey(row, keyBytes, keySum)) return slot;
    }
  }

  #hasKey(row: number, keyBytes: number, keySum: number): boolean {
    const rows = this.#rows;
    const at = (row - 1) * fields;
    if (rows[at] !== keySum) return false;
    const start = rows[at + 2] as number;
    const keyEnd = rows[at + 3] as number;
    const buffer = this.#buffers[rows[at + 1] as number] as Buffer;
    return (
      keyEnd - start === keyBytes && stagedKey().compare(buffer, start, keyEnd, 0, keyBytes) === 0
    );
  }

  #growRows(): void {
    const rows = new Uint32Array(this.#rows.length * 2);
    rows.set(this.#rows);
    this.#rows = rows;
  }

  #growSlots(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let row = 1; row <= this.#size; row += 1) {
      let slot = (this.#rows[(row - 1) * fields] as number) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = row;
    }
    this.#slots = slots;
  }
}

function checksumOfKey(keyBytes: number): number {
  return crc32c(stagedKey(), rowPrefixBytes, 0, keyBytes);
}
