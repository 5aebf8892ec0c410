/** Finds content that was erased by an event that a cut would take away: without that event the log cannot say why it is missing. */
import { Entry } from "../codec/entry.ts";
import type { Position } from "../ids.ts";
import { entryKey, entryKeyPosition } from "../storage/keyspace.ts";
import type { Storage } from "../storage/storage.ts";

/** Erased content that moves a cut to before it. */
export interface LostErasure {
  /** Its position: the first one that goes. */
  readonly position: Position;
  /** The event that erased it and would go. */
  readonly erasedBy: Position;
  /** Positions up to here are intact, and could stay but for this. */
  readonly intactUntil: Position;
}

/**
 * The first position that cannot stay because of an erasure; undefined when all can.
 *
 * @param intactUntil every entry up to here can be read
 */
export async function findLostErasure(
  storage: Storage,
  intactUntil: Position,
): Promise<LostErasure | undefined> {
  const erased: { readonly position: Position; readonly erasedBy: Position }[] = [];
  for await (const chunk of storage.scan({ from: entryKey(1), until: entryKey(intactUntil + 1) })) {
    for (const [key, value] of chunk) {
      const position = entryKeyPosition(key);
      const { erasure } = Entry.decode(position, value);
      if (erasure !== undefined) erased.push({ position, erasedBy: erasure.erasedBy });
    }
  }
  let lost: LostErasure | undefined;
  let keep = intactUntil;
  for (;;) {
    const orphan = erased.find(
      // A cut before one erased position may take away the event that erased an earlier one.
      ({ position, erasedBy }) => position <= keep && erasedBy > keep,
    );
    if (orphan === undefined) return lost;
    lost = { ...orphan, intactUntil };
    keep = orphan.position - 1;
  }
}
