/** Checks a table file of LevelDB: its footer, and the checksum of every block. */
import { ByteReader, uint32At } from "./byte-reader.ts";
import { maskedCrc, type Flaw } from "./flaw.ts";
import { unsnappy } from "./snappy.ts";

const footerBytes = 48;
/** The end of the footer: 0xdb4775248b80fb57, little-endian. */
const magic = Buffer.from("57fb808b247547db", "hex");
/** After each block: how it is compressed (0 not at all, 1 Snappy), and the checksum of the block and that byte. */
const trailerBytes = 5;

/** Where a block stands, without its trailer. */
interface Block {
  readonly offset: number;
  readonly size: number;
}

/**
 * The first flaw of a table, or undefined. The blocks must fill the file without a gap and each must have its checksum, so no
 * changed bit goes unnoticed. Whether keys and values are what they should be is not asked: whoever wrote the
 * checksum wrote them.
 */
export function findTableFlaw(bytes: Uint8Array): Flaw | undefined {
  const footerStart = bytes.length - footerBytes;
  const footer = footerStart < 0 ? undefined : readFooter(bytes.subarray(footerStart));
  if (footer === undefined) return { offset: Math.max(0, footerStart), reason: "bad footer" };
  const blocks = [footer.metaindex, footer.index];
  for (const list of [footer.metaindex, footer.index]) {
    const flaw = findBlockFlaw(bytes, list, footerStart);
    if (flaw !== undefined) return flaw;
    const named = readBlockList(bytes, list);
    if (named === undefined) return { offset: list.offset, reason: "unreadable list of blocks" };
    blocks.push(...named);
  }
  blocks.sort((a, b) => a.offset - b.offset);
  let end = 0;
  for (const block of blocks) {
    if (block.offset !== end) return { offset: end, reason: "bytes that belong to no block" };
    const flaw = findBlockFlaw(bytes, block, footerStart);
    if (flaw !== undefined) return flaw;
    end += block.size + trailerBytes;
  }
  return end === footerStart ? undefined : { offset: end, reason: "bytes that belong to no block" };
}

/** A key of a table as LevelDB stores it. */
export interface TableEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** What stands in the sound blocks of a damaged table, deleted keys left out. Nothing when its list of blocks is damaged. */
export function* readSoundEntries(bytes: Uint8Array): Generator<TableEntry> {
  const footerStart = bytes.length - footerBytes;
  const footer = footerStart < 0 ? undefined : readFooter(bytes.subarray(footerStart));
  const isListSound =
    footer !== undefined && findBlockFlaw(bytes, footer.index, footerStart) === undefined;
  const blocks = isListSound ? readBlockList(bytes, footer.index) : undefined;
  for (const block of blocks ?? []) {
    if (findBlockFlaw(bytes, block, footerStart) !== undefined) continue;
    let previous: Uint8Array = Buffer.alloc(0);
    for (const { shared, rest, value } of readEntries(bytes, block)) {
      previous = Buffer.concat([previous.subarray(0, shared), rest]);
      // After the key stand 8 bytes: what was done (1 for a put), and in which order.
      const keyBytes = previous.length - 8;
      if (previous[keyBytes] === 1) yield { key: previous.subarray(0, keyBytes), value };
    }
  }
}

function readFooter(footer: Uint8Array): { metaindex: Block; index: Block } | undefined {
  const padding = footerBytes - magic.length;
  if (!magic.equals(footer.subarray(padding))) return undefined;
  try {
    const reader = new ByteReader(footer.subarray(0, padding));
    const blocks = { metaindex: readHandle(reader), index: readHandle(reader) };
    return footer.subarray(reader.offset, padding).every((byte) => byte === 0) ? blocks : undefined;
  } catch {
    return undefined;
  }
}

function readHandle(reader: ByteReader): Block {
  return { offset: reader.varint(), size: reader.varint() };
}

function findBlockFlaw(
  bytes: Uint8Array,
  { offset, size }: Block,
  until: number,
): Flaw | undefined {
  const crcStart = offset + size + 1;
  if (offset + size + trailerBytes > until) return { offset, reason: "a block past the end" };
  if (maskedCrc(bytes.subarray(offset, crcStart)) === uint32At(bytes, crcStart)) return undefined;
  return { offset, reason: "a block whose checksum differs" };
}

/** The blocks that an index or a metaindex names: the values of its entries. */
function readBlockList(bytes: Uint8Array, list: Block): Block[] | undefined {
  try {
    return readEntries(bytes, list).map(({ value }) => readHandle(new ByteReader(value)));
  } catch {
    return undefined;
  }
}

/** The entries of a block; the beginning of a key that it shares with the one before is left out. */
function readEntries(
  bytes: Uint8Array,
  { offset, size }: Block,
): { readonly shared: number; readonly rest: Uint8Array; readonly value: Uint8Array }[] {
  const stored = bytes.subarray(offset, offset + size);
  const block = bytes[offset + size] === 0 ? stored : unsnappy(stored);
  const restarts = uint32At(block, block.length - 4);
  const reader = new ByteReader(block.subarray(0, block.length - 4 * (restarts + 1)));
  const entries = [];
  while (!reader.isAtEnd) {
    const shared = reader.varint();
    const restBytes = reader.varint();
    const valueBytes = reader.varint();
    entries.push({ shared, rest: reader.take(restBytes), value: reader.take(valueBytes) });
  }
  return entries;
}
