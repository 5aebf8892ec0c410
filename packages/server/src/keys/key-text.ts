/** A key as its holder sees it: `sennit_ID_SECRET`, where the last characters tell a typo from a key that is not known. */
import { createHash, randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";

const prefix = "sennit";
/** Bytes of a secret: 256 bits cannot be guessed. */
const secretBytes = 32;
const idBytes = 5;
const alphabet = "abcdefghijklmnopqrstuvwxyz234567";
/** Characters of an id, of a secret, and of the checksum behind it. */
const idLength = 8;
const secretLength = 52;
const checksumLength = 7;
const keyPattern = new RegExp(
  `^(${prefix}_([a-z2-7]{${idLength}})_[a-z2-7]{${secretLength}})([a-z2-7]{${checksumLength}})$`,
);

/** A key that was just made. */
export interface MadeKey {
  readonly id: string;
  /** To be shown once, and kept by nobody but its holder. */
  readonly key: string;
  /** What is kept instead. */
  readonly hash: string;
}

/** What the text of a credential is. */
export type KeyReading =
  | { readonly is: "key"; readonly id: string; readonly hash: string }
  /** It begins as a key and is not whole: characters are missing, or others than they were. */
  | { readonly is: "mistyped" }
  | { readonly is: "no-key" };

/** Makes a key of a random id and a random secret. */
export function makeKey(): MadeKey {
  const id = base32(randomBytes(idBytes));
  const body = `${prefix}_${id}_${base32(randomBytes(secretBytes))}`;
  const key = `${body}${checksum(body)}`;
  return { id, key, hash: hashOf(key) };
}

/** Reads a credential. Nothing it says depends on which keys there are. */
export function readKey(text: string): KeyReading {
  if (!text.startsWith(`${prefix}_`)) return { is: "no-key" };
  const [, body = "", id = "", sum] = keyPattern.exec(text) ?? [];
  if (sum === undefined || checksum(body) !== sum) return { is: "mistyped" };
  return { is: "key", id, hash: hashOf(text) };
}

/** SHA-256 of the whole key: 64 hexadecimal digits. */
function hashOf(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}

/** The CRC-32 of what stands before it. It protects against slips of the hand, not against anybody. */
function checksum(body: string): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(body));
  return base32(bytes);
}

/** RFC 4648 base 32 in lower case, without padding: a double click selects all of it. */
function base32(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xfff;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += alphabet.charAt((value >>> (bits - 5)) & 31);
  }
  return bits === 0 ? text : text + alphabet.charAt((value << (5 - bits)) & 31);
}
