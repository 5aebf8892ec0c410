/** MessagePack: what the JSON says, in fewer bytes. */
import { isPlainObject, LongList, StoreError } from "@sennit/core";
import { Packr } from "msgpackr";

/** Items of a list that are packed together. */
const itemsPerPiece = 256;
/** A list of unknown length is packed before its length can be said, so it has to fit into memory. */
const listBytesMax = 64 * 1024 * 1024;

const packr = new Packr({ useRecords: false });

/** Through JSON, which leaves out what is undefined: both forms say the same. */
function pack(value: unknown): Uint8Array {
  return packr.pack(JSON.parse(JSON.stringify(value)));
}

type Long = LongList<unknown> | readonly unknown[];

/** The value packed, long lists in it in several pieces. */
export async function* messagePackPieces(value: unknown): AsyncGenerator<Uint8Array> {
  if (isLong(value)) yield* longPieces(value);
  else if (!isPlainObject(value)) yield pack(value);
  else if (Object.values(value).some(isLong)) yield* memberPieces(value);
  else yield pack(await whole(value));
}

/** The value with its short lists read. */
async function whole(value: Readonly<Record<string, unknown>>): Promise<unknown> {
  const copy = { ...value };
  for (const [name, member] of Object.entries(value)) copy[name] = await read(member);
  return copy;
}

async function read(member: unknown): Promise<unknown> {
  return member instanceof LongList ? member.all() : member;
}

function isLong(value: unknown): value is Long {
  return (value instanceof LongList || Array.isArray(value)) && value.length > itemsPerPiece;
}

async function* memberPieces(value: Readonly<Record<string, unknown>>): AsyncGenerator<Uint8Array> {
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  yield lengthPrefix(mapPrefix, members.length);
  for (const [name, member] of members) {
    yield pack(name);
    if (isLong(member)) yield* longPieces(member);
    else yield pack(await read(member));
  }
}

function longPieces(list: Long): AsyncGenerator<Uint8Array> | Generator<Uint8Array> {
  return list instanceof LongList ? piecesAsRead(list) : listPieces(list);
}

async function* piecesAsRead(list: LongList<unknown>): AsyncGenerator<Uint8Array> {
  yield lengthPrefix(listPrefix, list.length);
  for await (const piece of list.pieces()) yield Buffer.concat(piece.map(pack));
}

function* listPieces(items: readonly unknown[]): Generator<Uint8Array> {
  yield lengthPrefix(listPrefix, items.length);
  for (let start = 0; start < items.length; start += itemsPerPiece) {
    yield Buffer.concat(items.slice(start, start + itemsPerPiece).map(pack));
  }
}

/** The formats of lengths in 32 bits: array 32 and map 32. */
const listPrefix = 0xdd;
const mapPrefix = 0xdf;

function lengthPrefix(format: number, length: number): Uint8Array {
  const bytes = Buffer.alloc(5, format);
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

/**
 * An object whose members are those of `head`, then the list, then those of `tail`.
 *
 * @throws `not-acceptable` for a list that is too large for this form
 */
export async function* messagePackListPieces(
  head: Readonly<Record<string, unknown>>,
  member: string,
  items: AsyncIterable<unknown>,
  tail: () => Readonly<Record<string, unknown>>,
): AsyncGenerator<Uint8Array> {
  const packed: Uint8Array[] = [];
  let bytes = 0;
  for await (const item of items) {
    const piece = pack(item);
    packed.push(piece);
    bytes += piece.length;
    if (bytes > listBytesMax) throw tooLarge();
  }
  const before = Object.entries(head);
  const behind = Object.entries(tail());
  yield lengthPrefix(mapPrefix, before.length + 1 + behind.length);
  for (const entry of before) yield Buffer.concat(entry.map(pack));
  yield pack(member);
  yield lengthPrefix(listPrefix, packed.length);
  yield* packed;
  for (const entry of behind) yield Buffer.concat(entry.map(pack));
}

function tooLarge(): StoreError {
  return new StoreError("not-acceptable", "The list is too large for MessagePack in one piece.", {
    hint: "Ask for fewer with limit, or for application/x-ndjson, which has no bound.",
    details: { header: "Accept" },
  });
}
