/** Reads the number and text forms of LevelDB's files, never past the end. */

/** A place in bytes that moves on with each read. Every method throws a RangeError where the bytes end too early. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #offset: number;

  constructor(bytes: Uint8Array, offset = 0) {
    this.#bytes = bytes;
    this.#offset = offset;
  }

  get offset(): number {
    return this.#offset;
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#bytes.length;
  }

  byte(): number {
    const byte = this.#bytes[this.#offset];
    if (byte === undefined) throw new RangeError("The bytes end too early.");
    this.#offset += 1;
    return byte;
  }

  /** A whole number of up to 53 bits in as few bytes as it takes, seven bits in a byte, the lowest first. */
  varint(): number {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 49; factor *= 128) {
      const byte = this.byte();
      // No writer makes this; a flipped bit does, where a zero follows a number.
      if (byte === 0 && factor > 1) throw new RangeError("A number has a byte too many.");
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    throw new RangeError("A number is too long.");
  }

  /** The next bytes, not copied. */
  take(length: number): Uint8Array {
    const end = this.#offset + length;
    if (end > this.#bytes.length) throw new RangeError("The bytes end too early.");
    const taken = this.#bytes.subarray(this.#offset, end);
    this.#offset = end;
    return taken;
  }

  /** Bytes that begin with their number. */
  sized(): Uint8Array {
    return this.take(this.varint());
  }
}

/** The unsigned 32-bit number at an offset, little-endian. */
export function uint32At(bytes: Uint8Array, offset: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(offset, true);
}
