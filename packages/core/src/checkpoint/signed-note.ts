/**
 * Signed notes and the checkpoints in them, as C2SP defines them: text a person can read, signed with Ed25519.
 *
 * Only Web Cryptography is used: what verifies here verifies in a browser. @see C2SP signed-note, tlog-checkpoint
 */
import { decodeBase64, encodeBase64 } from "./base64.ts";

const ed25519 = 1;
const keyBytes = 32;
const keyIdBytes = 4;
const signaturePrefix = "\u2014 ";

/** A public key with the name it signs under. */
export interface VerifierKey {
  /** Not empty; without white space and plus signs. */
  readonly name: string;
  /** Four bytes that tell keys of one name apart. */
  readonly id: Uint8Array;
  /** 32 bytes. */
  readonly publicKey: Uint8Array<ArrayBuffer>;
}

/** What a log says of itself at one moment. */
export interface Checkpoint {
  /** Which log: the name of its key. */
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
}

/** True for a name a key can have. */
export function isKeyName(name: string): boolean {
  return name.length > 0 && !/[\s+]/u.test(name);
}

/** The id of an Ed25519 key: the beginning of SHA-256 over name, line feed, algorithm and key. */
export async function keyId(name: string, publicKey: Uint8Array): Promise<Uint8Array> {
  const head = new TextEncoder().encode(`${name}\n`);
  const input = new Uint8Array(head.length + 1 + publicKey.length);
  input.set(head);
  input[head.length] = ed25519;
  input.set(publicKey, head.length + 1);
  const digest = await globalThis.crypto.subtle.digest("SHA-256", input);
  return new Uint8Array(digest).subarray(0, keyIdBytes);
}

/** Writes a verifier key: `NAME+ID+KEY`. */
export function formatVerifierKey({ name, id, publicKey }: VerifierKey): string {
  const key = new Uint8Array(1 + publicKey.length);
  key[0] = ed25519;
  key.set(publicKey, 1);
  return `${name}+${toHex(id)}+${encodeBase64(key)}`;
}

/** Reads a verifier key, or says by undefined that it is none, or that its id does not fit. */
export async function parseVerifierKey(text: string): Promise<VerifierKey | undefined> {
  const [, name, id, encoded] = /^([^\s+]+)\+([0-9a-f]{8})\+(\S+)$/u.exec(text.trim()) ?? [];
  const key = encoded === undefined ? undefined : decodeBase64(encoded);
  if (name === undefined || key?.[0] !== ed25519 || key.length !== 1 + keyBytes) return undefined;
  const publicKey = key.slice(1);
  const expected = await keyId(name, publicKey);
  return toHex(expected) === id ? { name, id: expected, publicKey } : undefined;
}

/** The text of a checkpoint: origin, size and root, a line each. */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${encodeBase64(root)}\n`;
}

/** Reads the text of a checkpoint; lines after the third are extensions and are let be. */
export function parseCheckpoint(text: string): Checkpoint | undefined {
  const [origin = "", size = "", encoded = "", ...rest] = text.split("\n");
  const root = decodeBase64(encoded);
  const isWhole = rest.length > 0 && rest.at(-1) === "";
  if (origin === "" || !/^(0|[1-9]\d*)$/.test(size) || root?.length !== 32 || !isWhole)
    return undefined;
  const leaves = Number(size);
  return Number.isSafeInteger(leaves) ? { origin, size: leaves, root } : undefined;
}

/** Puts a signature under a text. `text` ends in a line feed. */
export function formatNote(text: string, { name, id }: VerifierKey, signature: Uint8Array): string {
  const bytes = new Uint8Array(keyIdBytes + signature.length);
  bytes.set(id);
  bytes.set(signature, keyIdBytes);
  return `${text}\n${signaturePrefix}${name} ${encodeBase64(bytes)}\n`;
}

/** The text of a note that carries a valid signature of the key; undefined for any other note. */
export async function openNote(note: string, key: VerifierKey): Promise<string | undefined> {
  const split = note.lastIndexOf("\n\n");
  if (split === -1 || !note.endsWith("\n")) return undefined;
  const text = note.slice(0, split + 1);
  const lines = note.slice(split + 2, -1).split("\n");
  if (!lines.every((line) => line.startsWith(signaturePrefix))) return undefined;
  for (const line of lines) {
    const [name, encoded = "", ...rest] = line.slice(signaturePrefix.length).split(" ");
    const bytes = decodeBase64(encoded);
    if (name !== key.name || rest.length > 0 || bytes === undefined) continue;
    if (toHex(bytes.subarray(0, keyIdBytes)) !== toHex(key.id)) continue;
    if (await isSignedBy(key, text, bytes.slice(keyIdBytes))) return text;
  }
  return undefined;
}

/** The checkpoint of a note that the key has signed as the log's origin; undefined for any other. */
export async function openCheckpoint(
  note: string,
  key: VerifierKey,
): Promise<Checkpoint | undefined> {
  const text = await openNote(note, key);
  const checkpoint = text === undefined ? undefined : parseCheckpoint(text);
  return checkpoint?.origin === key.name ? checkpoint : undefined;
}

async function isSignedBy(
  { publicKey }: VerifierKey,
  text: string,
  signature: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const { subtle } = globalThis.crypto;
  try {
    const key = await subtle.importKey("raw", publicKey, { name: "Ed25519" }, false, ["verify"]);
    return await subtle.verify({ name: "Ed25519" }, key, signature, new TextEncoder().encode(text));
  } catch {
    // Bytes that are no key or no signature verify nothing.
    return false;
  }
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
