/** Reads a whole log and checks it: checksums, places, payload digests, versions, ids. */
import { StoreError, isStoreError, type ErrorCode } from "./errors.ts";
import type { Entry } from "./codec/entry.ts";
import type { Position } from "./ids.ts";
import type { EmbeddedLog } from "./log/embedded-log.ts";
import { versionEntry } from "./records/versions.ts";

export interface VerifyOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called now and then with the position reached. */
  readonly onProgress?: ((position: Position) => void) | undefined;
}

export interface VerifyProblem {
  readonly position: Position;
  readonly code: ErrorCode;
  readonly message: string;
}

export interface VerifyReport {
  readonly ok: boolean;
  readonly head: Position;
  /** Entries read and found whole. */
  readonly events: number;
  readonly records: number;
  /** The first problem; checking stops there. */
  readonly problems: readonly VerifyProblem[];
}

/** Checks every entry from 1 to the head, and that each stands where the version blocks say. */
export async function verifyLog(
  log: EmbeddedLog,
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  const { head } = log;
  let events = 0;
  let records = 0;
  let recordedAtUs = 0;
  const problems: VerifyProblem[] = [];
  try {
    for await (const entries of log.readEntries({ until: head, signal: options.signal })) {
      for (const entry of entries) {
        checkEntry(log, entry, recordedAtUs);
        recordedAtUs = entry.header.recordedAtUs;
        events += 1;
        if (entry.header.version === 1) records += 1;
      }
      options.onProgress?.(events);
    }
    if (records !== log.recordCount) {
      throw new StoreError(
        "head-mismatch",
        `The log creates ${records} records, but ${log.recordCount} were committed.`,
      );
    }
  } catch (error) {
    if (!isStoreError(error) || error.category !== "corrupt") throw error;
    problems.push({ position: events + 1, code: error.code, message: error.message });
  }
  return { ok: problems.length === 0, head, events, records, problems };
}

function checkEntry(log: EmbeddedLog, entry: Entry, previousUs: number): void {
  const { position, recordId, version, recordedAtUs, id } = entry.header;
  if (!entry.payloadMatchesDigest()) {
    throw new StoreError(
      "checksum-mismatch",
      `The content of log entry ${position} is not the one its header commits to.`,
    );
  }
  if (recordedAtUs < previousUs) {
    throw new StoreError(
      "entry-unreadable",
      `Log entry ${position} is recorded before the entry before it.`,
    );
  }
  if (versionEntry(log.state, recordId, version)?.position !== position) {
    throw new StoreError(
      "entry-unreadable",
      `Log entry ${position} is not where the versions of ${JSON.stringify(recordId)} say.`,
    );
  }
  if (log.state.positionOfEvent(id) !== position) {
    throw new StoreError(
      "entry-unreadable",
      `Event ${id} at position ${position} is not found by its id.`,
    );
  }
}
