/** Where a projection goes on from: its stored checkpoint, or the beginning when what it is made of has changed. */
import { erasureKind, type EmbeddedStore, type Position, type RecordedEvent } from "@sennit/core";
import type { Storage } from "@sennit/core/storage";

import type { ProjectionDefinition } from "./projection.ts";
import { emptyStateHash, readCheckpoint, type Checkpoint, type SpaceAllocator } from "./spaces.ts";

/** The stored checkpoint, when it is of this version of the projection and of this log; otherwise an empty one. */
export async function openCheckpoint(
  {
    store,
    storage,
    spaces,
  }: { readonly store: EmbeddedStore; readonly storage: Storage; readonly spaces: SpaceAllocator },
  definition: ProjectionDefinition,
): Promise<Checkpoint> {
  const found = readCheckpoint(storage, definition.name);
  const isCurrent =
    found !== undefined &&
    found.version === definition.version &&
    // One that does not say when its fold began cannot tell which erasures it has missed.
    typeof found.begunAt === "number" &&
    (await isOfThisLog(store, found));
  return isCurrent ? found : emptyCheckpoint(definition, await spaces.allocate(), store.head);
}

/** The checkpoint of a fold that begins. @param begunAt head of the log */
export function emptyCheckpoint(
  { version }: ProjectionDefinition,
  space: number,
  begunAt: Position,
): Checkpoint {
  return { version, space, begunAt, position: 0, eventHash: "", stateHash: emptyStateHash };
}

/** True when an event says that content was erased which stood in the log when the fold began. */
export function voidsFold(event: RecordedEvent, { begunAt }: Checkpoint): boolean {
  const isErasure = event.type === "record.created" && event.data.kind === erasureKind;
  return isErasure && event.position > begunAt;
}

/** Looks for such an event behind a position. */
export async function isVoidedBetween(
  store: EmbeddedStore,
  checkpoint: Checkpoint,
  after: Position,
  until: Position,
  signal: AbortSignal,
): Promise<boolean> {
  if (after >= until) return false;
  for await (const entries of store.log.readEntries({ from: after + 1, until, signal })) {
    if (entries.some((entry) => voidsFold(entry.event(), checkpoint))) return true;
  }
  return false;
}

/** A checkpoint belongs to a log that holds the very event it was made at. */
async function isOfThisLog(
  store: EmbeddedStore,
  { position, eventHash }: Checkpoint,
): Promise<boolean> {
  if (position > store.head) return false;
  for await (const event of store.events({ from: position, limit: 1 }))
    return event.hash === eventHash;
  return false;
}
