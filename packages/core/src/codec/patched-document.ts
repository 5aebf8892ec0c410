/**
 * The whole document after a patch, as it is stored beside the entry: `[salt, document]`, one MessagePack value.
 *
 * The entry's header commits to these bytes by their digest. The salt is the entry's own, so that the digest of an
 * erased document tells nothing about it. Documents of entry format 1 stand there without a salt.
 */
import type { RecordDocument } from "../event/document.ts";
import { sha256 } from "../merkle/hashing.ts";
import { decodeMessagePack, encodeMessagePack } from "./msgpack.ts";

/** Encodes a document behind the salt of its entry. */
export function encodePatchedDocument(
  salt: Uint8Array,
  document: RecordDocument,
): { readonly bytes: Buffer; readonly digest: Buffer } {
  const bytes = encodeMessagePack([salt, document]);
  return { bytes, digest: sha256(bytes) };
}

/** The document in stored bytes. */
export function decodePatchedDocument(bytes: Uint8Array): RecordDocument {
  const value = decodeMessagePack(bytes) as RecordDocument | readonly [Uint8Array, RecordDocument];
  return isSalted(value) ? value[1] : value;
}

function isSalted(
  value: RecordDocument | readonly [Uint8Array, RecordDocument],
): value is readonly [Uint8Array, RecordDocument] {
  return Array.isArray(value);
}
