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

/** All lines but blank ones. Of a line above the limit nothing is kept but that it was there. */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Line> {
  const gathered = new LineBuffer();
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let start = 0;
    for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, start)) {
      gathered.add(bytes.subarray(start, end));
      start = end + 1;
      yield* gathered.take();
    }
    // The chunk's memory may be used again by the stream, so what is kept is copied.
    gathered.add(Buffer.from(bytes.subarray(start)));
  }
  yield* gathered.take();
}

class LineBuffer {
  #number = 0;
  #parts: Buffer[] = [];
  #bytes = 0;

  add(part: Buffer): void {
    this.#bytes += part.length;
    if (this.#bytes > lineBytesMax) this.#parts = [];
    else if (part.length > 0) this.#parts.push(part);
  }

  /** The line gathered, and a new start. */
  *take(): Generator<Line> {
    const number = (this.#number += 1);
    const bytes = this.#bytes;
    const whole = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    if (bytes > lineBytesMax) {
      yield { number, problem: "too-long" };
      return;
    }
    const text = decode(whole);
    if (text === undefined) yield { number, problem: "not-utf-8" };
    else if (text !== "") yield { number, text, bytes };
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
