/** Plain MessagePack: no shared structures and no extensions, so that any decoder can read it decades from now. */
import { Packr } from "msgpackr";

const packr = new Packr({ useRecords: false, variableMapSize: true, moreTypes: false });

/** Encodes a JSON value; buffers become binary. */
export function encodeMessagePack(value: unknown): Buffer {
  return packr.pack(value);
}

/** Decodes one value. Binary members share memory with `bytes`. */
export function decodeMessagePack(bytes: Uint8Array): unknown {
  return packr.unpack(bytes);
}

/** The whole values at the beginning of some bytes, where they end, and why the next is none; undefined where it is cut. */
export interface MessagePackSequence {
  readonly values: readonly unknown[];
  readonly end: number;
  readonly error: unknown;
}

/** Decodes values that stand one after another. Binary members share memory with `bytes`. */
export function decodeMessagePackSequence(bytes: Uint8Array): MessagePackSequence {
  const values: unknown[] = [];
  let end = 0;
  if (bytes.length === 0) return { values, end, error: undefined };
  try {
    packr.unpackMultiple(bytes, (value, _start, stop) => {
      values.push(value);
      end = stop ?? end;
    });
    return { values, end, error: undefined };
  } catch (error) {
    const isCut = error instanceof Error && "incomplete" in error && error.incomplete === true;
    return { values, end, error: isCut ? undefined : error };
  }
}
