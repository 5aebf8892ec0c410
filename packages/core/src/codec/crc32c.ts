/** CRC-32C (Castagnoli), eight bytes a step. @see RFC 3720 appendix B.4 */

const polynomial = 0x82f63b78;
const tables: readonly Uint32Array[] = buildTables();

function buildTables(): Uint32Array[] {
  const first = new Uint32Array(256);
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    first[byte] = crc >>> 0;
  }
  const result = [first];
  for (let slice = 1; slice < 8; slice += 1) {
    const previous = result[slice - 1] as Uint32Array;
    result.push(previous.map((crc) => ((crc >>> 8) ^ (first[crc & 0xff] as number)) >>> 0));
  }
  return result;
}

const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as [
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
];

/**
 * Checksum of the bytes from `start`, an unsigned 32-bit number.
 *
 * @param seed the checksum of what comes before these bytes, to run over several pieces. Default: nothing before.
 * @param end the first byte that does not count. Default: all count.
 */
export function crc32c(bytes: Uint8Array, start = 0, seed = 0, end: number = bytes.length): number {
  let crc = ~seed;
  let index = start;
  const stepEnd = end - 7;
  // The tables have 256 entries and every index is masked to a byte, so no look-up misses.
  for (; index < stepEnd; index += 8) {
    crc ^=
      (bytes[index] as number) |
      ((bytes[index + 1] as number) << 8) |
      ((bytes[index + 2] as number) << 16) |
      ((bytes[index + 3] as number) << 24);
    crc =
      (t7[crc & 0xff] as number) ^
      (t6[(crc >>> 8) & 0xff] as number) ^
      (t5[(crc >>> 16) & 0xff] as number) ^
      (t4[crc >>> 24] as number) ^
      (t3[bytes[index + 4] as number] as number) ^
      (t2[bytes[index + 5] as number] as number) ^
      (t1[bytes[index + 6] as number] as number) ^
      (t0[bytes[index + 7] as number] as number);
  }
  for (; index < end; index += 1) {
    crc = (crc >>> 8) ^ (t0[(crc ^ (bytes[index] as number)) & 0xff] as number);
  }
  return ~crc >>> 0;
}
