/** What the store holds of one record that is being imported, and what the import has added to it so far. */
import {
  created,
  replaced,
  updated,
  type EventId,
  type NewEvent,
  type RecordDocument,
  type RecordedEvent,
  type RecordId,
  type RecordView,
  type Store,
  type Version,
} from "@sennit/core";

import type { Step } from "./steps.ts";

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
  #importedVersion: Version = 0;

  private constructor(versions: readonly RecordView[], events: readonly RecordedEvent[]) {
    this.#versions = versions;
    this.#stored = new Map(events.map((event) => [event.id, event]));
    const last = versions.at(-1);
    this.#document = last === undefined ? undefined : contentOf(last);
    this.#version = versions.length;
  }

  /** Reads what the store holds of a record, which may be nothing. */
  static async load(store: Store, recordId: RecordId): Promise<RecordTimeline> {
    if ((await store.findRecord(recordId)) === undefined) return new RecordTimeline([], []);
    const { versions, events } = await store.history(recordId);
    return new RecordTimeline(versions, events);
  }

  /** The newest version made by the steps so far, in this import or an earlier one; 0 before the first. */
  get importedVersion(): Version {
    return this.#importedVersion;
  }

  /**
   * The event of a step, or undefined when the record says as much already.
   *
   * @param runVersion the version of the step's run that it meets
   */
  next(step: Step, runVersion: Version, actor: string | undefined): NewEvent | undefined {
    const { recordId, eventId: id, occurredAt } = step;
    const stored = this.#stored.get(id);
    const envelope = { id, occurredAt, actor: stored === undefined ? actor : stored.actor };
    if (step.type === "create") {
      const document = step.document(runVersion);
      this.#advance({ ...document, uris: [], artifacts: [], onInvalidate: [] }, stored);
      return created(recordId, document, envelope);
    }
    const before = stored === undefined ? this.#document : this.#before(stored);
    const change = before === undefined ? undefined : step.change(before, runVersion);
    if (change === undefined) return undefined;
    const expectedVersion = this.#version;
    this.#advance(change.after, stored);
    if (change.patch !== undefined) return updated(recordId, change.patch, envelope);
    // A whole document overwrites, so it must not meet a version nobody looked at.
    return replaced(recordId, change.after, { ...envelope, expectedVersion });
  }

  #before({ version }: RecordedEvent): RecordDocument | undefined {
    const view = this.#versions[version - 2];
    return view === undefined ? undefined : contentOf(view);
  }

  #advance(document: RecordDocument, stored: RecordedEvent | undefined): void {
    if (stored === undefined) {
      this.#document = document;
      this.#version += 1;
    }
    const made = stored?.version ?? this.#version;
    this.#importedVersion = Math.max(this.#importedVersion, made);
  }
}

function contentOf(view: RecordView): RecordDocument {
  const { kind, name, tags, uris, attributes, artifacts, derivedFrom, onInvalidate } = view;
  return { kind, name, tags, uris, attributes, artifacts, derivedFrom, onInvalidate };
}
