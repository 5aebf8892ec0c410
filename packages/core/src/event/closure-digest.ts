/** The digest of a closure: what a replay prints and a receipt proves. */
import { createHash } from "node:crypto";

import type { RecordId, Version } from "../ids.ts";
import { documentMembers, type RecordDocument } from "./document.ts";
import { canonicalJson } from "./json.ts";

/** A record version with its content. */
export interface ClosureMember {
  readonly recordId: RecordId;
  readonly version: Version;
  readonly document: RecordDocument;
  /** True when the content was erased, and the document is empty. */
  readonly isErased: boolean;
}

/**
 * SHA-256 over ids, versions and documents, 64 hexadecimal digits: nothing that later events change takes part. Null
 * when content has been erased, since what the digest was can no longer be told.
 *
 * @param closure in the order of positions
 */
export function closureDigest(closure: readonly ClosureMember[]): string | null {
  if (closure.some(({ isErased }) => isErased)) return null;
  const content = closure.map(({ recordId, version, document }) => [
    recordId,
    version,
    ...documentMembers.map((member) => document[member]),
  ]);
  return createHash("sha256").update(canonicalJson(content)).digest("hex");
}
