/** Checks that erased content was erased by the event that says so, and that nothing an event says it erased is left. */
import type { Entry } from "../codec/entry.ts";
import type { Position } from "../ids.ts";
import {
  erasureNoteOf,
  isNamed,
  namedVersions,
  notYetErased,
  type NamedVersions,
} from "../records/erasures.ts";
import { RecordVersions } from "../records/versions.ts";
import { BoundedCache } from "./bounded-cache.ts";
import type { CheckedStore } from "./parts.ts";

const cachedErasuresMax = 16;

export class Erasures {
  readonly #store: CheckedStore;
  readonly #cache = new BoundedCache<Position, NamedVersions>(cachedErasuresMax);

  constructor(store: CheckedStore) {
    this.#store = store;
  }

  /** True when the log holds the erasure that an erased entry names, and it names that version. */
  isRecorded({ header, erasure }: Entry): boolean {
    return erasure !== undefined && isNamed(this.#namedBy(erasure.erasedBy), header);
  }

  /** Reports what an entry says was erased, and was not. @throws what is wrong with the entry itself */
  checkDone(entry: Entry): void {
    const { position } = entry.header;
    for (const { header } of notYetErased(this.#store.state, entry)) {
      this.#store.findings.add(
        "document",
        header.position,
        "entry-unreadable",
        `Log entry ${header.position} holds content, and the log records at position ${position} that it was erased.`,
      );
    }
  }

  /**
   * True when the content that an entry makes or carries on has been erased since the verification began: then what stands
   * beside it has changed with it.
   */
  isErasedSince({ header: { position, recordId, version } }: Entry): boolean {
    const { state } = this.#store;
    try {
      const carried = RecordVersions.of(state, recordId)?.version(version)?.contentPosition;
      return [position, carried ?? position].some((at) =>
        this.#store.isLater(state.entry(at)?.erasure?.erasedBy ?? 0),
      );
    } catch {
      // What cannot be read is damage that was there before.
      return false;
    }
  }

  #namedBy(position: Position): NamedVersions {
    const known = this.#cache.get(position);
    if (known !== undefined) return known;
    const { head } = this.#store;
    // A scan that began anew may meet what was erased since the verification began.
    const isThere = position <= head || this.#store.isLater(position);
    const named = isThere ? this.#read(position) : namedVersions(undefined);
    this.#cache.set(position, named);
    return named;
  }

  #read(position: Position): NamedVersions {
    try {
      const entry = this.#store.state.entry(position);
      const isSound = entry?.payloadMatchesDigest() === true;
      return namedVersions(isSound ? erasureNoteOf(entry) : undefined);
    } catch {
      // Why it cannot be read is reported at its own position.
      return namedVersions(undefined);
    }
  }
}
