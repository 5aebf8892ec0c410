/** S4: recognises an event that stands in the log already. */
import type { Entry } from "../codec/entry.ts";
import { StoreError } from "../errors.ts";
import { defaultRelation, type Derivation, type NewDerivation } from "../event/document.ts";
import type { NewEvent, RecordedEvent } from "../event/event.ts";
import { jsonEqual } from "../event/json.ts";
import type { Position } from "../ids.ts";
import type { State } from "../records/state.ts";
import { findVersion } from "../records/versions.ts";
import { formatTimestamp } from "../timestamp.ts";
import type { AppendedEvent } from "./event-log.ts";

/**
 * The first result of an event sent again, or undefined when its id is new.
 *
 * What the store filled in (pinned versions, ranges) counts as the same where the event leaves it out.
 *
 * @throws `event-id-reused` when the id belongs to another content, `content-erased`
 */
export function findDuplicate(state: State, event: NewEvent): AppendedEvent | undefined {
  if (event.id === undefined) return undefined;
  const position = state.positionOfEvent(event.id);
  const stored = position === undefined ? undefined : state.entry(position);
  if (position === undefined || stored === undefined) return undefined;
  if (stored.erasure !== undefined) {
    throw new StoreError(
      "content-erased",
      `Event ${event.id} has been erased, so it cannot be told whether this is the same.`,
      { details: { eventId: event.id, position, pointer: "/id" } },
    );
  }
  if (stored.header.origin !== "given" || !isSameEvent(state, event, stored)) {
    throw new StoreError(
      "event-id-reused",
      `Event id ${event.id} belongs to another event, at position ${position}.`,
      {
        details: { eventId: event.id, position, pointer: "/id" },
      },
    );
  }
  return storedAnswer(state, stored);
}

/** The answer that was given when the event at a position was stored. */
export function storedAnswer(state: State, stored: Entry): AppendedEvent {
  const { position, id, recordId, version, recordedAtUs } = stored.header;
  return {
    status: "duplicate",
    eventId: id,
    recordId,
    position,
    version,
    recordedAt: formatTimestamp(recordedAtUs),
    placeholders: neighbours(state, position, -1, "placeholder").toReversed(),
    consequences: neighbours(state, position, 1, "consequence"),
  };
}

function neighbours(
  state: State,
  position: Position,
  step: 1 | -1,
  origin: string,
): RecordedEvent[] {
  const found: RecordedEvent[] = [];
  for (let next = position + step; next > 0; next += step) {
    const entry = state.entry(next);
    if (entry === undefined || entry.header.origin !== origin) break;
    found.push(entry.event());
  }
  return found;
}

function isSameEvent(state: State, event: NewEvent, stored: Entry): boolean {
  const { recordId, structure } = stored.header;
  const payload = stored.payload();
  return (
    event.type === structure.type &&
    event.recordId === recordId &&
    event.occurredAt === payload.occurredAt &&
    event.actor === payload.actor &&
    event.causationId === payload.causationId &&
    event.correlationId === payload.correlationId &&
    isSameData(state, event, stored, payload.data)
  );
}

function isSameData(
  state: State,
  event: NewEvent,
  { header }: Entry,
  data: Readonly<Record<string, unknown>>,
): boolean {
  const { structure } = header;
  if (event.type === "record.created" && structure.type === "record.created") {
    const { kind, derivedFrom, ...rest } = event.data;
    return (
      kind === structure.kind &&
      isSameSources(derivedFrom ?? [], structure.edges) &&
      jsonEqual(withoutUndefined(rest), data)
    );
  }
  if (event.type === "record.updated" && structure.type === "record.updated") {
    const { patch, document, reason, restores } = event.data;
    const { derivedFrom, ...rest } = patch ?? document ?? {};
    const sources = patch === undefined || derivedFrom === null ? (derivedFrom ?? []) : derivedFrom;
    return (
      (restores ?? null) === structure.restores &&
      isSameSources(sources ?? null, structure.edges) &&
      jsonEqual(
        withoutUndefined({
          [patch === undefined ? "document" : "patch"]: withoutUndefined(rest),
          reason,
        }),
        data,
      )
    );
  }
  if (event.type === "record.invalidated" && structure.type === "record.invalidated") {
    const { cause, versions } = event.data;
    if (cause !== data["cause"]) return false;
    if (versions === undefined) return structure.from === 1 && structure.to === header.version - 1;
    const from = findVersion(state, {
      recordId: header.recordId,
      version: versions.from,
    })?.contentVersion;
    return from === structure.from && (versions.to ?? header.version - 1) === structure.to;
  }
  return false;
}

function isSameSources(
  sent: readonly NewDerivation[] | null,
  stored: readonly Derivation[] | null,
): boolean {
  if (sent === null || stored === null) return sent === stored;
  return (
    sent.length === stored.length &&
    sent.every((source, index) => {
      const edge = stored[index];
      return (
        edge !== undefined &&
        source.recordId === edge.recordId &&
        (source.version ?? edge.version) === edge.version &&
        (source.role ?? null) === edge.role &&
        (source.relation ?? defaultRelation) === edge.relation
      );
    })
  );
}

function withoutUndefined(value: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined));
}
