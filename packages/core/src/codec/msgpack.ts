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
