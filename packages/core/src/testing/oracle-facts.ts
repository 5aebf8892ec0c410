/** What follows from a plain array of events by looking through all of it: the ground the oracle stands on. */
import { must } from "../assert.ts";
import { placeholderKind, type RecordDocument } from "../event/document.ts";
import type { EventType } from "../event/event.ts";
import { canonicalJson } from "../event/json.ts";
import type { Position, RecordId, RecordVersionRef, Version } from "../ids.ts";

/** What an invalidation says. `root` is the position of the first one of its cascade, null for that one itself. */
export interface OracleWithdrawal {
  readonly from: Version;
  readonly to: Version;
  readonly cause: string;
  readonly root: Position | null;
  readonly via: RecordVersionRef | null;
}

/** The content an event makes. */
export interface OracleContent {
  readonly document: RecordDocument;
}

/** One event of the model. */
export interface OracleEvent {
  readonly position: Position;
  readonly recordId: RecordId;
  readonly version: Version;
  readonly type: EventType;
  readonly occurredAt: string | null;
  readonly actor: string | null;
  readonly content: OracleContent | null;
  readonly withdrawal: OracleWithdrawal | null;
  /** The recorded `data`, without the root and via of an invalidation. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** An event that made content. */
export type ContentEvent = OracleEvent & { readonly content: OracleContent };

/** The events of one record, oldest first. */
export function versionsOf(events: readonly OracleEvent[], recordId: RecordId): OracleEvent[] {
  return events.filter((event) => event.recordId === recordId);
}

/** The newest version of a record. */
export function currentOf(
  events: readonly OracleEvent[],
  recordId: RecordId,
): OracleEvent | undefined {
  return versionsOf(events, recordId).at(-1);
}

/** A version that is known to be there. */
export function eventOf(
  events: readonly OracleEvent[],
  { recordId, version }: RecordVersionRef,
): OracleEvent {
  const found = versionsOf(events, recordId).find((event) => event.version === version);
  return must(found, "the version is there");
}

function hasContent(event: OracleEvent): event is ContentEvent {
  return event.content !== null;
}

/** The last event of the same record, up to this one, that made content. */
export function contentOf(events: readonly OracleEvent[], event: OracleEvent): ContentEvent {
  const made = versionsOf(events, event.recordId)
    .filter(hasContent)
    .findLast(({ version }) => version <= event.version);
  return must(made, "every record starts with content");
}

/** Every event that made content. */
export function contentEvents(events: readonly OracleEvent[]): ContentEvent[] {
  return events.filter(hasContent);
}

/** The versions with the same content as a content version: itself and the invalidations before the next one. */
export function carriersOf(events: readonly OracleEvent[], content: ContentEvent): OracleEvent[] {
  return versionsOf(events, content.recordId).filter(
    (event) => contentOf(events, event).position === content.position,
  );
}

/** The first invalidation that withdraws a content version. */
export function withdrawalOf(
  events: readonly OracleEvent[],
  content: ContentEvent,
): (OracleEvent & { readonly withdrawal: OracleWithdrawal }) | undefined {
  for (const event of versionsOf(events, content.recordId)) {
    const { withdrawal } = event;
    if (withdrawal === null || event.version < content.version) continue;
    if (withdrawal.from <= content.version && content.version <= withdrawal.to)
      return { ...event, withdrawal };
  }
  return undefined;
}

/** One way in which a version rests on another's content. */
export interface OracleDependency {
  readonly derived: ContentEvent;
  readonly pinned: OracleEvent;
  /** Place in the list of sources. */
  readonly index: number;
}

/** Everything that rests directly on a content version: oldest version first, then in the order of its sources. */
export function dependenciesOn(
  events: readonly OracleEvent[],
  content: ContentEvent,
): OracleDependency[] {
  const found: OracleDependency[] = [];
  for (const derived of contentEvents(events)) {
    for (const [index, source] of derived.content.document.derivedFrom.entries()) {
      const pinned = eventOf(events, source);
      if (contentOf(events, pinned).position === content.position)
        found.push({ derived, pinned, index });
    }
  }
  return found.toSorted((a, b) => a.derived.position - b.derived.position || a.index - b.index);
}

/** True when a pinned version holds what its record holds now; a placeholder stands for what filled it. */
export function isCurrent(events: readonly OracleEvent[], ref: RecordVersionRef): boolean {
  const current = must(currentOf(events, ref.recordId), "the record is there");
  if (current.version === ref.version) return true;
  const carried = contentOf(events, eventOf(events, ref));
  const isPlaceholder = carried.content.document.kind === placeholderKind;
  const filled = versionsOf(events, ref.recordId).find(
    (event) => event.version > ref.version && event.type === "record.created",
  );
  const pinned = isPlaceholder && filled !== undefined ? contentOf(events, filled) : carried;
  return contentText(pinned.content) === contentText(contentOf(events, current).content);
}

/** What two documents must share to have the same content (S11): names and tags do not count. */
export function contentText({ document }: OracleContent): string {
  const { uris, artifacts, attributes, derivedFrom } = document;
  return canonicalJson({ uris, artifacts, attributes, derivedFrom });
}

/** A range of content versions that falls with others, and the pinned version it falls through. */
export interface OracleFall {
  readonly recordId: RecordId;
  readonly from: Version;
  readonly to: Version;
  readonly via: RecordVersionRef;
}

/** S7: what falls when some content versions of a record are withdrawn. */
export function fallsWith(
  events: readonly OracleEvent[],
  recordId: RecordId,
  range: { readonly from: Version; readonly to: Version },
): OracleFall[] {
  const starts = contentEvents(events).filter(
    (event) =>
      event.recordId === recordId && event.version >= range.from && event.version <= range.to,
  );
  const reached: { readonly content: ContentEvent; readonly via: RecordVersionRef | null }[] =
    starts.map((content) => ({ content, via: null }));
  // The array grows while it is walked: that is the queue of a breadth-first search.
  for (const { content } of reached) {
    for (const { derived, pinned } of dependenciesOn(events, content)) {
      if (reached.some((other) => other.content.position === derived.position)) continue;
      const via = { recordId: pinned.recordId, version: pinned.version };
      reached.push({ content: derived, via });
    }
  }
  const falling = reached.filter(
    ({ content, via }) => via !== null && withdrawalOf(events, content) === undefined,
  );
  const falls: OracleFall[] = [];
  for (const { content, via } of falling) {
    const isCovered = falls.some(
      (fall) =>
        fall.recordId === content.recordId &&
        fall.from <= content.version &&
        content.version <= fall.to,
    );
    if (isCovered || via === null) continue;
    const versions = contiguous(
      contentEvents(events).filter((event) => event.recordId === content.recordId),
      (version) => falling.some((item) => item.content.position === version.position),
      content,
    );
    const [first, last] = [must(versions.at(0), "a range"), must(versions.at(-1), "a range")];
    falls.push({ recordId: content.recordId, from: first.version, to: last.version, via });
  }
  return falls;
}

/** The longest run of versions around one for which the condition holds. */
function contiguous(
  versions: readonly ContentEvent[],
  holds: (version: ContentEvent) => boolean,
  around: ContentEvent,
): ContentEvent[] {
  const place = versions.findIndex(({ position }) => position === around.position);
  let first = place;
  while (first > 0 && holds(must(versions[first - 1], "a version"))) first -= 1;
  let last = place;
  while (last + 1 < versions.length && holds(must(versions[last + 1], "a version"))) last += 1;
  return versions.slice(first, last + 1);
}
