/** The lines of a byte stream, with their numbers, in constant memory. */

/** Bytes of one line; an event of the largest size fits with room to spare. */
export const lineBytesMax = 8 * 1024 * 1024;

/** A line without its end. */
export type Line = {
  /** From 1. */
  readonly number: number;
} & (
  | { readonly text: string; readonly bytes: number }
  | { readonly problem: "not-utf-8" | "too-long" }
);

/** Cuts chunks into lines, all but blank ones. Of a line above the limit nothing is kept but that it was there. */
export class LineCutter {
  #number = 0;
  #parts: Buffer[] = [];
  #bytes = 0;

  /** The lines that end in a chunk. They are to be taken before its memory is used again. */
  *cut(chunk: Uint8Array): Generator<Line> {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let start = 0;
    for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, start)) {
      this.#add(bytes.subarray(start, end));
      start = end + 1;
      const line = this.#take();
      if (line !== undefined) yield line;
    }
    // The chunk's memory may be used again by the stream, so what is kept is copied.
    this.#add(Buffer.from(bytes.subarray(start)));
  }

  /** The line that has begun and will not be ended; undefined for none. */
  rest(): Line | undefined {
    return this.#take();
  }

  #add(part: Buffer): void {
    this.#bytes += part.length;
    if (this.#bytes > lineBytesMax) this.#parts = [];
    else if (part.length > 0) this.#parts.push(part);
  }

  /** The line gathered, and a new start. */
  #take(): Line | undefined {
    const number = (this.#number += 1);
    const bytes = this.#bytes;
    const [first] = this.#parts;
    const whole =
      first !== undefined && this.#parts.length === 1 ? first : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    if (bytes > lineBytesMax) return { number, problem: "too-long" };
    const text = decode(whole);
    if (text === undefined) return { number, problem: "not-utf-8" };
    return text === "" ? undefined : { number, text, bytes };
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true });

/** The text without white space around it; undefined for what is no UTF-8. */
function decode(bytes: Buffer): string | undefined {
  try {
    // The decoder also takes away a byte order mark.
    return decoder.decode(bytes).trim();
  } catch {
    return undefined;
  }
}
