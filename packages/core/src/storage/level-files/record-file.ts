/** Reads the files that LevelDB appends records to: its write-ahead logs and its manifests. */
import { uint32At } from "./byte-reader.ts";
import { maskedCrc, type Flaw } from "./flaw.ts";

const blockBytes = 32 * 1024;
/** Checksum, length and type of a fragment. */
const headerBytes = 7;

const full = 1;
const first = 2;
const last = 4;

/** A record is one fragment, or several where it does not fit into the rest of a block. */
interface Fragment {
  readonly type: number;
  readonly bytes: Uint8Array;
  /** Where the next one begins. */
  readonly end: number;
}

/** What a file of records holds. */
export interface RecordFile {
  /** The whole records, in fragments. */
  readonly records: readonly (readonly Uint8Array[])[];
  /** Where an unfinished record at the very end begins: what a killed process leaves. Whether anything acknowledged stood there, the file cannot say. */
  readonly tornAt?: number | undefined;
  /** Something unreadable that a later record follows, so it was whole once. */
  readonly flaw?: Flaw | undefined;
}

/** Reads a file up to its end or to the first place that is no record. */
export function readRecordFile(file: Uint8Array): RecordFile {
  const records: Uint8Array[][] = [];
  let parts: Uint8Array[] = [];
  let start = 0;
  let offset = 0;
  while (offset < file.length) {
    const left = blockBytes - (offset % blockBytes);
    if (left < headerBytes) {
      offset += left;
      continue;
    }
    const fragment = fragmentAt(file, offset);
    if (fragment === undefined || isBeginning(fragment) !== (parts.length === 0)) {
      return { records, ...judge(file, offset, parts.length > 0 ? start : offset) };
    }
    if (parts.length === 0) start = offset;
    parts.push(fragment.bytes);
    if (fragment.type === full || fragment.type === last) {
      records.push(parts);
      parts = [];
    }
    offset = fragment.end;
  }
  return parts.length > 0 ? { records, tornAt: start } : { records };
}

/**
 * Every write is synced before the next one begins. So only the last record can be unfinished, and a record that begins after
 * an unreadable place proves that something stood there.
 */
function judge(file: Uint8Array, offset: number, start: number): Omit<RecordFile, "records"> {
  if (!recordBeginsFrom(file, offset)) return { tornAt: start };
  return { flaw: { offset, reason: "an unreadable record with others after it" } };
}

function recordBeginsFrom(file: Uint8Array, offset: number): boolean {
  const blockEnd = Math.min(file.length, offset + blockBytes - (offset % blockBytes));
  // The length that leads to the next fragment may be what is wrong, so in this block it may begin at any byte.
  for (let at = offset; at < blockEnd; at += 1) {
    const fragment = fragmentAt(file, at);
    if (fragment !== undefined && isBeginning(fragment)) return true;
  }
  for (let block = blockEnd; block < file.length; block += blockBytes) {
    let fragment = fragmentAt(file, block);
    while (fragment !== undefined) {
      if (isBeginning(fragment)) return true;
      fragment = fragmentAt(file, fragment.end);
    }
  }
  return false;
}

function isBeginning({ type }: Fragment): boolean {
  return type === full || type === first;
}

/** The fragment at an offset; undefined where there is none with a correct checksum. */
function fragmentAt(file: Uint8Array, offset: number): Fragment | undefined {
  const start = offset + headerBytes;
  const blockEnd = Math.min(file.length, offset + blockBytes - (offset % blockBytes));
  if (start > blockEnd) return undefined;
  const end = start + (file[offset + 4] as number) + (file[offset + 5] as number) * 256;
  const type = file[offset + 6] as number;
  if (end > blockEnd || type < full || type > last) return undefined;
  if (maskedCrc(file.subarray(offset + 6, end)) !== uint32At(file, offset)) return undefined;
  return { type, bytes: file.subarray(start, end), end };
}
