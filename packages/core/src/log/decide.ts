/** Decides what an event becomes: checks it against the state it meets and works out everything that follows from it. */
import { assert, must, unreachable } from "../assert.ts";
import type { Entry } from "../codec/entry.ts";
import { StoreError, type Issue } from "../errors.ts";
import {
  completeDocument,
  placeholderKind,
  type Derivation,
  type NewDerivation,
  type PinnedDocument,
} from "../event/document.ts";
import type { InvalidationRoot, NewEvent, RecordedEvent } from "../event/event.ts";
import { idTail, newEventTail, type RecordId, type RecordVersionRef } from "../ids.ts";
import type { LineageGraph } from "../lineage/graph.ts";
import { mustHaveEntry, type PendingState } from "../records/state.ts";
import { mustHaveVersions, RecordVersions } from "../records/versions.ts";
import { formatTimestamp } from "../timestamp.ts";
import {
  BatchBuilder,
  EventSeed,
  type BatchStart,
  type DecidedBatch,
  type EnvelopePayload,
  type NewContent,
  type PlaceableEvent,
} from "./batch-builder.ts";
import { withdrawnBy, type VersionRange } from "./cascade.ts";
import { findDuplicate } from "./duplicates.ts";
import type { AppendedEvent } from "./event-log.ts";
import {
  checkExpectedVersion,
  checkIsPlaceholder,
  checkNotErased,
  checkRestores,
  checkVersion,
  mustExist,
} from "./expectations.ts";
import { pinSources } from "./pin-sources.ts";
import { compact, completeUpdate, splitUpdate, storable } from "./stored-form.ts";

type Created = Extract<NewEvent, { type: "record.created" }>;
type Updated = Extract<NewEvent, { type: "record.updated" }>;
type Invalidated = Extract<NewEvent, { type: "record.invalidated" }>;

/** Members of a creation's data that stand in the header. */
const headerMembers = ["kind", "derivedFrom"] as const;

/** Why something falls through a withdrawal whose own cause was erased. */
const erasedCause = "erased";

/** Why and through what a version falls that nobody named. */
interface Fall {
  readonly cause: string;
  readonly root: InvalidationRoot;
  readonly via: RecordVersionRef;
}

/** Decides one batch. Event k+1 sees what event k did; nothing is final until the caller keeps the pending state. */
export class BatchDecider {
  readonly #state: PendingState;
  readonly #graph: LineageGraph | undefined;
  readonly #builder: BatchBuilder;
  readonly #recordedAt: string;
  /** Of the event being decided. */
  #seed!: EventSeed;

  /** @param graph needed only for cascading invalidations; kept in step when it is there */
  constructor(state: PendingState, graph: LineageGraph | undefined, start: BatchStart) {
    this.#state = state;
    this.#graph = graph;
    this.#builder = new BatchBuilder(state, graph, start);
    this.#recordedAt = formatTimestamp(start.recordedAtUs);
  }

  /** @throws the codes of `EventLog.append`, with `details.index` naming the event refused */
  decide(events: readonly NewEvent[]): DecidedBatch {
    const appended: AppendedEvent[] = [];
    try {
      for (const event of events) appended.push(this.#decideEvent(event));
    } catch (error) {
      throw atIndex(error, appended.length, events.length);
    }
    return this.#builder.build(appended);
  }

  #decideEvent(event: NewEvent): AppendedEvent {
    const duplicate = findDuplicate(this.#state, event);
    if (duplicate !== undefined) return duplicate;
    // Copies of a log derive the same ids for what the store adds, because they come from the id of the event given.
    this.#seed = new EventSeed(event.id === undefined ? newEventTail() : idTail(event.id));
    const versions = RecordVersions.of(this.#state, event.recordId);
    checkExpectedVersion(event, versions?.current);
    switch (event.type) {
      case "record.created":
        return this.#create(event, versions);
      case "record.updated":
        return this.#update(event, mustExist(event, versions));
      case "record.invalidated":
        return this.#invalidate(event, mustExist(event, versions));
      default:
        return unreachable(event);
    }
  }

  #create(event: Created, versions: RecordVersions | undefined): AppendedEvent {
    const { kind, derivedFrom = [] } = event.data;
    if (versions !== undefined) checkIsPlaceholder(versions);
    const placeholders = this.#placeholdersFor(event, derivedFrom);
    const edges = pinSources(this.#state, derivedFrom, "/data/derivedFrom");
    const data = storable(event.data, headerMembers);
    const entry = this.#place(event, versions, {
      structure: { type: "record.created", kind, edges },
      data,
      content: createdContent(data, kind, edges),
    });
    return this.#answer(entry, placeholders, this.#lateEdges(event, entry, edges));
  }

  #update(event: Updated, versions: RecordVersions): AppendedEvent {
    const { recordId } = event;
    const { patch, document, reason, restores = null } = event.data;
    if (restores !== null) checkVersion(versions, restores, "restore", "/data/restores");
    const before = versions.document(versions.current);
    const place = patch === undefined ? "/data/document" : "/data/patch";
    if (patch !== undefined) checkNotErased(versions, versions.current, place);
    const sources = patch === undefined ? (document?.derivedFrom ?? []) : patch.derivedFrom;
    const placeholders = this.#placeholdersFor(event, sources ?? []);
    const edges =
      sources === undefined ? null : pinSources(this.#state, sources ?? [], `${place}/derivedFrom`);
    const after = completeUpdate(before, event.data, edges, place);
    if (after.kind !== before.kind) {
      throw new StoreError(
        "kind-immutable",
        `Record ${JSON.stringify(recordId)} is of kind ${before.kind} and stays so.`,
        { details: { recordId, kind: before.kind, pointer: `${place}/kind` } },
      );
    }
    if (restores !== null) checkRestores(versions, restores, after);
    const entry = this.#place(event, versions, {
      structure: { type: "record.updated", edges, restores, documentDigest: null },
      data: compact({ ...splitUpdate(event.data), reason }),
      content: { isPatched: patch !== undefined, document: () => after },
    });
    return this.#answer(entry, placeholders, this.#lateEdges(event, entry, after.derivedFrom));
  }

  #invalidate(event: Invalidated, versions: RecordVersions): AppendedEvent {
    const { recordId } = event;
    const { cause } = event.data;
    const { from = 1, to = versions.current.version } = event.data.versions ?? {};
    checkVersion(versions, Math.max(from, to), "withdraw", "/data/versions");
    // A version made by an invalidation stands for the content it carries, so withdrawing it withdraws that.
    const first = must(versions.version(from), "a version up to the current one");
    const range = { from: first.contentVersion, to };
    const fallen =
      event.cascade === false
        ? []
        : withdrawnBy(must(this.#graph, "a cascade needs the graph"), recordId, range);
    const entry = this.#place(event, versions, {
      structure: { type: "record.invalidated", ...range, root: null, via: null },
      data: { cause },
    });
    const root = { eventId: entry.header.id, recordId };
    const consequences = fallen.map((item) =>
      this.#withdraw(event, entry, item.recordId, item, { cause, root, via: item.via }),
    );
    return this.#answer(entry, [], consequences);
  }

  /** Places the event given. */
  #place(
    event: NewEvent,
    versions: RecordVersions | undefined,
    { structure, data, content }: Pick<PlaceableEvent, "structure" | "data" | "content">,
  ): Entry {
    return this.#builder.place({
      recordId: event.recordId,
      versions,
      id: event.id,
      seed: this.#seed,
      origin: "given",
      envelope: envelopeOf(event),
      structure,
      data,
      content,
    });
  }

  /** S8: a new version that rests on a withdrawn one is withdrawn at once, for the same reason. */
  #lateEdges(event: Created | Updated, entry: Entry, edges: readonly Derivation[]): Entry[] {
    if (event.allowInvalidSources === true) return [];
    for (const { recordId, version } of edges) {
      const versions = mustHaveVersions(this.#state, recordId);
      if (!versions.hasInvalidation) continue;
      const source = must(versions.version(version), "a pinned source exists");
      const withdrawal = versions.withdrawalOf(source.contentVersion);
      if (withdrawal === undefined) continue;
      const first = mustHaveEntry(this.#state, withdrawal.position);
      const { structure, id } = first.header;
      assert(structure.type === "record.invalidated", "a withdrawal is an invalidation");
      const range = { from: entry.header.version, to: entry.header.version };
      const fall = {
        cause: first.erasure === undefined ? String(first.payload().data["cause"]) : erasedCause,
        root: structure.root ?? { eventId: id, recordId },
        via: { recordId, version },
      };
      return [this.#withdraw(event, entry, event.recordId, range, fall)];
    }
    return [];
  }

  #withdraw(
    event: NewEvent,
    entry: Entry,
    recordId: RecordId,
    { from, to }: VersionRange,
    { cause, root, via }: Fall,
  ): Entry {
    return this.#builder.place({
      recordId,
      versions: RecordVersions.of(this.#state, recordId),
      seed: this.#seed,
      origin: "consequence",
      envelope: compact({ actor: event.actor, causationId: entry.header.id }),
      structure: { type: "record.invalidated", from, to, root, via },
      data: { cause },
    });
  }

  /** S9: makes the sources that are not there, when the event asks for it. */
  #placeholdersFor(event: Created | Updated, sources: readonly NewDerivation[]): Entry[] {
    if (event.unknownSources !== "placeholder") return [];
    const made: Entry[] = [];
    for (const { recordId, version = 1 } of sources) {
      const isThere = recordId === event.recordId || this.#state.block(recordId) !== undefined;
      if (isThere || version !== 1) continue;
      const data = { name: recordId };
      const placeholder = this.#builder.place({
        recordId,
        versions: undefined,
        seed: this.#seed,
        origin: "placeholder",
        envelope: compact({ actor: event.actor }),
        structure: { type: "record.created", kind: placeholderKind, edges: [] },
        data,
        content: createdContent(data, placeholderKind, []),
      });
      made.push(placeholder);
    }
    return made;
  }

  #answer(
    entry: Entry,
    placeholders: readonly Entry[],
    consequences: readonly Entry[],
  ): AppendedEvent {
    const { id, recordId, position, version } = entry.header;
    return {
      status: "stored",
      eventId: id,
      recordId,
      position,
      version,
      recordedAt: this.#recordedAt,
      placeholders: toEvents(placeholders),
      consequences: toEvents(consequences),
    };
  }
}

const noEvents: readonly RecordedEvent[] = [];

function toEvents(entries: readonly Entry[]): readonly RecordedEvent[] {
  return entries.length === 0 ? noEvents : entries.map((entry) => entry.event());
}

function createdContent(
  data: Omit<PinnedDocument, "kind" | "derivedFrom">,
  kind: string,
  derivedFrom: readonly Derivation[],
): NewContent {
  return { isPatched: false, document: () => completeDocument({ ...data, kind, derivedFrom }) };
}

function envelopeOf({ occurredAt, actor, causationId, correlationId }: NewEvent): EnvelopePayload {
  const envelope: Record<string, string> = {};
  if (occurredAt !== undefined) envelope["occurredAt"] = occurredAt;
  if (actor !== undefined) envelope["actor"] = actor;
  if (causationId !== undefined) envelope["causationId"] = causationId;
  if (correlationId !== undefined) envelope["correlationId"] = correlationId;
  return envelope;
}

/** Adds the event's place in its batch to an error. */
function atIndex(error: unknown, index: number, count: number): unknown {
  if (!(error instanceof StoreError)) return error;
  if (count === 1) {
    return new StoreError(error.code, error.message, {
      hint: error.hint,
      details: { ...error.details, index },
      cause: error,
    });
  }
  const { pointer, issues } = error.details;
  return new StoreError(error.code, `Event ${index}: ${error.message}`, {
    hint: error.hint,
    details: {
      ...error.details,
      ...(typeof pointer === "string" && { pointer: `/${index}${pointer}` }),
      ...(Array.isArray(issues) && {
        issues: (issues as Issue[]).map((issue) => ({
          ...issue,
          pointer: `/${index}${issue.pointer}`,
        })),
      }),
      index,
    },
    cause: error,
  });
}
