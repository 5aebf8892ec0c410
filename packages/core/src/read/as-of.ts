/** Resolves an instant to the position it means. */
import { StoreError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Position } from "../ids.ts";
import type { EmbeddedLog } from "../log/embedded-log.ts";
import { RecordVersions } from "../records/versions.ts";
import { parseTimestamp } from "../timestamp.ts";
import { isLikeNumber, labelPosition, labelRecordId } from "./labels.ts";
import type { AsOf } from "./reader.ts";

/**
 * The position an instant means: a position itself, the last one recorded at or before a time, the one a label names.
 *
 * @throws `as-of-invalid`, `as-of-ahead-of-head`, `label-not-found`, `label-invalid`
 */
export async function resolveAsOf(log: EmbeddedLog, asOf: AsOf): Promise<Position> {
  const { position, time, label }: Partial<Record<"position" | "time" | "label", unknown>> =
    typeof asOf === "object" && asOf !== null ? asOf : {};
  if ([position, time, label].filter((member) => member !== undefined).length !== 1) {
    throw new StoreError(
      "as-of-invalid",
      "As-of must hold a position, a time or a label, and one of them only.",
    );
  }
  if (position !== undefined) return resolvePosition(log, position);
  if (time !== undefined) return resolveTime(log, time);
  return resolveLabel(log, label);
}

/**
 * Reads an instant as a person writes it: digits are a position, a date with a time is a time, the rest is a label.
 * What reads as a number in another way, or begins with a minus, is none of them.
 *
 * @throws `as-of-invalid`
 */
export function parseAsOf(text: string): AsOf {
  if (/^\d+$/.test(text) && Number(text) <= limits.positionMax) return { position: Number(text) };
  if (/^\d{4}-\d{2}-\d{2}/.test(text)) {
    if (parseTimestamp(text) !== undefined) return { time: text };
    throw new StoreError("as-of-invalid", `${JSON.stringify(text)} is no complete time.`, {
      hint: "Write an RFC 3339 time with a zone, such as 2026-03-02T10:00:00Z.",
    });
  }
  if (text.length === 0) throw new StoreError("as-of-invalid", "As-of must not be empty.");
  if (isLikeNumber(text)) throw noPosition(JSON.stringify(text));
  return { label: text };
}

function resolvePosition(log: EmbeddedLog, position: unknown): Position {
  if (typeof position !== "number") {
    throw noPosition(typeof position === "string" ? JSON.stringify(position) : typeof position);
  }
  if (!Number.isInteger(position) || position < 0 || position > limits.positionMax) {
    throw noPosition(String(position));
  }
  if (position > log.head) {
    throw new StoreError(
      "as-of-ahead-of-head",
      `Position ${position} is ahead of the head, ${log.head}.`,
      {
        details: { position, head: log.head },
      },
    );
  }
  return position;
}

function noPosition(what: string): StoreError {
  return new StoreError(
    "as-of-invalid",
    `${what} is no position: positions are whole numbers from 0 to ${limits.positionMax}.`,
  );
}

async function resolveTime(log: EmbeddedLog, time: unknown): Promise<Position> {
  if (typeof time !== "string") {
    throw new StoreError("as-of-invalid", `A time is a text, and ${typeof time} is none.`);
  }
  const timeUs = parseTimestamp(time);
  if (timeUs === undefined) {
    throw new StoreError(
      "as-of-invalid",
      `${JSON.stringify(time)} is no RFC 3339 time with a zone.`,
    );
  }
  if (timeUs > log.nowUs()) {
    throw new StoreError(
      "as-of-ahead-of-head",
      `${time} has not come yet, so what will be known then is not known.`,
      {
        details: { time, head: log.head },
      },
    );
  }
  await log.settleUntil(timeUs);
  return lastRecordedUntil(log, timeUs);
}

/** Times never go back along the log, so the last position at or before one is found by halving. */
function lastRecordedUntil(log: EmbeddedLog, timeUs: number): Position {
  let low = 0;
  let high = log.head;
  while (low < high) {
    const middle = Math.floor((low + high + 1) / 2);
    const entry = log.state.entry(middle);
    if (entry === undefined) {
      throw new StoreError("log-gap", `Position ${middle} is missing from the log.`, {
        details: { position: middle },
      });
    }
    if (entry.header.recordedAtUs <= timeUs) low = middle;
    else high = middle - 1;
  }
  return low;
}

function resolveLabel(log: EmbeddedLog, label: unknown): Position {
  if (typeof label !== "string") {
    throw new StoreError("as-of-invalid", `A label is a text, and ${typeof label} is none.`);
  }
  const recordId = labelRecordId(label);
  const versions = RecordVersions.of(log.state, recordId);
  const entry = versions?.asOf(log.head);
  const isThere =
    entry !== undefined && versions?.withdrawalOf(entry.contentVersion, log.head) === undefined;
  if (versions === undefined || !isThere) {
    throw new StoreError("label-not-found", `There is no label ${JSON.stringify(label)}.`, {
      details: { label },
    });
  }
  const position = labelPosition(versions.document(entry));
  if (position === undefined || position > log.head) {
    throw new StoreError(
      "label-invalid",
      `The record of label ${JSON.stringify(label)} names no position of this store.`,
      {
        details: { label, recordId },
        hint: "Set the label again with: sennit label NAME POSITION",
      },
    );
  }
  return position;
}
