/** What the store holds of one record that is being imported, and what the import has added to it so far. */
import {
  created,
  replaced,
  updated,
  type EventId,
  type NewDocument,
  type NewEvent,
  type RecordDocument,
  type RecordedEvent,
  type RecordId,
  type RecordView,
  type Store,
  type Version,
} from "@sennit/core";

import type { CreateStep, Step, UpdateStep } from "./steps.ts";

/**
 * Turns steps into events that are the same at every import.
 *
 * A step whose event is stored is built again from the version it was built on and with the actor of then, so the
 * store takes it for the duplicate it is, or refuses it when the file says something else under the same uid.
 */
export class RecordTimeline {
  readonly #stored: ReadonlyMap<EventId, RecordedEvent>;
  readonly #versions: readonly RecordView[];
  #document: RecordDocument | undefined;
  #version: Version;
  #createdVersion: Version;

  private constructor(versions: readonly RecordView[], events: readonly RecordedEvent[]) {
    this.#versions = versions;
    this.#stored = new Map(events.map((event) => [event.id, event]));
    const last = versions.at(-1);
    this.#document = last === undefined ? undefined : contentOf(last);
    this.#version = versions.length;
    this.#createdVersion = 1;
  }

  /** Reads what the store holds of a record, which may be nothing. */
  static async load(store: Store, recordId: RecordId): Promise<RecordTimeline> {
    if ((await store.findRecord(recordId)) === undefined) return new RecordTimeline([], []);
    const { versions, events } = await store.history(recordId);
    return new RecordTimeline(versions, events);
  }

  /** The version that the import made, or makes, first: 1 unless a placeholder stood there. */
  get createdVersion(): Version {
    return this.#createdVersion;
  }

  /** The event of a step, or undefined when the record says as much already. */
  next(
    step: Step,
    run: RecordTimeline | undefined,
    actor: string | undefined,
  ): NewEvent | undefined {
    return step.type === "create" ? this.#create(step, run, actor) : this.#update(step, actor);
  }

  #create(step: CreateStep, run: RecordTimeline | undefined, actor: string | undefined): NewEvent {
    const stored = this.#stored.get(step.eventId);
    const { runId } = step;
    const document: NewDocument =
      runId === undefined
        ? step.document
        : {
            ...step.document,
            derivedFrom: [{ recordId: runId, version: run?.createdVersion ?? 1, role: "run" }],
          };
    this.#createdVersion = stored?.version ?? this.#version + 1;
    if (stored === undefined) this.#advance(completed(document));
    return created(step.recordId, document, envelope(step, stored, actor));
  }

  #update(step: UpdateStep, actor: string | undefined): NewEvent | undefined {
    const stored = this.#stored.get(step.eventId);
    const base = stored === undefined ? this.#document : this.#before(stored);
    const change = base === undefined ? undefined : step.change(base);
    if (change === undefined) return undefined;
    const common = envelope(step, stored, actor);
    const expectedVersion = this.#version;
    if (stored === undefined) this.#advance(change.after);
    if (change.patch !== undefined) return updated(step.recordId, change.patch, common);
    // A whole document overwrites, so it must not meet a version nobody looked at.
    return replaced(step.recordId, change.after, { ...common, expectedVersion });
  }

  #before({ version }: RecordedEvent): RecordDocument | undefined {
    const view = this.#versions[version - 2];
    return view === undefined ? undefined : contentOf(view);
  }

  #advance(document: RecordDocument): void {
    this.#document = document;
    this.#version += 1;
  }
}

function envelope(
  { eventId, occurredAt }: Step,
  stored: RecordedEvent | undefined,
  actor: string | undefined,
): { id: EventId; occurredAt: string | undefined; actor: string | undefined } {
  return { id: eventId, occurredAt, actor: stored === undefined ? actor : stored.actor };
}

function contentOf(view: RecordView): RecordDocument {
  const { kind, name, tags, uris, attributes, artifacts, derivedFrom, onInvalidate } = view;
  return { kind, name, tags, uris, attributes, artifacts, derivedFrom, onInvalidate };
}

function completed(document: NewDocument): RecordDocument {
  const { kind, name, tags = {}, attributes = {}, derivedFrom = [] } = document;
  return {
    kind,
    name,
    tags,
    uris: [],
    attributes,
    artifacts: [],
    derivedFrom: derivedFrom.map(({ recordId, version = 1, role = null }) => ({
      recordId,
      version,
      role,
      relation: "wasDerivedFrom",
    })),
    onInvalidate: [],
  };
}
