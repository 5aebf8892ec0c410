/** The hashes of a Merkle tree as RFC 6962 defines them: leaves and nodes are told apart by their first byte. */
import { hash } from "node:crypto";

/** Bytes of a hash (SHA-256). */
export const hashBytes = 32;

/** SHA-256 of one piece of bytes. */
export function sha256(bytes: Uint8Array): Buffer {
  // A digest as a string costs a third of one as a buffer, which Node gives memory of its own.
  return Buffer.from(hash("sha256", bytes, "binary"), "binary");
}

/** The root of the empty tree: the hash of nothing. */
export const emptyRoot: Buffer = sha256(Buffer.alloc(0));

/** The hash of a leaf: SHA-256 of 00 and the leaf's bytes. @see RFC 6962 section 2.1 */
export function leafHash(bytes: Uint8Array): Buffer {
  const input = Buffer.allocUnsafe(1 + bytes.length);
  input[0] = 0;
  input.set(bytes, 1);
  return sha256(input);
}

// One input buffer serves all nodes: the hash is taken before the next call can change it.
const nodeInput = Buffer.alloc(1 + 2 * hashBytes);
nodeInput[0] = 1;

/** The hash of an inner node: SHA-256 of 01 and its two children. @see RFC 6962 section 2.1 */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  nodeInput.set(left, 1);
  nodeInput.set(right, 1 + hashBytes);
  return sha256(nodeInput);
}
