/** What the file system refuses to do with a named file, in words. */
import { StoreError } from "@sennit/core";

const reasons: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EISDIR: "it is a directory",
  ENOENT: "there is no such file",
  ENOTDIR: "something in its path is no directory",
};

/** Why a file cannot be used, without its path and without a full stop. */
export function fileReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const known = "code" in error ? reasons[String(error.code)] : undefined;
  // The system's message has the path at its end already.
  return known ?? error.message.replace(/, \w+ '.*$/s, "");
}

/** The `file-unreadable` error for what the file system says of a file; undefined for any other error. */
export function fileError(error: unknown, path?: string): StoreError | undefined {
  if (!(error instanceof Error) || !("syscall" in error)) return undefined;
  const { syscall } = error;
  const named = path ?? ("path" in error ? error.path : undefined);
  if (typeof syscall !== "string" || typeof named !== "string") return undefined;
  return new StoreError("file-unreadable", `Cannot use ${named}: ${fileReason(error)}.`, {
    cause: error,
    details: { path: named, operation: syscall },
  });
}
