/** The lines of a byte stream, with their numbers, in constant memory. */
import { StoreError } from "@sennit/core";

/** Bytes of one line; an event of the largest size fits with room to spare. */
export const lineBytesMax = 8 * 1024 * 1024;

export interface Line {
  /** From 1. */
  readonly number: number;
  /** Undefined when the bytes are no UTF-8. */
  readonly text: string | undefined;
}

/** Lines without their ends; blank ones are left out. @throws `batch-too-large` for a line above the limit */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Line> {
  let number = 0;
  let rest: Buffer[] = [];
  let restBytes = 0;
  for await (const chunk of chunks) {
    let start = 0;
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, start)) {
      number += 1;
      const line = Buffer.concat([...rest, bytes.subarray(start, end)]);
      rest = [];
      restBytes = 0;
      start = end + 1;
      yield* decodeLine(line, number);
    }
    // The chunk's memory may be used again by the stream, so what is kept is copied.
    rest.push(Buffer.from(bytes.subarray(start)));
    restBytes += bytes.length - start;
    if (restBytes > lineBytesMax) {
      throw new StoreError(
        "batch-too-large",
        `Line ${number + 1} is longer than ${lineBytesMax} bytes.`,
        {
          hint: "Put one event on each line.",
          details: { line: number + 1, bytesMax: lineBytesMax },
        },
      );
    }
  }
  yield* decodeLine(Buffer.concat(rest), number + 1);
}

const decoder = new TextDecoder("utf-8", { fatal: true });

function* decodeLine(bytes: Buffer, number: number): Generator<Line> {
  let text: string;
  try {
    // The decoder also takes away a byte order mark.
    text = decoder.decode(bytes).trim();
  } catch {
    yield { number, text: undefined };
    return;
  }
  if (text !== "") yield { number, text };
}
