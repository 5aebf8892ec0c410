/** Cuts a stream of lines into bodies of requests, and gives events ids where they have none. */
import { newId } from "./event-id.ts";

/** The lines of one request. */
export interface Upload {
  readonly body: Uint8Array<ArrayBuffer>;
  /** The number of its first line, from 1. */
  readonly firstLine: number;
  /** The ids that were given here. */
  readonly ownIds: ReadonlySet<string>;
}

interface UploadLimits {
  readonly linesMax: number;
  readonly bytesMax: number;
  readonly withIds: boolean;
}

/** Of a line above this no server takes more is kept than shows that it is too long. */
const lineBytesKept = 8 * 1024 * 1024 + 1;

/** Parts joined into one: each on its own takes some hundred bytes more than it holds. */
const partsToBlock = 2048;

const lineFeed = 10;
const encoder = new TextEncoder();
// What is not UTF-8 must arrive as it is, and be refused as that.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export class UploadCutter {
  readonly #limits: UploadLimits;
  /** Parts of the line that has begun. */
  #line: Uint8Array[] = [];
  #lineBytes = 0;
  /** Whole lines, with their ends: those that were joined, and those behind them. */
  #blocks: Uint8Array[] = [];
  #parts: Uint8Array[] = [];
  #bytes = 0;
  #lines = 0;
  /** When the first of them ended, in milliseconds of the runtime. */
  #heldSince = 0;
  #firstLine = 1;
  #ownIds = new Set<string>();

  constructor(limits: UploadLimits) {
    this.#limits = limits;
  }

  /** Bytes held. */
  get bytes(): number {
    return this.#bytes + this.#lineBytes;
  }

  /** How long whole lines have been held, milliseconds; undefined for none. */
  get heldMs(): number | undefined {
    return this.#lines === 0 ? undefined : performance.now() - this.#heldSince;
  }

  /** The bodies that a chunk fills. Its memory may be used again afterwards. */
  *cut(chunk: Uint8Array): Generator<Upload> {
    let start = 0;
    for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, start)) {
      this.#begin(chunk.subarray(start, end));
      start = end + 1;
      this.#endLine();
      if (this.#lines >= this.#limits.linesMax || this.#bytes >= this.#limits.bytesMax) {
        yield this.#take();
      }
    }
    this.#begin(chunk.subarray(start));
  }

  /** The whole lines held; the line that has begun is kept. */
  wholeLines(): Upload {
    return this.#take();
  }

  /** What is left, with a line that has not ended; undefined for nothing. */
  rest(): Upload | undefined {
    if (this.#lineBytes > 0) this.#endLine();
    return this.#lines === 0 ? undefined : this.#take();
  }

  #begin(part: Uint8Array): void {
    const kept = part.slice(0, Math.max(0, lineBytesKept - this.#lineBytes));
    if (kept.length === 0) return;
    this.#line.push(kept);
    this.#lineBytes += kept.length;
  }

  #endLine(): void {
    const line = this.#limits.withIds ? this.#withId(joined(this.#line)) : joined(this.#line);
    this.#line = [];
    this.#lineBytes = 0;
    if (this.#lines === 0) this.#heldSince = performance.now();
    this.#parts.push(line, Uint8Array.of(lineFeed));
    if (this.#parts.length >= partsToBlock) {
      this.#blocks.push(joined(this.#parts));
      this.#parts = [];
    }
    this.#bytes += line.length + 1;
    this.#lines += 1;
  }

  /** The line as it is, or with an id as the first member of its event. */
  #withId(line: Uint8Array): Uint8Array {
    if (line.length === 0 || line.length >= lineBytesKept) return line;
    let text: string;
    try {
      text = decoder.decode(line);
      const event: unknown = JSON.parse(text);
      const lacksId =
        typeof event === "object" &&
        event !== null &&
        !Array.isArray(event) &&
        !Object.hasOwn(event, "id") &&
        Object.hasOwn(event, "type");
      if (!lacksId) return line;
    } catch {
      return line;
    }
    const id = newId();
    this.#ownIds.add(id);
    return encoder.encode(text.replace("{", `{"id":"${id}",`));
  }

  #take(): Upload {
    const body = joined([...this.#blocks, ...this.#parts]);
    const upload = { body, firstLine: this.#firstLine, ownIds: this.#ownIds };
    this.#firstLine += this.#lines;
    this.#blocks = [];
    this.#parts = [];
    this.#bytes = 0;
    this.#lines = 0;
    this.#ownIds = new Set();
    return upload;
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
