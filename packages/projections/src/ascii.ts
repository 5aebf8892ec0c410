/** Short texts as bytes: for a few characters a loop is quicker than a call into Node. */

/** Writes a text of ASCII without 00. @returns where it ends, or -1 for a text that holds anything else */
export function writeAscii(text: string, target: Buffer, start: number): number {
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit === 0 || unit > 0x7f) return -1;
    target[start + index] = unit;
  }
  return start + text.length;
}
