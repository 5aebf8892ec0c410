/** Bytes as hexadecimal text. */

/** The bytes that hexadecimal digits mean. */
export function bytesOfHex(digits: string): Uint8Array {
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
