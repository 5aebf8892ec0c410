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

/** Makes the digest of a closure member by member. */
export class ClosureHash {
  readonly #hash = createHash("sha256").update("[");
  #isFirst = true;
  #isErased = false;

  /** Takes the next member, in the order of positions. */
  add({ recordId, version, document, isErased }: ClosureMember): void {
    const content = [recordId, version, ...documentMembers.map((member) => document[member])];
    this.#hash.update(`${this.#isFirst ? "" : ","}${canonicalJson(content)}`);
    this.#isFirst = false;
    this.#isErased ||= isErased;
  }

  /**
   * SHA-256 over ids, versions and documents, 64 hexadecimal digits: nothing that later events change takes part. Null
   * when content has been erased, since what the digest was can no longer be told. Call it once, at the end.
   */
  digest(): string | null {
    return this.#isErased ? null : this.#hash.update("]").digest("hex");
  }
}

/** The digest of a closure. @param closure in the order of positions */
export function closureDigest(closure: readonly ClosureMember[]): string | null {
  const hash = new ClosureHash();
  for (const member of closure) hash.add(member);
  return hash.digest();
}
