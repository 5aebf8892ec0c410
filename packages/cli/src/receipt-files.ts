/** Files that go with receipts: receipts, checkpoints and public keys, read as strict UTF-8. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";

import { parseVerifierKey, StoreError, type VerifierKey } from "@sennit/core";

import { fileReason } from "./file-error.ts";

/** The text of a file; undefined for bytes that are no UTF-8. @throws `file-unreadable` */
async function readTextFile(cwd: string, path: string): Promise<string | undefined> {
  let bytes: Buffer;
  try {
    bytes = await readFile(resolve(cwd, path));
  } catch (error) {
    const reason = fileReason(error);
    throw new StoreError("file-unreadable", `Cannot read ${path}: ${reason}.`, {
      cause: error,
      details: { path },
    });
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The JSON value of a receipt's file. @throws `file-unreadable`, `receipt-malformed`, `receipt-truncated` */
export async function readReceiptFile(cwd: string, path: string): Promise<unknown> {
  const text = await readTextFile(cwd, path);
  const details = { path };
  if (text === undefined)
    throw new StoreError("receipt-malformed", `${path} is no text.`, { details });
  try {
    return JSON.parse(text) as unknown;
  } catch {
    if (isCutShort(text))
      throw new StoreError("receipt-truncated", `${path} is cut short.`, { details });
    throw new StoreError("receipt-malformed", `${path} is no JSON.`, { details });
  }
}

/** True for text that begins as a JSON object does and ends before its last brace. */
function isCutShort(text: string): boolean {
  const outsideTexts = text.replaceAll(/"(?:[^"\\]|\\.)*"/gs, "");
  const opened = outsideTexts.split("{").length;
  const closed = outsideTexts.split("}").length;
  return text.trim() === "" || (text.trimStart().startsWith("{") && opened > closed);
}

/** The signed note in a file; what is no text is a note nobody has signed. @throws `file-unreadable` */
export async function readNoteFile(cwd: string, path: string): Promise<string> {
  return (await readTextFile(cwd, path)) ?? "";
}

/** A verifier key, or the one in the file named. @throws `file-unreadable`, `key-invalid` */
export async function readVerifierKey(cwd: string, given: string): Promise<VerifierKey> {
  const direct = await parseVerifierKey(given);
  if (direct !== undefined) return direct;
  const text = await readTextFile(cwd, given);
  const key = text === undefined ? undefined : await parseVerifierKey(text);
  if (key !== undefined) return key;
  throw new StoreError("key-invalid", `${given} holds no verifier key.`, {
    hint: "A verifier key is one line, NAME+ID+KEY; a store keeps its own in keys/verifier-key.txt.",
    details: { path: given },
  });
}
