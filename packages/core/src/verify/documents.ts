/** The documents that versions hold, folded again from the entries. */
import type { Entry } from "../codec/entry.ts";
import { decodePatchedDocument } from "../codec/patched-document.ts";
import type { VersionEntry } from "../codec/version-block.ts";
import { StoreError } from "../errors.ts";
import type { RecordDocument } from "../event/document.ts";
import { jsonEqual } from "../event/json.ts";
import type { RecordId } from "../ids.ts";
import { sha256 } from "../merkle/hashing.ts";
import { patchedDocument, wholeDocument } from "../records/versions.ts";
import { BoundedCache } from "./bounded-cache.ts";
import type { CheckedStore } from "./parts.ts";

/** Documents kept for the next patch; one takes up to a few times 1 MiB, most take a few hundred bytes. */
const cachedDocumentsMax = 256;

export class Documents {
  readonly #store: CheckedStore;
  /** The newest document of a record that was patched lately, with the version that made it. */
  readonly #recent = new BoundedCache<
    RecordId,
    { readonly contentVersion: number; readonly document: RecordDocument }
  >(cachedDocumentsMax);

  constructor(store: CheckedStore) {
    this.#store = store;
  }

  /**
   * The document after a patch: the one stored, once it is found to be the one committed to and the one that the patch makes.
   *
   * @param previous the row of the version before
   * @throws `log-gap`, `entry-unreadable`, `checksum-mismatch`
   */
  patched(entry: Entry, previous: VersionEntry): RecordDocument {
    const { position, recordId, version, structure } = entry.header;
    const before = this.#contentOf(recordId, previous);
    const made = before === undefined ? undefined : patchedDocument(before, entry);
    // What the patch makes is what later patches change, whatever is stored.
    if (made !== undefined) this.#recent.set(recordId, { contentVersion: version, document: made });
    const stored = this.#store.state.documentBytes(position);
    if (stored === undefined) {
      throw new StoreError("log-gap", `The document at position ${position} is missing.`);
    }
    const document = decodePatchedDocument(stored);
    const digest = structure.type === "record.updated" ? structure.documentDigest : null;
    const isCommitted = digest === null || sha256(stored).equals(digest);
    if (!isCommitted || (made !== undefined && !jsonEqual(document, made))) {
      throw new StoreError(
        "entry-unreadable",
        `The document at position ${position} is not the one its patch makes.`,
      );
    }
    return document;
  }

  /** What a version holds; undefined when it was erased, or is damaged, which is reported at its own position. */
  #contentOf(recordId: RecordId, row: VersionEntry): RecordDocument | undefined {
    const recent = this.#recent.get(recordId);
    if (recent?.contentVersion === row.contentVersion) return recent.document;
    const { state } = this.#store;
    try {
      const stored = row.patched ? state.documentBytes(row.contentPosition) : undefined;
      if (stored !== undefined) return decodePatchedDocument(stored);
      const entry = state.entry(row.contentPosition);
      const isWhole = entry?.header.recordId === recordId && entry.payloadMatchesDigest();
      return entry !== undefined && isWhole && !row.patched ? wholeDocument(entry) : undefined;
    } catch (error) {
      if (error instanceof StoreError && error.category !== "corrupt") throw error;
      return undefined;
    }
  }
}
