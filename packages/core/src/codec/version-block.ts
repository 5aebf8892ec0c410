/**
 * A version block: up to 64 consecutive versions of one record in fixed-width entries, so that "which version stood at
 * this position" is a binary search in one value.
 *
 * Body: format (1 byte), 0 (1), count (2), first version (4), position of the record's first event (8), its time in
 * microseconds (8), then `count` entries of 56 bytes. Numbers are little-endian; positions and times are float64.
 */
import { assert } from "../assert.ts";
import { StoreError } from "../errors.ts";
import { contentDigestBytes } from "../event/document.ts";
import { eventTypes, type EventType } from "../event/event.ts";
import type { Position, Version } from "../ids.ts";

/** Versions in a full block. */
export const blockVersionsMax = 64;

const blockFormat = 1;
const headerBytes = 24;
const entryBytes = 56;
/** Codes of where the content stands: by itself in space S, or nowhere any more. */
const patchedContent = 1;
const erasedContent = 2;
const noDigest = Buffer.alloc(contentDigestBytes);
// One row serves all comparisons: it is read before the next call can change it.
const expectedRow = Buffer.alloc(entryBytes);

/** What the store knows of a version without reading the log. */
export interface VersionEntry {
  readonly version: Version;
  readonly type: EventType;
  readonly position: Position;
  readonly recordedAtUs: number;
  /** The version whose content this one has: its own, or for an invalidation the one before. */
  readonly contentVersion: Version;
  /** The position of the event that made that content. */
  readonly contentPosition: Position;
  /** True when the whole document stands under a key of its own, because that event was a patch. */
  readonly patched: boolean;
  /** True when that content has been erased. */
  readonly erased: boolean;
  /**
   * Digest of the content, or undefined where it has not been computed (the first version's never is). Erased content
   * has a tag in its place, which equals that of other versions whose content was the same.
   */
  readonly digest: Buffer | undefined;
  /** For an invalidation: the versions it withdraws. Otherwise 0 and 0. */
  readonly from: Version;
  readonly to: Version;
}

/** A version that has not been given its number yet: the block does that. */
export type NewVersion = Omit<VersionEntry, "version">;

/** One block, read in place. Blocks are values: `with` returns a new one. */
export class VersionBlock {
  /** The block's bytes, without the frame. */
  readonly bytes: Buffer;
  readonly #view: DataView;

  /** @throws `format-too-new` */
  constructor(bytes: Buffer) {
    if (bytes[0] !== blockFormat) throw unknownFormat(bytes[0]);
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The first block of a record, with its first version. */
  static first(entry: NewVersion): VersionBlock {
    return VersionBlock.#start(1, entry.position, entry.recordedAtUs, entry, 0);
  }

  static #start(
    firstVersion: Version,
    createdPosition: Position,
    createdAtUs: number,
    entry: NewVersion,
    lastInvalidation: Version,
  ): VersionBlock {
    const bytes = Buffer.allocUnsafe(headerBytes + entryBytes).fill(0);
    bytes[0] = blockFormat;
    bytes.writeUInt16LE(1, 2);
    bytes.writeUInt32LE(firstVersion, 4);
    bytes.writeDoubleLE(createdPosition, 8);
    bytes.writeDoubleLE(createdAtUs, 16);
    writeEntry(bytes, headerBytes, entry, lastInvalidation);
    return new VersionBlock(bytes);
  }

  /** The block after this full one, with its first version. */
  next(entry: NewVersion): VersionBlock {
    assert(this.isFull, "only a full block has a next one");
    return VersionBlock.#start(
      this.lastVersion + 1,
      this.createdPosition,
      this.createdAtUs,
      entry,
      this.lastInvalidation,
    );
  }

  get count(): number {
    return this.#view.getUint16(2, true);
  }

  get firstVersion(): Version {
    return this.#view.getUint32(4, true);
  }

  get lastVersion(): Version {
    return this.firstVersion + this.count - 1;
  }

  get isFull(): boolean {
    return this.count === blockVersionsMax;
  }

  /** The block's place among its record's blocks, from 0. */
  get index(): number {
    return (this.firstVersion - 1) / blockVersionsMax;
  }

  /** The position of the record's first event. */
  get createdPosition(): Position {
    return this.#view.getFloat64(8, true);
  }

  /** The time of the record's first event, microseconds since the epoch. */
  get createdAtUs(): number {
    return this.#view.getFloat64(16, true);
  }

  /** The record's newest version that is an invalidation, up to this block; 0 for none. */
  get lastInvalidation(): Version {
    return this.lastInvalidationUpTo(this.lastVersion);
  }

  /** The record's newest version that is an invalidation, up to a version of this block; 0 for none. */
  lastInvalidationUpTo(version: Version): Version {
    const at = this.#rowAt(version);
    const isInvalidation = this.#view.getUint8(at) === 3;
    return isInvalidation ? version : this.#view.getUint32(at + 32, true);
  }

  /** False for bytes that no writer makes: a length that does not fit the count, or a first version that begins no block. */
  get isWellFormed(): boolean {
    const { count, index, bytes } = this;
    return (
      bytes.length === headerBytes + count * entryBytes &&
      bytes[1] === 0 &&
      count >= 1 &&
      count <= blockVersionsMax &&
      Number.isInteger(index)
    );
  }

  /** True when a version's stored row is what would be written for this entry, reserved bytes included. */
  holdsRow(version: Version, entry: NewVersion, lastInvalidation: Version): boolean {
    const at = this.#rowAt(version);
    expectedRow.fill(0);
    writeEntry(expectedRow, 0, entry, lastInvalidation);
    return expectedRow.equals(this.bytes.subarray(at, at + entryBytes));
  }

  get firstPosition(): Position {
    return this.#positionAt(0);
  }

  get lastPosition(): Position {
    return this.#positionAt(this.count - 1);
  }

  /** The newest version of the block. */
  last(): VersionEntry {
    return this.entry(this.lastVersion);
  }

  /** One version of the block. */
  entry(version: Version): VersionEntry {
    const at = this.#rowAt(version);
    const view = this.#view;
    const type = eventTypes[view.getUint8(at) - 1];
    const content = view.getUint8(at + 1);
    // What a newer Sennit writes here would be misread.
    if (type === undefined || content > erasedContent) throw unknownFormat(this.bytes[0]);
    const digest = this.bytes.subarray(at + 40, at + 40 + contentDigestBytes);
    return {
      version,
      type,
      patched: content === patchedContent,
      erased: content === erasedContent,
      contentVersion: view.getUint32(at + 4, true),
      position: view.getFloat64(at + 8, true),
      recordedAtUs: view.getFloat64(at + 16, true),
      contentPosition: view.getFloat64(at + 24, true),
      from: view.getUint8(at) === 3 ? view.getUint32(at + 32, true) : 0,
      to: view.getUint32(at + 36, true),
      digest: digest.equals(noDigest) ? undefined : digest,
    };
  }

  /** The last version at or before a position, or 0 when the block starts after it. */
  versionAt(position: Position): Version {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#positionAt(middle) <= position) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? 0 : this.firstVersion + low - 1;
  }

  /**
   * The first invalidation after `version` that withdraws it and stands at or before `position`, in this block.
   *
   * @param version a content version; it may stand in an earlier block
   */
  withdrawalOf(version: Version, position: Position): VersionEntry | undefined {
    const start = Math.max(0, version + 1 - this.firstVersion);
    const view = this.#view;
    for (let index = start; index < this.count; index += 1) {
      const at = headerBytes + index * entryBytes;
      if (view.getFloat64(at + 8, true) > position) return undefined;
      if (view.getUint8(at) !== 3) continue;
      if (view.getUint32(at + 32, true) <= version && version <= view.getUint32(at + 36, true)) {
        return this.entry(this.firstVersion + index);
      }
    }
    return undefined;
  }

  /** A block with one more version. The block must not be full. */
  with(entry: NewVersion): VersionBlock {
    assert(!this.isFull, "a full block takes no more versions");
    const bytes = Buffer.allocUnsafe(this.bytes.length + entryBytes).fill(0, this.bytes.length);
    this.bytes.copy(bytes);
    bytes.writeUInt16LE(this.count + 1, 2);
    writeEntry(bytes, this.bytes.length, entry, this.lastInvalidation);
    return new VersionBlock(bytes);
  }

  /** A block in which the content of some versions is erased: by content version, the tag that takes the digest's place. */
  withErased(tags: ReadonlyMap<Version, Uint8Array>): VersionBlock {
    const bytes = Buffer.from(this.bytes);
    for (let version = this.firstVersion; version <= this.lastVersion; version += 1) {
      const at = this.#rowAt(version);
      const tag = tags.get(this.#view.getUint32(at + 4, true));
      if (tag === undefined) continue;
      bytes[at + 1] = erasedContent;
      bytes.set(tag, at + 40);
    }
    return new VersionBlock(bytes);
  }

  #rowAt(version: Version): number {
    const index = version - this.firstVersion;
    assert(index >= 0 && index < this.count, "the version stands in this block");
    return headerBytes + index * entryBytes;
  }

  #positionAt(index: number): Position {
    return this.#view.getFloat64(headerBytes + index * entryBytes + 8, true);
  }
}

/** Writes an entry into bytes that are zero. */
function writeEntry(bytes: Buffer, at: number, entry: NewVersion, lastInvalidation: Version): void {
  bytes[at] = eventTypes.indexOf(entry.type) + 1;
  bytes[at + 1] = entry.erased ? erasedContent : entry.patched ? patchedContent : 0;
  bytes.writeUInt32LE(entry.contentVersion, at + 4);
  bytes.writeDoubleLE(entry.position, at + 8);
  bytes.writeDoubleLE(entry.recordedAtUs, at + 16);
  bytes.writeDoubleLE(entry.contentPosition, at + 24);
  const isInvalidation = entry.type === "record.invalidated";
  bytes.writeUInt32LE(isInvalidation ? entry.from : lastInvalidation, at + 32);
  bytes.writeUInt32LE(entry.to, at + 36);
  if (entry.digest !== undefined) bytes.set(entry.digest, at + 40);
}

function unknownFormat(format: number | undefined): StoreError {
  return new StoreError(
    "format-too-new",
    `A version block of format ${format} holds what this Sennit, which reads up to ${blockFormat}, does not know.`,
    { details: { format } },
  );
}
