/** Reads the events of one record, which may have a hundred thousand versions. */
import { throwIfAborted } from "../abort.ts";
import type { RecordedEvent } from "../event/event.ts";
import { parseRef, type Position, type RecordId } from "../ids.ts";
import { Pacer } from "../lineage/pacer.ts";
import type { ReadOptions } from "../log/event-log.ts";
import { mustHaveEntry } from "../records/state.ts";
import { mustFindRef, type ReadScope } from "./scope.ts";
import { whenReadable } from "./when-readable.ts";

/** Versions looked at between two looks at the clock. */
const versionsAtOnce = 64;

type Range = Omit<ReadOptions, "until"> & { readonly until: Position };

/** @throws `record-not-found`, `ref-invalid`, `aborted`, `checksum-mismatch`, `log-gap` */
export async function* readRecordEvents(
  scope: ReadScope,
  recordId: RecordId,
  range: Range,
): AsyncGenerator<RecordedEvent> {
  const { log, state } = scope;
  const pacer = new Pacer(range.signal);
  const positions = await whenReadable(log, () => positionsOf(scope, recordId, range, pacer));
  for (const position of positions) {
    throwIfAborted(range.signal);
    if (pacer.isDue) await pacer.turn();
    yield await whenReadable(log, () => mustHaveEntry(state, position).event());
  }
}

async function positionsOf(
  scope: ReadScope,
  recordId: RecordId,
  { from, until, reverse = false, limit = Infinity }: Range,
  pacer: Pacer,
): Promise<Position[]> {
  const { versions } = mustFindRef(scope, parseRef(recordId).target);
  const positions: Position[] = [];
  let seen = 0;
  for (const { position } of versions.upTo(until)) {
    if (!reverse && positions.length >= limit) break;
    if (from === undefined || (reverse ? position <= from : position >= from)) {
      positions.push(position);
    }
    seen += 1;
    if (seen % versionsAtOnce === 0 && pacer.isDue) await pacer.turn();
  }
  return reverse ? positions.toReversed().slice(0, limit) : positions;
}
