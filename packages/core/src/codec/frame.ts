/** The frame around every stored value: a checksum over key and value, checked whenever the value is read. */
import { StoreError } from "../errors.ts";
import { crc32c } from "./crc32c.ts";

/** Bytes before the body: CRC-32C of key and body, little-endian. */
export const frameHeaderBytes = 4;

/** Writes the checksum into the first four bytes of a value whose body is in place. */
export function sealFrame(key: Uint8Array, value: Buffer): void {
  value.writeUInt32LE(crc32c(value, frameHeaderBytes, crc32c(key)), 0);
}

/** Puts a body into a frame of its own. */
export function frame(key: Uint8Array, body: Uint8Array): Buffer {
  const value = Buffer.allocUnsafe(frameHeaderBytes + body.length);
  value.set(body, frameHeaderBytes);
  sealFrame(key, value);
  return value;
}

/**
 * Returns the body after checking it. The key takes part in the checksum, so a value under a wrong key fails too.
 *
 * @throws `checksum-mismatch`, naming what was read
 */
export function unframe(key: Uint8Array, value: Uint8Array, what: () => string): Buffer {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (
    bytes.length < frameHeaderBytes ||
    bytes.readUInt32LE(0) !== crc32c(bytes, frameHeaderBytes, crc32c(key))
  ) {
    throw new StoreError(
      "checksum-mismatch",
      `The stored bytes of ${what()} have changed since they were written.`,
      {
        details: { what: what(), key: Buffer.from(key).toString("hex") },
      },
    );
  }
  return bytes.subarray(frameHeaderBytes);
}
