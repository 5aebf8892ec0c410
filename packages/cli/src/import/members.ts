/** Reads members of a Bluesky document, or says which one is wrong and where. */
import { created, isPlainObject, isStoreError, validateEvent, type Issue } from "@sennit/core";

import type { BlueskyDocument } from "./documents.ts";
import { importInvalid } from "./import-invalid.ts";

/** A JSON object whose members nobody has checked. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** A member that is text and not empty. @throws `import-invalid` */
export function textMember({ body, pointer }: BlueskyDocument, member: string): string {
  return textValue(body[member], `${pointer}/${member}`);
}

/** The value as text that is not empty. @throws `import-invalid` */
export function textValue(value: unknown, pointer: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw importInvalid({ pointer, message: problem("must be text that is not empty", value) });
}

/** The value as an object. @throws `import-invalid` */
export function objectValue(value: unknown, pointer: string): JsonObject {
  if (isPlainObject(value)) return value;
  throw importInvalid({ pointer, message: problem("must be an object", value) });
}

/** The value as an array of the given length. @throws `import-invalid` */
export function arrayValue(value: unknown, pointer: string, length?: number): readonly unknown[] {
  if (!Array.isArray(value)) {
    throw importInvalid({ pointer, message: problem("must be an array", value) });
  }
  if (length !== undefined && value.length !== length) {
    const message = `must hold ${length} items, one for each uid, not ${value.length}`;
    throw importInvalid({ pointer, message });
  }
  return value;
}

/** The value as a whole number from 0. @throws `import-invalid` */
export function countValue(value: unknown, pointer: string): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw importInvalid({ pointer, message: problem("must be a whole number from 0", value) });
}

/** The member `time`, seconds since the epoch, in microseconds since the epoch. @throws `import-invalid` */
export function timeMember({ body, pointer }: BlueskyDocument): number {
  return timeValue(body["time"], `${pointer}/time`);
}

/** Seconds since the epoch as microseconds since the epoch, rounded to the nearest. @throws `import-invalid` */
export function timeValue(value: unknown, pointer: string): number {
  const us = typeof value === "number" ? Math.round(value * 1_000_000) : -1;
  if (us >= 0 && us <= Number.MAX_SAFE_INTEGER) return us;
  const message = problem("must be a time in seconds since 1970", value);
  throw importInvalid({ pointer, message });
}

function problem(rule: string, value: unknown): string {
  return value === undefined ? `${rule}, and is missing` : rule;
}

/**
 * Checks a document by the rules the store has for attributes: finite numbers, whole Unicode, no member `__proto__`,
 * bounded depth.
 *
 * @throws `import-invalid` with the store's words and pointers into the file
 */
export function checkStorable({ name, body, pointer }: BlueskyDocument): void {
  // A stop document is stored one level down, which counts where depth is bounded.
  const attributes = (name === "stop" ? { stop: body } : body) as never;
  const prefix = name === "stop" ? "/data/attributes/stop" : "/data/attributes";
  try {
    validateEvent(created("document", { kind: name, name, attributes }));
  } catch (error) {
    if (!isStoreError(error)) throw error;
    const issues = (error.details["issues"] as readonly Issue[]).map((issue) => ({
      pointer: `${pointer}${issue.pointer.slice(prefix.length)}`,
      message: issue.message,
    }));
    const [first = { pointer, message: error.message }, ...more] = issues;
    throw importInvalid(first, more, { cause: error });
  }
}
