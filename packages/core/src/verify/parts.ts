/** What the checks of one store share: where they read, up to where, and what they found. */
import { decodeCommit } from "../codec/commit-record.ts";
import type { Position } from "../ids.ts";
import { commitKey } from "../storage/keyspace.ts";
import type { Storage } from "../storage/storage.ts";
import { StoredState, type State } from "../records/state.ts";
import type { Findings } from "./report.ts";

/** A store under verification, as it was when that began. */
export class CheckedStore {
  readonly storage: Storage;
  readonly state: State;
  readonly findings: Findings;
  /** The head committed when the verification began; Infinity when no commit record could be read. */
  head: Position = Infinity;
  /** Positions found to be erased, so far. */
  readonly erased = new Set<Position>();

  constructor(storage: Storage, findings: Findings) {
    this.storage = storage;
    this.state = new StoredState(storage);
    this.findings = findings;
  }

  /** True for what has been written since the verification began, so that it is not looked at. */
  isLater(position: Position): boolean {
    return position > this.head && position <= this.headNow();
  }

  /** The head committed now; 0 when the commit record cannot be read. */
  headNow(): Position {
    const value = this.storage.get(commitKey);
    if (value === undefined) return 0;
    try {
      return decodeCommit(value).head;
    } catch {
      return 0;
    }
  }
}
