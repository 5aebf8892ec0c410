/** Undoes Snappy, the compression of LevelDB's blocks. @see format_description.txt of google/snappy */
import { ByteReader } from "./byte-reader.ts";

const sizeMax = 64 * 1024 * 1024;

/** The bytes before they were compressed. @throws RangeError for what is not Snappy */
export function unsnappy(compressed: Uint8Array): Uint8Array {
  const reader = new ByteReader(compressed);
  const size = reader.varint();
  if (size > sizeMax) throw new RangeError("A block is too large.");
  const output = new Uint8Array(size);
  let filled = 0;
  while (!reader.isAtEnd) {
    const tag = reader.byte();
    if ((tag & 3) === 0) {
      const literal = reader.take(literalLength(reader, tag));
      // A literal that does not fit makes `set` throw.
      output.set(literal, filled);
      filled += literal.length;
      continue;
    }
    const { length, back } = copyOf(reader, tag);
    if (back === 0 || back > filled || filled + length > size) {
      throw new RangeError("A copy points outside of its block.");
    }
    // A copy may reach into what it writes itself, so it goes byte by byte.
    for (const end = filled + length; filled < end; filled += 1) {
      output[filled] = output[filled - back] as number;
    }
  }
  if (filled !== size) throw new RangeError("A block is shorter than it says.");
  return output;
}

function literalLength(reader: ByteReader, tag: number): number {
  const short = tag >>> 2;
  return short < 60 ? short + 1 : littleEndian(reader, short - 59) + 1;
}

function copyOf(reader: ByteReader, tag: number): { length: number; back: number } {
  if ((tag & 3) === 1) {
    return { length: ((tag >>> 2) & 7) + 4, back: (tag >>> 5) * 256 + reader.byte() };
  }
  return { length: (tag >>> 2) + 1, back: littleEndian(reader, (tag & 3) === 2 ? 2 : 4) };
}

function littleEndian(reader: ByteReader, bytes: number): number {
  let value = 0;
  for (let factor = 1; factor < 256 ** bytes; factor *= 256) value += reader.byte() * factor;
  return value;
}
