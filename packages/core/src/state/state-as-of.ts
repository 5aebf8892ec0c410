/** The state of a store as of a position: the nearest snapshot before it, and the headers from there on. */
import { setImmediate } from "node:timers/promises";

import { throwIfAborted } from "../abort.ts";
import type { EntryHeader } from "../codec/entry-header.ts";
import type { Position, RecordId } from "../ids.ts";
import type { EmbeddedLog } from "../log/embedded-log.ts";
import { mustHaveVersions } from "../records/versions.ts";
import type { StateSnapshots } from "./snapshots.ts";
import { StoreState } from "./store-state.ts";

/**
 * Folds the log up to a position, and offers the snapshots it passes on the way.
 *
 * @param asOf not above the head
 * @throws `checksum-mismatch`, `log-gap`, `aborted`
 */
export async function stateAsOf(
  log: EmbeddedLog,
  snapshots: StateSnapshots | undefined,
  asOf: Position,
  signal?: AbortSignal,
): Promise<StoreState> {
  const { head } = log;
  // The roots of a damaged log prove nothing, and whatever can be read of it is read from it.
  const folder = log.damage === undefined ? snapshots : undefined;
  const rootAt = (position: Position) => log.proofs.treeHead(position).root;
  const state = (await folder?.nearest(asOf, rootAt)) ?? new StoreState();
  const createdAt = (recordId: RecordId) =>
    mustHaveVersions(log.state, recordId).newestBlock.createdPosition;
  const take = (header: EntryHeader) => {
    state.apply(header, createdAt);
    if (folder?.keeps(state.position, head) === true) {
      folder.offer(state, rootAt(state.position), head);
    }
  };
  const options = { from: state.position + 1, until: asOf, signal };
  for await (const entries of log.readEntries(options)) {
    for (const { header } of entries) take(header);
    throwIfAborted(signal);
    await setImmediate();
  }
  return state;
}
