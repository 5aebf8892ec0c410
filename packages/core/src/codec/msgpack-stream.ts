/** Reads MessagePack values that stand one after another, from bytes that come in pieces. */
import { decodeMessagePackSequence } from "./msgpack.ts";

export interface MessagePackReading {
  /** Bytes of one value at most, so that a length that is a lie cannot fill the memory. */
  readonly bytesMax: number;
  /** The error for bytes that end within a value. */
  readonly onIncomplete: () => Error;
  /** The error for bytes that are no value. */
  readonly onInvalid: (cause: unknown) => Error;
}

/** The values in order. Memory holds one piece and one value. */
export async function* readMessagePackValues(
  bytes: AsyncIterable<Uint8Array>,
  { bytesMax, onIncomplete, onInvalid }: MessagePackReading,
): AsyncGenerator {
  let rest: Uint8Array = new Uint8Array();
  for await (const chunk of bytes) {
    const joined = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const { values, end, error } = decodeMessagePackSequence(joined);
    yield* values;
    if (error !== undefined) throw onInvalid(error);
    rest = joined.subarray(end);
    if (rest.length > bytesMax) throw onInvalid(undefined);
  }
  if (rest.length > 0) throw onIncomplete();
}
