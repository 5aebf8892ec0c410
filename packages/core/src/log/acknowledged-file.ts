/**
 * The side file of the last acknowledged position and root, apart from the database, so that a log that has lost its end
 * cannot pass for a shorter one.
 *
 * Two slots of 64 bytes are written in turn, each synced: CRC-32C (4 bytes), position (float64), root (32 bytes), the
 * time up to which the store has been asked about (float64, microseconds), zeros.
 * Writing follows the acknowledgement and never delays it. A second sync for every write of the log would halve its
 * speed, so under load the file is written ten times a second: it may lag by that much, and never leads.
 */
import { open, readFile, type FileHandle } from "node:fs/promises";

import { crc32c } from "../codec/crc32c.ts";
import { StoreError } from "../errors.ts";
import type { Position } from "../ids.ts";
import { emptyRoot, hashBytes } from "../merkle/hashing.ts";

const slotBytes = 64;
const crcBytes = 4;
const positionBytes = 8;
const rootStart = crcBytes + positionBytes;
/** Shortest time between two writes, milliseconds. */
const intervalMs = 100;

/** A position that was acknowledged, and the Merkle root then. */
export interface Acknowledged {
  readonly position: Position;
  readonly root: Uint8Array;
  /** No event may be recorded at or before this time any more. Microseconds since the epoch; 0 for none. */
  readonly answeredUntilUs: number;
}

export class AcknowledgedFile {
  /** What the file said when it was opened; undefined for a new file. */
  readonly last: Acknowledged | undefined;
  /** Why nothing may be written to the log; undefined for a file that can be read. */
  readonly damage: StoreError | undefined;
  /** Undefined for a file that is lost: what is left of it stays as it is. */
  readonly #file: FileHandle | undefined;
  #slot: number;
  #next: (() => Acknowledged) | undefined;
  #writing: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

  private constructor(
    file: FileHandle | undefined,
    last: Acknowledged | undefined,
    slot: number,
    damage?: StoreError,
  ) {
    this.#file = file;
    this.last = last;
    this.#slot = slot;
    this.damage = damage;
  }

  /** Opens the file, and makes it when it is not there. One that may only be read is compared with, and not written. */
  static async open(path: string): Promise<AcknowledgedFile> {
    const file = await open(path, "r+").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return open(path, "w+");
      if (error.code === "EACCES" || error.code === "EPERM" || error.code === "EROFS") {
        return open(path, "r");
      }
      throw error;
    });
    const bytes = Buffer.alloc(2 * slotBytes);
    await file.read(bytes, 0, bytes.length, 0);
    const { last, slot } = newestSlot(bytes);
    return new AcknowledgedFile(file, last, 1 - slot);
  }

  /** Stands for a file that is lost, and touches nothing. */
  static lost(path: string): AcknowledgedFile {
    return new AcknowledgedFile(undefined, undefined, 0, lostAcknowledged(path));
  }

  /** Notes what has been acknowledged: written at once, or together with what comes within the interval. */
  note(acknowledged: () => Acknowledged): void {
    this.#next = acknowledged;
    if (this.#timer !== undefined) return;
    this.#writing = this.#writing.then(() => this.#write());
    this.#timer = setTimeout(() => this.#afterInterval(), intervalMs);
    // A process that has nothing else to do need not stay for it: closing writes what is left.
    this.#timer.unref();
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#writing;
    await this.#write();
    await this.#file?.close();
  }

  #afterInterval(): void {
    this.#timer = undefined;
    if (this.#next !== undefined) this.note(this.#next);
  }

  async #write(): Promise<void> {
    const next = this.#next;
    this.#next = undefined;
    if (next === undefined || this.#file === undefined) return;
    try {
      await this.#file.write(slotOf(next()), 0, slotBytes, this.#slot * slotBytes);
      await this.#file.datasync();
      this.#slot = 1 - this.#slot;
    } catch {
      // The events are durable without it. An older note only notices less, and the next note tries again.
    }
  }
}

/** What a side file says, without writing to it; undefined when there is none or none of its slots is whole. */
export async function readAcknowledged(path: string): Promise<Acknowledged | undefined> {
  const bytes = await readFile(path).catch(() => Buffer.alloc(0));
  return newestSlot(Buffer.concat([bytes, Buffer.alloc(2 * slotBytes)])).last;
}

/** The content of a new file: nothing was acknowledged, and nothing asked. A store has one from its making on. */
export function newAcknowledged(): Buffer {
  const slot = slotOf({ position: 0, root: emptyRoot, answeredUntilUs: 0 });
  return Buffer.concat([slot, Buffer.alloc(slotBytes)]);
}

/**
 * True when a store has no side file that can be read, so that an end that is missing from its log would go unnoticed.
 *
 * @param isUsed the log has been written to; one that has not may have an empty file, which older versions made
 */
export async function isAcknowledgedLost(path: string, isUsed: boolean): Promise<boolean> {
  if ((await readAcknowledged(path)) !== undefined) return false;
  const bytes = await readFile(path).catch(() => undefined);
  return isUsed || bytes === undefined || bytes.length > 0;
}

/** What is wrong with a store whose side file is lost. */
export function lostAcknowledged(path: string): StoreError {
  return new StoreError(
    "file-damaged",
    `The file ${path}, which says what was acknowledged, is missing or cannot be read: whether the log still has its end is not known.`,
    {
      hint: "Put back a copy of the file, or accept the log as it is: sennit verify --repair",
      details: { path, part: "acknowledged" },
    },
  );
}

function newestSlot(bytes: Buffer): { last: Acknowledged | undefined; slot: 0 | 1 } {
  const first = readSlot(bytes.subarray(0, slotBytes));
  const second = readSlot(bytes.subarray(slotBytes, 2 * slotBytes));
  return isNewer(second, first) ? { last: second, slot: 1 } : { last: first, slot: 0 };
}

function isNewer(a: Acknowledged | undefined, b: Acknowledged | undefined): boolean {
  if (a === undefined || b === undefined) return a !== undefined;
  return a.position === b.position
    ? a.answeredUntilUs > b.answeredUntilUs
    : a.position > b.position;
}

function slotOf({ position, root, answeredUntilUs }: Acknowledged): Buffer {
  const slot = Buffer.alloc(slotBytes);
  slot.writeDoubleLE(position, crcBytes);
  slot.set(root, rootStart);
  slot.writeDoubleLE(answeredUntilUs, rootStart + hashBytes);
  slot.writeUInt32LE(crc32c(slot, crcBytes), 0);
  return slot;
}

function readSlot(slot: Buffer): Acknowledged | undefined {
  if (slot.readUInt32LE(0) !== crc32c(slot, crcBytes)) return undefined;
  const position = slot.readDoubleLE(crcBytes);
  const root = Buffer.from(slot.subarray(rootStart, rootStart + hashBytes));
  return { position, root, answeredUntilUs: slot.readDoubleLE(rootStart + hashBytes) };
}
