/** Answers `history`: a record's versions and the events that made them, all or some at a time. */
import { setImmediate } from "node:timers/promises";

import { throwIfAborted } from "../abort.ts";
import { StoreError } from "../errors.ts";
import type { RecordedEvent } from "../event/event.ts";
import { parseRef, type RecordId } from "../ids.ts";
import { mustHaveEntry } from "../records/state.ts";
import { assertLimit } from "./changes-answer.ts";
import type { History, HistoryOptions, RecordView } from "./reader.ts";
import { recordView } from "./record-view.ts";
import { mustFindRef, type ReadScope } from "./scope.ts";

/** Versions read between two turns of the event loop. */
const versionsPerTurn = 128;

/** @throws `argument-invalid` for a version or a limit that cannot be, `ref-invalid` for a ref to one version */
export async function answerHistory(
  scope: ReadScope,
  ref: RecordId,
  { after = 0, limit = Infinity, signal }: HistoryOptions,
): Promise<History> {
  assertLimit(limit);
  if (!Number.isInteger(after) || after < 0) {
    throw new StoreError("argument-invalid", "after must be a version, or 0.", {
      details: { after },
    });
  }
  throwIfAborted(signal);
  const { state, asOf } = scope;
  const { versions } = mustFindRef(scope, wholeRecord(ref));
  const views: RecordView[] = [];
  const events: RecordedEvent[] = [];
  const { recordId } = versions;
  for (const entry of versions.upTo(asOf, after + 1)) {
    if (views.length === limit) {
      return { recordId, versions: views, events, nextAfter: entry.version - 1 };
    }
    views.push(recordView(state, versions, entry, asOf));
    events.push(mustHaveEntry(state, entry.position).event());
    if (views.length % versionsPerTurn !== 0) continue;
    await setImmediate();
    throwIfAborted(signal);
  }
  return { recordId, versions: views, events };
}

function wholeRecord(ref: string): string {
  const { target, version } = parseRef(ref);
  if (version === undefined) return target;
  throw new StoreError(
    "ref-invalid",
    `${JSON.stringify(ref)} names one version, and a history is of all of them.`,
    { hint: "Give the ref without @VERSION.", details: { ref } },
  );
}
