/** Sees to it that a copied log records each erasure of content in it, and that it holds no content recorded as erased. */
import type { Entry } from "../codec/entry.ts";
import { StoreError } from "../errors.ts";
import type { Position, RecordId, RecordVersionRef, Version } from "../ids.ts";
import {
  erasureNoteOf,
  hasErasureForm,
  isNamed,
  namedVersions,
  notYetErased,
} from "../records/erasures.ts";
import type { State } from "../records/state.ts";

/** Content that is missing. */
interface Missing extends RecordVersionRef {
  readonly position: Position;
}

/** What has been seen of erasures, entry by entry. */
export class CopiedErasures {
  /** Missing content by the position at which its erasure must be recorded. */
  readonly #awaited = new Map<Position, Missing[]>();
  readonly #positions = new Set<Position>();

  /** Content is the one its header commits to, or it is missing; then the log must say so further on. @throws `checksum-mismatch` */
  check(entry: Entry): void {
    const { position, recordId, version } = entry.header;
    const { erasure } = entry;
    if (erasure === undefined) {
      if (!entry.payloadMatchesDigest()) throw otherContent(position);
    } else {
      if (!hasErasureForm(entry)) throw otherContent(position);
      const awaited = this.#awaited.get(erasure.erasedBy) ?? [];
      awaited.push({ recordId, version, position });
      this.#awaited.set(erasure.erasedBy, awaited);
      this.#positions.add(position);
    }
    const missing = this.#awaited.get(position);
    if (missing === undefined) return;
    const named = namedVersions(erasureNoteOf(entry));
    for (const ref of missing) if (!isNamed(named, ref)) throw otherContent(ref.position);
    this.#awaited.delete(position);
  }

  /**
   * The versions that an entry names as erased and that came with their content, by record: they were read before the
   * erasure, or an older value of them was found again. They count as erased from here on.
   *
   * @throws `entry-unreadable`
   */
  leftTo(entry: Entry, state: State): ReadonlyMap<RecordId, readonly Version[]> {
    const plan = new Map<RecordId, Version[]>();
    for (const { header } of notYetErased(state, entry)) {
      const versions = plan.get(header.recordId) ?? [];
      versions.push(header.version);
      plan.set(header.recordId, versions);
      this.#positions.add(header.position);
    }
    return plan;
  }

  /** True when the content at a position is erased. */
  has(position: Position): boolean {
    return this.#positions.has(position);
  }

  /** @throws `checksum-mismatch` when an erasure that must stand at or before the end does not */
  finish(until: Position): void {
    for (const [erasedBy, [first]] of this.#awaited) {
      // The record of an erasure may stand after the end of what is wanted.
      if (erasedBy <= until && first !== undefined) throw otherContent(first.position);
    }
  }
}

/** Content that no header commits to. */
export function otherContent(position: Position): StoreError {
  return new StoreError(
    "checksum-mismatch",
    `The content of log entry ${position} is not the one its header commits to.`,
    { details: { position } },
  );
}
