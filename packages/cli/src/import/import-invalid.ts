/** The error for a file that is not what its format says. */
import { StoreError, type Issue } from "@sennit/core";

export interface ImportInvalidOptions {
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/**
 * Makes an `import-invalid` error whose `details.issues` name places in the file.
 *
 * @param first the problem the message speaks of; its pointer is an RFC 6901 JSON pointer into the file's array
 * @param more further problems of the same document
 */
export function importInvalid(
  first: Issue,
  more: readonly Issue[] = [],
  options: ImportInvalidOptions = {},
): StoreError {
  const place = first.pointer === "" ? "The file" : first.pointer;
  return new StoreError("import-invalid", `${place} ${first.message}.`, {
    ...options,
    details: { pointer: first.pointer, issues: [first, ...more] },
  });
}
