/** CRC-32C against published values and the definition. */
import * as fc from "fast-check";
import { expect, test } from "vitest";

import { crc32c } from "./crc32c.ts";

// The check value of the catalogue of CRC algorithms, and the examples of RFC 3720 appendix B.4.
test.each([
  ["123456789", Buffer.from("123456789"), 0xe3069283],
  ["nothing", Buffer.alloc(0), 0],
  ["32 zeros", Buffer.alloc(32), 0x8a9136aa],
  ["32 ones", Buffer.alloc(32, 0xff), 0x62a8ab43],
  ["0 to 31", Buffer.from(Array.from({ length: 32 }, (_, index) => index)), 0x46dd794e],
  ["31 to 0", Buffer.from(Array.from({ length: 32 }, (_, index) => 31 - index)), 0x113fdb5c],
])("the checksum of %s is the published one", (_what, bytes, checksum) => {
  expect(crc32c(bytes)).toBe(checksum);
});

function bitByBit(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

test("eight bytes a step is the same as one bit a step, over one piece or two", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat({ max: 100 }), (bytes, cut) => {
      expect(crc32c(bytes)).toBe(bitByBit(bytes));
      const at = Math.min(cut, bytes.length);
      expect(crc32c(bytes, at, crc32c(bytes.subarray(0, at)))).toBe(bitByBit(bytes));
    }),
  );
});
