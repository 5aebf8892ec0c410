/** What became of one line: stored, there before, or refused and why, in a few hundred characters. */
import { isStoreError, type ErrorCode, type StoreError } from "../errors.ts";
import type { EventId, Position, RecordId, Version } from "../ids.ts";
import type { AppendedEvent } from "../log/event-log.ts";

/** The event of a line that stands in the log. */
export interface LineStored {
  /** From 1. */
  readonly line: number;
  readonly status: "stored" | "duplicate";
  readonly eventId: EventId;
  readonly recordId: RecordId;
  readonly version: Version;
  readonly position: Position;
  /** How many events the store added because of it; they stand right behind it. */
  readonly consequences: number;
}

/** Why a line was refused. */
export interface LineError {
  /** From 1. */
  readonly line: number;
  readonly code: ErrorCode;
  readonly message: string;
  /** The place in the line's event (RFC 6901). */
  readonly pointer: string;
  readonly hint: string;
}

export interface LineRefused extends LineError {
  readonly status: "refused";
}

export type LineResult = LineStored | LineRefused;

const textMax = 300;

export function storedLine(
  line: number,
  { status, eventId, recordId, version, position, consequences }: AppendedEvent,
): LineStored {
  const counted = consequences.length;
  return { line, status, eventId, recordId, version, position, consequences: counted };
}

export function refusedLine(line: number, error: StoreError): LineRefused {
  const { index } = error.details;
  const inBatch = typeof index === "number";
  // A place in the batch says nothing to somebody who has lines.
  const { code, message, hint, details } =
    inBatch && isStoreError(error.cause) ? error.cause : error;
  const pointer = pointerOf(details);
  const lead = `/${String(index)}`;
  const isLed = inBatch && (pointer === lead || pointer.startsWith(`${lead}/`));
  return {
    line,
    status: "refused",
    code,
    message: clip(message),
    pointer: clip(isLed ? pointer.slice(lead.length) : pointer),
    hint: clip(hint),
  };
}

/** At most `textMax` characters, in memory of their own: a part of a text would keep the whole text alive. */
function clip(text: string): string {
  const short = text.length > textMax ? `${text.slice(0, textMax - 1)}…` : text;
  return Buffer.from(short).toString();
}

function pointerOf(details: Readonly<Record<string, unknown>>): string {
  const { pointer, issues } = details;
  if (typeof pointer === "string") return pointer;
  const [first] = Array.isArray(issues) ? (issues as { readonly pointer: string }[]) : [];
  return first?.pointer ?? "";
}
