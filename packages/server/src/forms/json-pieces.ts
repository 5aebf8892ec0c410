/** JSON text in pieces, so that a large answer is neither one string nor one long pause of the event loop. */
import { isPlainObject } from "@sennit/core";

/** Items from which on a list is long. */
const longFrom = 256;
/** Characters of items that are given together, about. */
const pieceLength = 16 * 1024;

/** The JSON of a value, exactly as `JSON.stringify` writes it, long lists in it in several pieces. */
export function* jsonPieces(value: unknown): Generator<string> {
  if (isLong(value)) yield* listPieces(value);
  else if (isPlainObject(value) && Object.values(value).some(isLong)) yield* memberPieces(value);
  else yield JSON.stringify(value);
}

function isLong(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.length >= longFrom;
}

function* memberPieces(value: Readonly<Record<string, unknown>>): Generator<string> {
  let before = "{";
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue;
    yield `${before}${JSON.stringify(name)}:`;
    before = ",";
    if (isLong(member)) yield* listPieces(member);
    else yield JSON.stringify(member);
  }
  yield "}";
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
