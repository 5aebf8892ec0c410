/** Checks that erased content was erased by the event that says so. */
import type { Entry } from "../codec/entry.ts";
import { isPlainObject } from "../event/json.ts";
import type { Position, RecordId, Version } from "../ids.ts";
import { BoundedCache } from "./bounded-cache.ts";
import type { CheckedStore } from "./parts.ts";

/** The kind of the records that say what was erased. */
const erasureKind = "erasure";
const cachedErasuresMax = 16;

/** The versions that one event erased. */
type Erased = ReadonlyMap<RecordId, readonly { readonly from: Version; readonly to: Version }[]>;

export class Erasures {
  readonly #store: CheckedStore;
  readonly #cache = new BoundedCache<Position, Erased>(cachedErasuresMax);

  constructor(store: CheckedStore) {
    this.#store = store;
  }

  /** True when the log holds the erasure that an erased entry names, and it names that version. */
  isRecorded({ header, erasure }: Entry): boolean {
    if (erasure === undefined || !Number.isSafeInteger(erasure.erasedBy)) return false;
    const ranges = this.#erasedBy(erasure.erasedBy).get(header.recordId) ?? [];
    return ranges.some(({ from, to }) => from <= header.version && header.version <= to);
  }

  #erasedBy(position: Position): Erased {
    const known = this.#cache.get(position);
    if (known !== undefined) return known;
    const erased = position > this.#store.head ? new Map() : this.#read(position);
    this.#cache.set(position, erased);
    return erased;
  }

  #read(position: Position): Erased {
    const erased = new Map<RecordId, { from: Version; to: Version }[]>();
    for (const { recordId, versions } of this.#listAt(position)) {
      erased.set(recordId, [...(erased.get(recordId) ?? []), versions]);
    }
    return erased;
  }

  #listAt(position: Position): ErasedVersions[] {
    let entry: Entry | undefined;
    try {
      entry = this.#store.state.entry(position);
    } catch {
      // Why it cannot be read is reported at its own position.
      return [];
    }
    const { structure } = entry?.header ?? {};
    if (entry === undefined || structure?.type !== "record.created") return [];
    if (structure.kind !== erasureKind || !entry.payloadMatchesDigest()) return [];
    const attributes = entry.payload().data["attributes"];
    const list = isPlainObject(attributes) ? attributes["erased"] : undefined;
    return Array.isArray(list) ? list.filter(isErasedVersions) : [];
  }
}

interface ErasedVersions {
  readonly recordId: RecordId;
  readonly versions: { readonly from: Version; readonly to: Version };
}

function isErasedVersions(value: unknown): value is ErasedVersions {
  if (!isPlainObject(value) || !isPlainObject(value["versions"])) return false;
  const { from, to } = value["versions"];
  return (
    typeof value["recordId"] === "string" && typeof from === "number" && typeof to === "number"
  );
}
