/** Reads every record as it stood at an instant, in the order of creation. */
import { setImmediate } from "node:timers/promises";

import { throwIfAborted } from "../abort.ts";
import { must } from "../assert.ts";
import { mustHaveEntry } from "../records/state.ts";
import { mustHaveVersions } from "../records/versions.ts";
import { stateAsOf } from "../state/state-as-of.ts";
import type { RecordView } from "./reader.ts";
import { recordView } from "./record-view.ts";
import type { ReadScope } from "./scope.ts";
import { whenReadable } from "./when-readable.ts";

/** Records read between two turns of the event loop. */
const recordsPerTurn = 256;

/** @throws `aborted`, `checksum-mismatch`, `log-gap` */
export async function* readAllRecords(
  { log, state, asOf, snapshots }: ReadScope,
  signal: AbortSignal | undefined,
): AsyncGenerator<RecordView> {
  throwIfAborted(signal);
  const records = await whenReadable(log, () => stateAsOf(log, snapshots, asOf, signal));
  for (let number = 0; number < records.size; number += 1) {
    throwIfAborted(signal);
    yield await whenReadable(log, () => {
      const { recordId } = mustHaveEntry(state, records.positionOf(number)).header;
      const versions = mustHaveVersions(state, recordId);
      const entry = must(versions.asOf(asOf), "a record of the state has a version");
      return recordView(state, versions, entry, asOf);
    });
    if (number % recordsPerTurn === recordsPerTurn - 1) await setImmediate();
  }
}
