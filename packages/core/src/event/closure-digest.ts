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
}

/**
 * SHA-256 over ids, versions and documents, 64 hexadecimal digits: nothing that later events change takes part.
 *
 * @param closure in the order of positions
 */
export function closureDigest(closure: readonly ClosureMember[]): string {
  const content = closure.map(({ recordId, version, document }) => [
    recordId,
    version,
    ...documentMembers.map((member) => document[member]),
  ]);
  return createHash("sha256").update(canonicalJson(content)).digest("hex");
}
