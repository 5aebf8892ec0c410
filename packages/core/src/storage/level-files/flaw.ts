/** What is wrong with a file, and the words the checks of all kinds of files share. */
import { crc32c } from "../../codec/crc32c.ts";

/** The first thing found wrong in a file. */
export interface Flaw {
  /** Where it was noticed, bytes from the beginning of the file. */
  readonly offset: number;
  readonly reason: string;
}

/** LevelDB stores checksums turned and shifted, so that a checksum over bytes with checksums in them stays a good one. */
export function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
