/** What a verification found: problems with their places, how far the log is intact, and how fast it went. */
import { isStoreError, StoreError, type ErrorCode } from "../errors.ts";
import type { Position } from "../ids.ts";

/** Problems that a report lists; `problemCount` counts them all. */
const problemsMax = 100;

/**
 * What a problem is about. Only damage to an `entry` can cost events: all other parts can be made again from intact entries, but
 * for `idempotency-key` (a batch that is sent again is then known by its events' ids alone).
 */
export type StorePart =
  | "entry"
  | "versions"
  | "document"
  | "event-id"
  | "idempotency-key"
  | "tile"
  | "commit"
  | "acknowledged"
  | "unknown-key";

export interface VerifyProblem {
  /** Where it is; 0 for what belongs to no event. */
  readonly position: Position;
  readonly part: StorePart;
  readonly code: ErrorCode;
  readonly message: string;
}

/** How far a verification has come. */
export interface VerifyProgress {
  /** Entries up to here have been checked. */
  readonly position: Position;
  readonly head: Position;
  /** Stored bytes read so far, keys and values. */
  readonly bytes: number;
  readonly seconds: number;
  readonly eventsPerSecond: number;
}

export interface VerifyReport {
  readonly ok: boolean;
  readonly head: Position;
  /** Events read and found whole. */
  readonly events: number;
  /** Records they create. */
  readonly records: number;
  /** The largest position up to which every event is intact; damage to other parts does not lower it. */
  readonly intactUntil: Position;
  /** Events that are missing or cannot be read. */
  readonly unreadable: number;
  readonly problemCount: number;
  /** By position, at most 100. */
  readonly problems: readonly VerifyProblem[];
  /** Stored bytes read, keys and values. */
  readonly bytes: number;
  readonly seconds: number;
  readonly eventsPerSecond: number;
}

/** Collects problems, of which a damaged store may have millions. */
export class Findings {
  readonly #problems: VerifyProblem[] = [];
  #count = 0;
  #firstDamaged: Position = Infinity;

  get count(): number {
    return this.#count;
  }

  /** The first position whose entry is damaged; Infinity for none. */
  get firstDamaged(): Position {
    return this.#firstDamaged;
  }

  get problems(): readonly VerifyProblem[] {
    return this.#problems.toSorted((a, b) => a.position - b.position);
  }

  add(part: StorePart, position: Position, code: ErrorCode, message: string): void {
    this.#count += 1;
    if (part === "entry") this.#firstDamaged = Math.min(this.#firstDamaged, position);
    if (this.#problems.length < problemsMax) this.#problems.push({ position, part, code, message });
  }

  /**
   * Notes what was thrown on reading a part.
   *
   * @throws the error itself when it is no damage, such as `aborted` or a newer format
   */
  addError(part: StorePart, position: Position, error: unknown): void {
    const { code, message } = asDamage(error);
    this.add(part, position, code, message);
  }
}

/** Bytes that pass their checksum and yet cannot be decoded make decoders throw what they please. */
function asDamage(error: unknown): StoreError {
  if (!isStoreError(error)) {
    const reason = error instanceof Error ? error.message : String(error);
    return new StoreError("entry-unreadable", `The stored bytes cannot be decoded: ${reason}`);
  }
  if (error.category === "corrupt" || error.code === "internal") return error;
  throw error;
}
