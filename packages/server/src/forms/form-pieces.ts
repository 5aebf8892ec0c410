/** An answer as the bytes of a form, in pieces that are made as they are taken. */
import { LongList } from "@sennit/core";

import type { ListAnswer, Route, RowsForm, ValueAnswer } from "../route.ts";
import { csvTexts } from "./csv.ts";
import { jsonListPieces, jsonPieces } from "./json-pieces.ts";
import { messagePackListPieces, messagePackPieces } from "./message-pack.ts";
import type { AnswerForm } from "./negotiate.ts";

/** Characters that are turned into bytes together, about. */
const pieceLength = 64 * 1024;

type Whole = ValueAnswer | ListAnswer;

/** @throws what reading the items throws, as they are taken */
export function formPieces(
  form: Exclude<AnswerForm, "own">,
  { rows }: Pick<Route, "rows">,
  answer: Whole,
): AsyncIterator<Uint8Array> {
  if (form === "messagepack") return packed(answer, rows);
  if (form === "json" || rows === undefined) return inBytes(jsonTexts(answer, rows));
  const items = itemsOf(answer, rows);
  return inBytes(form === "csv" ? csvTexts(items, rows) : lines(items));
}

async function* packed(answer: Whole, rows: RowsForm | undefined): AsyncGenerator<Uint8Array> {
  if ("value" in answer) {
    yield* messagePackPieces(answer.value);
    return;
  }
  const { head, items, tail = () => ({}) } = answer;
  yield* messagePackListPieces(head, rows?.member ?? "items", items, tail);
}

function jsonTexts(answer: Whole, rows: RowsForm | undefined): AsyncIterable<string> {
  if ("value" in answer) return jsonPieces(answer.value);
  const { head, items, tail = () => ({}) } = answer;
  return jsonListPieces(head, rows?.member ?? "items", items, tail);
}

/** The list of an answer; none when it has none, as an answer that only says how a page is found. */
function itemsOf(answer: Whole, { member }: RowsForm): AsyncIterable<unknown> | Iterable<unknown> {
  if ("items" in answer) return answer.items;
  const { value } = answer;
  const list = member === undefined ? value : (value as Record<string, unknown>)[member];
  if (list instanceof LongList) return itemsAsRead(list);
  return Array.isArray(list) ? (list as readonly unknown[]) : [value];
}

async function* itemsAsRead(list: LongList<unknown>): AsyncGenerator {
  for await (const piece of list.pieces()) yield* piece;
}

async function* lines(items: AsyncIterable<unknown> | Iterable<unknown>): AsyncGenerator<string> {
  for await (const item of items) yield `${JSON.stringify(item)}\n`;
}

/** Puts small texts together: a chunk of its own for each line would cost more than the line. */
async function* inBytes(texts: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  let parts: string[] = [];
  let length = 0;
  for await (const text of texts) {
    parts.push(text);
    length += text.length;
    if (length < pieceLength) continue;
    yield Buffer.from(parts.join(""));
    parts = [];
    length = 0;
  }
  if (length > 0) yield Buffer.from(parts.join(""));
}
