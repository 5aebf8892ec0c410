/** The differences of two JSON values, member by member. */
import { pointerSegment } from "../event/checker.ts";
import { isPlainObject, jsonEqual, type JsonValue } from "../event/json.ts";
import type { FieldChange } from "./reader.ts";

/**
 * What turns `before` into `after`, in the order of the members. Objects are compared member by member, everything
 * else as a whole.
 */
export function fieldChanges(before: unknown, after: unknown, pointer = ""): FieldChange[] {
  if (jsonEqual(before, after)) return [];
  if (!isPlainObject(before) || !isPlainObject(after)) {
    return [{ pointer, change: "changed", before: before as JsonValue, after: after as JsonValue }];
  }
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key): FieldChange[] => {
    const at = `${pointer}/${pointerSegment(key)}`;
    if (!Object.hasOwn(before, key))
      return [{ pointer: at, change: "added", after: after[key] as JsonValue }];
    if (!Object.hasOwn(after, key))
      return [{ pointer: at, change: "removed", before: before[key] as JsonValue }];
    return fieldChanges(before[key], after[key], at);
  });
}
