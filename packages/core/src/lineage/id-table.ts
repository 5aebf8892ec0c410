/**
 * Record ids and their dense numbers, in a few bytes per record.
 *
 * Ids stand in pages of bytes, one after the other, and are found through a hash table of numbers. A page of ASCII
 * alone, which is most of them, is turned into one string the first time an id of it is named; ids are cut from that.
 */
import { must } from "../assert.ts";
import type { RecordId } from "../ids.ts";
import { Uint32Column } from "./columns.ts";

const pageBits = 16;
const pageBytes = 2 ** pageBits;
const lengthBytes = 2;
/** Set in the length of an id that is not ASCII alone. Ids take at most 512 bytes. */
const isWide = 0x8000;
const tableSizeMin = 1024;

interface Page {
  readonly bytes: Buffer;
  used: number;
  /** Of ASCII alone. */
  isPlain: boolean;
  /** Its bytes as text, up to some earlier end. */
  text: string;
}

/** Numbers are 0, 1, 2 in the order of adding, and only the newest id can be taken away. */
export class IdTable {
  readonly #pages: Page[] = [];
  readonly #address = new Uint32Column();
  readonly #hash = new Uint32Column();
  /** Number + 1 by hash, with linear probing. */
  #table = new Uint32Array(tableSizeMin);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** The number of an id; undefined when it has none. */
  find(id: RecordId): number | undefined {
    const hash = hashOf(id);
    const mask = this.#table.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const number = (this.#table[slot] ?? 0) - 1;
      if (number < 0) return undefined;
      if (this.#hash.get(number) === hash && this.#isAt(number, id)) return number;
    }
  }

  /** Adds an id that is not there. @returns its number */
  add(id: RecordId): number {
    const length = Buffer.byteLength(id);
    const { page, address } = this.#place(length);
    const isPlain = length === id.length;
    page.bytes.writeUInt16LE(isPlain ? length : length | isWide, page.used);
    page.bytes.write(id, page.used + lengthBytes);
    return this.#added(page, address, length, isPlain, hashOf(id));
  }

  /** Adds an id by its bytes in UTF-8. */
  addBytes(bytes: Buffer): void {
    const { page, address } = this.#place(bytes.length);
    const hash = hashOfPlain(bytes);
    const isPlain = hash !== undefined;
    page.bytes.writeUInt16LE(isPlain ? bytes.length : bytes.length | isWide, page.used);
    page.bytes.set(bytes, page.used + lengthBytes);
    this.#added(page, address, bytes.length, isPlain, hash ?? hashOf(bytes.toString()));
  }

  /** Takes the newest id away. */
  removeNewest(): void {
    const number = this.#count - 1;
    const mask = this.#table.length - 1;
    let slot = this.#hash.get(number) & mask;
    while (this.#table[slot] !== number + 1) slot = (slot + 1) & mask;
    // Whatever was added later is gone already, so nothing was placed beyond this slot because of it.
    this.#table[slot] = 0;
    const { page, start } = this.#whereIs(number);
    page.used = start;
    page.text = "";
    if (start === 0) this.#pages.pop();
    this.#count = number;
  }

  /** The id with a number. */
  idAt(number: number): RecordId {
    // Written out, without objects in between: a closure names hundreds of thousands of ids.
    const address = this.#address.get(number);
    const page = this.#pages[address >>> pageBits] as Page;
    const { bytes } = page;
    const start = address & (pageBytes - 1);
    const length = (bytes[start] as number) | ((bytes[start + 1] as number) << 8);
    const from = start + lengthBytes;
    if (!page.isPlain) return bytes.toString("utf8", from, from + (length & ~isWide));
    const end = from + length;
    if (page.text.length < end) page.text = bytes.toString("latin1", 0, page.used);
    return page.text.slice(from, end);
  }

  /** The bytes of an id. The buffer is the table's own. */
  bytesAt(number: number): Buffer {
    const { page, start } = this.#whereIs(number);
    const from = start + lengthBytes;
    return page.bytes.subarray(from, from + (page.bytes.readUInt16LE(start) & ~isWide));
  }

  #added(page: Page, address: number, length: number, isPlain: boolean, hash: number): number {
    const number = this.#count;
    page.used += lengthBytes + length;
    if (!isPlain) page.isPlain = false;
    this.#address.set(number, address);
    this.#hash.set(number, hash);
    this.#count += 1;
    if (this.#count * 2 > this.#table.length) this.#growTable();
    else insert(this.#table, hash, number);
    return number;
  }

  #place(length: number): { page: Page; address: number } {
    let page = this.#pages.at(-1);
    if (page === undefined || page.used + lengthBytes + length > pageBytes) {
      page = { bytes: Buffer.alloc(pageBytes), used: 0, isPlain: true, text: "" };
      this.#pages.push(page);
    }
    return { page, address: (this.#pages.length - 1) * pageBytes + page.used };
  }

  #whereIs(number: number): { page: Page; start: number } {
    const address = this.#address.get(number);
    const page = must(this.#pages[address >>> pageBits], "a numbered id stands on a page");
    return { page, start: address & (pageBytes - 1) };
  }

  #isAt(number: number, id: RecordId): boolean {
    const { page, start } = this.#whereIs(number);
    const { bytes } = page;
    const length = bytes.readUInt16LE(start);
    if ((length & isWide) !== 0) return this.bytesAt(number).toString() === id;
    if (length !== id.length) return false;
    const from = start + lengthBytes;
    for (let index = 0; index < length; index += 1) {
      if (bytes[from + index] !== id.charCodeAt(index)) return false;
    }
    return true;
  }

  #growTable(): void {
    const table = new Uint32Array(this.#table.length * 2);
    for (let number = 0; number < this.#count; number += 1) {
      insert(table, this.#hash.get(number), number);
    }
    this.#table = table;
  }
}

function insert(table: Uint32Array, hash: number, number: number): void {
  const mask = table.length - 1;
  let slot = hash & mask;
  while (table[slot] !== 0) slot = (slot + 1) & mask;
  table[slot] = number + 1;
}

const hashStart = 0x811c9dc5;

/** FNV-1a over the code units, with a last mixing so that its low bits are as good as the others. */
function hashOf(id: RecordId): number {
  let hash = hashStart;
  for (let index = 0; index < id.length; index += 1) {
    hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193);
  }
  return mixed(hash);
}

/** The same for bytes of ASCII; undefined when there are others. */
function hashOfPlain(bytes: Uint8Array): number | undefined {
  let hash = hashStart;
  for (const byte of bytes) {
    if (byte > 0x7f) return undefined;
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  return mixed(hash);
}

function mixed(hash: number): number {
  const half = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  return (half ^ (half >>> 15)) >>> 0;
}
