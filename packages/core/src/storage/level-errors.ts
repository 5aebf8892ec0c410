/** LevelDB's failures, which are words, as errors with codes. */
import { StoreError, type ErrorCode } from "../errors.ts";

/** What LevelDB cannot read is damage, whatever it calls it. */
export function readError(error: unknown): StoreError {
  return new StoreError("entry-unreadable", `The database cannot be read: ${reasonOf(error)}`, {
    cause: error,
  });
}

/** A write that LevelDB has rejected: `disk-full` when space or quota has run out, `write-failed` otherwise. */
export function writeError(error: unknown): StoreError {
  const reason = reasonOf(error);
  return new StoreError(writeErrorCode(reason), `The disk did not take a write: ${reason}`, {
    cause: error,
    hint: hints.find(({ pattern }) => pattern.test(reason))?.hint,
  });
}

const noSpace = /no space left|disk quota exceeded|not enough space|\b(ENOSPC|EDQUOT)\b/i;

/** LevelDB passes on the words of the operating system and drops its numbers. */
function writeErrorCode(reason: string): ErrorCode {
  return noSpace.test(reason) ? "disk-full" : "write-failed";
}

/** What to do where running out of space is not the reason. */
const hints: readonly { readonly pattern: RegExp; readonly hint: string }[] = [
  {
    pattern: /disk quota exceeded|\bEDQUOT\b/i,
    hint: "Free some space or raise the quota, then send the batch again; nothing acknowledged is lost.",
  },
  {
    pattern: /file too large|\bEFBIG\b/i,
    hint: "Raise the limit on the size of files, then send the batch again.",
  },
  {
    pattern: /read-only file system|\bEROFS\b/i,
    hint: "Make the file system writable, then send the batch again.",
  },
  {
    pattern: /input\/output error|\bEIO\b/i,
    hint: "Check the disk and run sennit verify; then send the batch again.",
  },
];

/** A database that LevelDB did not open. */
export function openError(directory: string, error: unknown): StoreError {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const code =
    typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined;
  const options = { cause: error, details: { directory } };
  if (code === "LEVEL_LOCKED") {
    return new StoreError("store-locked", `Another process has ${directory} open.`, options);
  }
  const reason = reasonOf(cause);
  if (code === "LEVEL_CORRUPTION" || /corruption/i.test(reason)) {
    return new StoreError(
      "entry-unreadable",
      `The database in ${directory} is damaged: ${reason}`,
      options,
    );
  }
  if (noSpace.test(reason)) {
    return new StoreError("disk-full", `There is no space to open ${directory}.`, options);
  }
  return new StoreError("file-unreadable", `Cannot open ${directory}: ${reason}`, options);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
