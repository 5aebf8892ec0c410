/** Reads a whole log and checks it: checksums, places, payload digests, versions, ids, the Merkle root. */
import { StoreError, isStoreError, type ErrorCode } from "./errors.ts";
import { must } from "./assert.ts";
import type { Entry } from "./codec/entry.ts";
import { decodePatchedDocument } from "./codec/patched-document.ts";
import { jsonEqual } from "./event/json.ts";
import type { Position } from "./ids.ts";
import type { EmbeddedLog } from "./log/embedded-log.ts";
import { Frontier } from "./merkle/frontier.ts";
import { sha256 } from "./merkle/hashing.ts";
import { findVersion, mustHaveVersions, patchedDocument } from "./records/versions.ts";

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

/** What has been checked so far. */
interface Tally {
  events: number;
  records: number;
  recordedAtUs: number;
  readonly frontier: Frontier;
}

/** Checks every entry from 1 to the head, and that each stands where the version blocks say. */
export async function verifyLog(
  log: EmbeddedLog,
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  const { head } = log;
  const tally: Tally = { events: 0, records: 0, recordedAtUs: 0, frontier: new Frontier() };
  const problems: VerifyProblem[] = [];
  try {
    for await (const entries of log.readEntries({ until: head, signal: options.signal })) {
      for (const entry of entries) checkEntry(log, entry, tally);
      options.onProgress?.(tally.events);
    }
    if (log.head === head) checkCommit(log, tally);
  } catch (error) {
    // What is no damage, such as an abort, is thrown again here.
    const somewhere = problemAt(tally.events + 1, error);
    problems.push(locateProblem(log, tally, head) ?? somewhere);
  }
  const { damage } = log;
  // What opening found may lie outside the log itself: an end that is missing leaves what is there whole.
  if (problems.length === 0 && damage?.category === "corrupt") {
    problems.push({ position: head + 1, code: damage.code, message: damage.message });
  }
  const { events, records } = tally;
  return { ok: problems.length === 0, head, events, records, problems };
}

/** What was counted and hashed must be what was committed, and the stored tiles must give the same root. */
function checkCommit(log: EmbeddedLog, { records, frontier }: Tally): void {
  if (records !== log.recordCount) {
    throw new StoreError(
      "head-mismatch",
      `The log creates ${records} records, but ${log.recordCount} were committed.`,
    );
  }
  const root = frontier.root();
  const { size, root: committed } = log.proofs.treeHead();
  if (!root.equals(committed) || !root.equals(log.proofs.rootFromTiles(size))) {
    throw new StoreError("root-mismatch", "The Merkle root of the log is not the one committed.");
  }
}

/** Entries are read in chunks, so a failed read says only that one of many is damaged; this finds which. */
function locateProblem(log: EmbeddedLog, tally: Tally, head: Position): VerifyProblem | undefined {
  for (let position = tally.events + 1; position <= head; position += 1) {
    try {
      const entry = log.state.entry(position);
      if (entry === undefined) {
        throw new StoreError("log-gap", `Position ${position} is missing from the log.`);
      }
      checkEntry(log, entry, tally);
    } catch (error) {
      return problemAt(position, error);
    }
  }
  return undefined;
}

/** Rethrows what is no damage, such as `aborted`. */
function problemAt(position: Position, error: unknown): VerifyProblem {
  if (!isStoreError(error) || error.category !== "corrupt") throw error;
  return { position, code: error.code, message: error.message };
}

function checkEntry(log: EmbeddedLog, entry: Entry, tally: Tally): void {
  const { position, recordId, version, recordedAtUs, id } = entry.header;
  if (!entry.payloadMatchesDigest()) {
    throw new StoreError(
      "checksum-mismatch",
      `The content of log entry ${position} is not the one its header commits to.`,
    );
  }
  if (recordedAtUs < tally.recordedAtUs) {
    throw new StoreError(
      "entry-unreadable",
      `Log entry ${position} is recorded before the entry before it.`,
    );
  }
  const stored = findVersion(log.state, { recordId, version });
  if (stored?.position !== position) {
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
  if (stored.patched && stored.contentPosition === position) checkPatched(log, entry);
  tally.events += 1;
  if (version === 1) tally.records += 1;
  tally.recordedAtUs = recordedAtUs;
  tally.frontier.append(entry.leafHash());
}

/** The document stored beside a patch must be the one that the patch makes of the version before. */
function checkPatched(log: EmbeddedLog, entry: Entry): void {
  const { position, recordId, version, structure } = entry.header;
  const stored = log.state.documentBytes(position);
  if (stored === undefined) {
    throw new StoreError("log-gap", `The document at position ${position} is missing.`);
  }
  const versions = mustHaveVersions(log.state, recordId);
  const before = must(versions.version(version - 1), "a patch follows a version");
  const made = patchedDocument(versions.document(before), entry);
  const digest = structure.type === "record.updated" ? structure.documentDigest : null;
  const isCommitted = digest === null || sha256(stored).equals(digest);
  if (isCommitted && jsonEqual(decodePatchedDocument(stored), made)) return;
  throw new StoreError(
    "entry-unreadable",
    `The document at position ${position} is not the one its patch makes.`,
  );
}
