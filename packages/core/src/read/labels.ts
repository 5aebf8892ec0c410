/** Labels: names for positions, kept as records of kind `label`, so that moving one leaves a history. */
import { StoreError } from "../errors.ts";
import { created, replaced, type NewEvent } from "../event/event.ts";
import type { RecordDocument } from "../event/document.ts";
import { isPlainObject } from "../event/json.ts";
import type { Position, RecordId } from "../ids.ts";
import { limits } from "../limits.ts";

/** The kind of a label's record. */
export const labelKind = "label";

/**
 * The id of a label's record.
 *
 * @throws `label-invalid` for a name with white space, or one that reads as a number or a time
 */
export function labelRecordId(name: string): RecordId {
  const fits =
    name.length > 0 &&
    Buffer.byteLength(name) <= limits.labelBytesMax &&
    name.isWellFormed() &&
    !/[\s\p{Cc}]/u.test(name) &&
    !isLikeNumber(name) &&
    !/^\d{4}-\d{2}-\d{2}/.test(name) &&
    !/@\d+$/.test(name);
  if (fits) return `label:${name}`;
  throw new StoreError("label-invalid", `${JSON.stringify(name)} cannot be a label.`, {
    details: { label: name },
  });
}

/** True for what is taken for a number, or for a flag: digits, `+1`, `1e2`, and all that begins with a minus. */
export function isLikeNumber(text: string): boolean {
  return text.startsWith("-") || !Number.isNaN(Number(text));
}

/** The event that makes or moves a label. */
export function labelEvent(
  name: string,
  position: Position,
  exists: boolean,
  actor: string | undefined,
): NewEvent {
  const document = { kind: labelKind, name, attributes: { position } };
  return (exists ? replaced : created)(labelRecordId(name), document, { actor });
}

/** The position a label's record names. */
export function labelPosition(document: Pick<RecordDocument, "attributes">): Position | undefined {
  const position = isPlainObject(document.attributes) ? document.attributes["position"] : undefined;
  return typeof position === "number" && Number.isInteger(position) && position >= 0
    ? position
    : undefined;
}
