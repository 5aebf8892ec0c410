/** JSON text in pieces, so that a large answer is neither one string nor one long pause of the event loop. */
import { isPlainObject, LongList } from "@sennit/core";

/** Items from which on a list is long. */
const longFrom = 256;
/** Characters of items that are given together, about. */
const pieceLength = 16 * 1024;

type Long = LongList<unknown> | readonly unknown[];

/** The JSON of a value, exactly as `JSON.stringify` writes it, long lists in it in several pieces. */
export async function* jsonPieces(value: unknown): AsyncGenerator<string> {
  if (isLong(value)) yield* longPieces(value);
  else if (isPlainObject(value) && Object.values(value).some(isLong)) yield* memberPieces(value);
  else yield JSON.stringify(value);
}

function isLong(value: unknown): value is Long {
  return value instanceof LongList || (Array.isArray(value) && value.length >= longFrom);
}

async function* memberPieces(value: Readonly<Record<string, unknown>>): AsyncGenerator<string> {
  let before = "{";
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue;
    yield `${before}${JSON.stringify(name)}:`;
    before = ",";
    if (isLong(member)) yield* longPieces(member);
    else yield JSON.stringify(member);
  }
  yield "}";
}

function longPieces(list: Long): AsyncGenerator<string> | Generator<string> {
  return list instanceof LongList ? piecesAsRead(list) : listPieces(list);
}

async function* piecesAsRead(list: LongList<unknown>): AsyncGenerator<string> {
  let before = "[";
  for await (const piece of list.pieces()) {
    if (piece.length === 0) continue;
    // Without its brackets.
    yield before + JSON.stringify(piece).slice(1, -1);
    before = ",";
  }
  yield before === "[" ? "[]" : "]";
}

function* listPieces(items: readonly unknown[]): Generator<string> {
  let text = "[";
  for (const [index, item] of items.entries()) {
    text += `${index === 0 ? "" : ","}${JSON.stringify(item) ?? "null"}`;
    if (text.length < pieceLength) continue;
    yield text;
    text = "";
  }
  yield `${text}]`;
}

/** The JSON of an object whose members are those of `head`, then the list, then those of `tail`. */
export async function* jsonListPieces(
  head: Readonly<Record<string, unknown>>,
  member: string,
  items: AsyncIterable<unknown>,
  tail: () => Readonly<Record<string, unknown>>,
): AsyncGenerator<string> {
  const opened = JSON.stringify({ ...head, [member]: [] });
  yield opened.slice(0, -2);
  let before = "";
  for await (const item of items) {
    yield `${before}${JSON.stringify(item)}`;
    before = ",";
  }
  const rest = JSON.stringify(tail());
  yield rest === "{}" ? "]}" : `],${rest.slice(1)}`;
}
