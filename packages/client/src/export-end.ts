/** Reads what an export says at its end, while its bytes pass by. */
import type { ExportFormName, ExportSummary } from "@sennit/core";

/** Bytes that the last item of an export has at most, in either form. */
const endBytesMax = 512;

const digestBytes = 32;

export class ExportEnd {
  readonly #format: ExportFormName;
  #tail = new Uint8Array(0);

  constructor(format: ExportFormName) {
    this.#format = format;
  }

  add(chunk: Uint8Array): void {
    const kept = chunk.subarray(Math.max(0, chunk.length - endBytesMax));
    const before = this.#tail.subarray(Math.max(0, this.#tail.length + kept.length - endBytesMax));
    const tail = new Uint8Array(before.length + kept.length);
    tail.set(before);
    tail.set(kept, before.length);
    this.#tail = tail;
  }

  /** Undefined when the export has not come to its end. */
  summary(): ExportSummary | undefined {
    return this.#format === "ndjson" ? lastLine(this.#tail) : lastValue(this.#tail);
  }
}

interface EndLine {
  readonly end?: {
    readonly head: number;
    readonly root: string;
    readonly idempotencyKeys: { readonly count: number };
  };
}

function lastLine(tail: Uint8Array): ExportSummary | undefined {
  const text = new TextDecoder().decode(tail);
  if (!text.endsWith("\n")) return undefined;
  const line = text.slice(text.lastIndexOf("\n", text.length - 2) + 1);
  try {
    const { end } = JSON.parse(line) as EndLine;
    if (end === undefined) return undefined;
    return { head: end.head, root: end.root, idempotencyKeys: end.idempotencyKeys.count };
  } catch {
    return undefined;
  }
}

/** The array `[4, head, root, count, sha256]`, which must end where the bytes do. */
function lastValue(tail: Uint8Array): ExportSummary | undefined {
  for (let at = 0; at + 2 < tail.length; at += 1) {
    if (tail[at] !== 0x95 || tail[at + 1] !== 4) continue;
    const head = readNumber(tail, at + 2);
    const root = head && readDigest(tail, head.next);
    const count = root && readNumber(tail, root.next);
    const sum = count && readDigest(tail, count.next);
    if (sum?.next !== tail.length) continue;
    return { head: head?.value ?? 0, root: root?.hex ?? "", idempotencyKeys: count?.value ?? 0 };
  }
  return undefined;
}

/** Bytes of a number behind its first byte, in MessagePack. */
const numberBytes: Readonly<Record<number, number>> = {
  0xcc: 1,
  0xcd: 2,
  0xce: 4,
  0xcf: 8,
  0xcb: 8,
};

function readNumber(
  bytes: Uint8Array,
  at: number,
): { readonly value: number; readonly next: number } | undefined {
  const first = bytes[at] ?? 0xff;
  if (first < 0x80) return { value: first, next: at + 1 };
  const length = numberBytes[first];
  if (length === undefined || at + 1 + length > bytes.length) return undefined;
  const next = at + 1 + length;
  if (first === 0xcb) {
    return { value: new DataView(bytes.buffer, bytes.byteOffset + at + 1, 8).getFloat64(0), next };
  }
  const value = bytes.subarray(at + 1, next).reduce((sum, byte) => sum * 256 + byte, 0);
  return { value, next };
}

function readDigest(
  bytes: Uint8Array,
  at: number,
): { readonly hex: string; readonly next: number } | undefined {
  const next = at + 2 + digestBytes;
  if (bytes[at] !== 0xc4 || bytes[at + 1] !== digestBytes || next > bytes.length) return undefined;
  const digits = [...bytes.subarray(at + 2, next)].map((byte) =>
    byte.toString(16).padStart(2, "0"),
  );
  return { hex: digits.join(""), next };
}
