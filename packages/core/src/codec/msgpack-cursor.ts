/** Reads MessagePack values where they stand, without a view or a copy of each: for many small values one after another. */

/** What the cursor has no way to read. It says nothing else, so one serves all. */
const unreadable = new Error("The bytes hold a value that the cursor does not read.");

/** Levels of nesting it follows. */
const depthMax = 200;
/** Longer texts are quicker in one call, shorter ones a byte at a time. */
const shortText = 16;
/** Member names of so many bytes at most are remembered: there are few, and most come again and again. */
const nameBytesMax = 32;
const namesMask = 0xff;

/**
 * A place in some bytes, from which values are read. It reads what `encodeMessagePack` writes of JSON, and binary.
 *
 * Whatever else it meets, also bytes that are cut, makes it throw; what has been read until then may be wrong, so the whole must
 * be decoded by `decodeMessagePack`.
 */
export class MessagePackCursor {
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #end = 0;
  readonly #names: (string | undefined)[] = [];

  /** Goes to the first byte of a value in other bytes; `end` is the first byte that does not belong to it. */
  goTo(bytes: Buffer, at: number, end: number): void {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
  }

  /** True when everything up to the end has been read. */
  get isAtEnd(): boolean {
    return this.#at === this.#end;
  }

  /** Reads the head of a list. @returns how many values follow */
  list(): number {
    const head = this.#byte();
    if (head >= 0x90 && head <= 0x9f) return head & 0xf;
    if (head === 0xdc) return this.#number(2);
    if (head === 0xdd) return this.#number(4);
    throw unreadable;
  }

  /** Reads the head of a map. @returns how many names follow, each with its value */
  map(): number {
    const head = this.#byte();
    if (head >= 0x80 && head <= 0x8f) return head & 0xf;
    if (head === 0xde) return this.#number(2);
    if (head === 0xdf) return this.#number(4);
    throw unreadable;
  }

  /** Passes over binary of this length. @returns where it begins */
  binary(length: number): number {
    if (this.#byte() !== 0xc4 || this.#byte() !== length) throw unreadable;
    return this.#pass(length);
  }

  /** Reads the name of a member. */
  name(): string {
    const head = this.#byte();
    const length = head >= 0xa0 && head <= 0xbf ? head & 0x1f : head === 0xd9 ? this.#byte() : -1;
    if (length === -1) throw unreadable;
    const name = length <= nameBytesMax ? this.#knownName(length) : this.#text(length);
    // As a member of a plain object it would be something else.
    if (name === "__proto__") throw unreadable;
    return name;
  }

  /** Reads a value. Binary shares memory with the bytes. */
  value(depth = 0): unknown {
    const head = this.#byte();
    if (head <= 0x7f) return head;
    if (head >= 0xe0) return head - 0x100;
    if (head >= 0xa0 && head <= 0xbf) return this.#text(head & 0x1f);
    if (head <= 0x8f || head === 0xde || head === 0xdf) {
      this.#at -= 1;
      return this.#members(this.map(), depth + 1);
    }
    if (head <= 0x9f || head === 0xdc || head === 0xdd) {
      this.#at -= 1;
      return this.#items(this.list(), depth + 1);
    }
    return this.#other(head);
  }

  /** Reads members into an object. */
  membersInto(target: Record<string, unknown>, count: number, depth = 1): void {
    for (let index = 0; index < count; index += 1) {
      const name = this.name();
      target[name] = this.value(depth);
    }
  }

  #members(count: number, depth: number): Record<string, unknown> {
    if (depth > depthMax) throw unreadable;
    const members: Record<string, unknown> = {};
    this.membersInto(members, count, depth);
    return members;
  }

  #items(count: number, depth: number): unknown[] {
    if (depth > depthMax) throw unreadable;
    const items: unknown[] = [];
    for (let index = 0; index < count; index += 1) items.push(this.value(depth));
    return items;
  }

  #other(head: number): unknown {
    switch (head) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
        return this.#view(this.#byte());
      case 0xcb:
        return this.#bytes.readDoubleBE(this.#pass(8));
      case 0xcc:
        return this.#byte();
      case 0xcd:
        return this.#number(2);
      case 0xce:
        return this.#number(4);
      case 0xd0:
        return (this.#byte() << 24) >> 24;
      case 0xd1:
        return (this.#number(2) << 16) >> 16;
      case 0xd2:
        return this.#number(4) | 0;
      case 0xd9:
        return this.#text(this.#byte());
      case 0xda:
        return this.#text(this.#number(2));
      case 0xdb:
        return this.#text(this.#number(4));
      default:
        throw unreadable;
    }
  }

  #byte(): number {
    if (this.#at >= this.#end) throw unreadable;
    return this.#bytes[this.#at++] as number;
  }

  #number(bytes: 2 | 4): number {
    const at = this.#pass(bytes);
    return bytes === 2 ? this.#bytes.readUInt16BE(at) : this.#bytes.readUInt32BE(at);
  }

  #pass(length: number): number {
    const at = this.#at;
    if (at + length > this.#end) throw unreadable;
    this.#at = at + length;
    return at;
  }

  #view(length: number): Buffer {
    const at = this.#pass(length);
    return this.#bytes.subarray(at, at + length);
  }

  #text(length: number): string {
    const at = this.#pass(length);
    const bytes = this.#bytes;
    const end = at + length;
    if (length > shortText) return bytes.toString("utf8", at, end);
    let text = "";
    let index = at;
    for (; index + 3 < end; index += 4) {
      const first = bytes[index] as number;
      const second = bytes[index + 1] as number;
      const third = bytes[index + 2] as number;
      const fourth = bytes[index + 3] as number;
      if ((first | second | third | fourth) > 0x7f) return bytes.toString("utf8", at, end);
      text += String.fromCharCode(first, second, third, fourth);
    }
    for (; index < end; index += 1) {
      const byte = bytes[index] as number;
      if (byte > 0x7f) return bytes.toString("utf8", at, end);
      text += String.fromCharCode(byte);
    }
    return text;
  }

  #knownName(length: number): string {
    const at = this.#at;
    const bytes = this.#bytes;
    if (at + length > this.#end) throw unreadable;
    let slot = length;
    for (let index = at; index < at + length; index += 1)
      slot = (slot * 31 + (bytes[index] as number)) | 0;
    slot &= namesMask;
    const known = this.#names[slot];
    if (known !== undefined && known.length === length && this.#stands(known)) {
      this.#at = at + length;
      return known;
    }
    const name = this.#text(length);
    if (name.length === length) this.#names[slot] = name;
    return name;
  }

  /** Whether a text of ASCII stands at this place. */
  #stands(text: string): boolean {
    const bytes = this.#bytes;
    for (let index = 0; index < text.length; index += 1) {
      if (bytes[this.#at + index] !== text.charCodeAt(index)) return false;
    }
    return true;
  }
}
