/** Imports Bluesky documents: runs and their streams become records, events are counted into their streams. */
import {
  isStoreError,
  limits,
  openMemoryStore,
  StoreError,
  throwIfAborted,
  type NewEvent,
  type Position,
  type RecordId,
  type Store,
} from "@sennit/core";

import { readDocuments } from "./documents.ts";
import { RecordTimeline } from "./record-timeline.ts";
import { foldDocuments } from "./runs.ts";
import type { Step } from "./steps.ts";

/** Events sent in one batch. */
const batchEventsMax = 500;
/** JSON bytes sent in one batch. Packed numbers can take more than twice their text, and a batch has 16 MiB. */
const batchJsonBytesMax = 4 * 1024 * 1024;
/** JSON bytes of an event that may be too large once packed. */
const doubtfulJsonBytes = limits.eventBytesMax / 4;

/** What an import found in the file and what it added to the store. */
export interface BlueskySummary {
  readonly format: "bluesky";
  /** `[name, document]` pairs in the file. */
  readonly documents: number;
  readonly runs: number;
  /** Runs without a stop document. */
  readonly open: number;
  /** Runs that stopped with an `exit_status` other than `success`. */
  readonly failed: number;
  readonly streams: number;
  /** Events of all streams, those of event pages included. */
  readonly events: number;
  /** Events added to the store's log; what the store adds by itself is not counted. */
  readonly stored: number;
  /** Events that the log held already. */
  readonly duplicates: number;
  readonly head: Position;
}

export interface BlueskyImportOptions {
  /** Who imports. A file imported again keeps the actor of the first time. */
  readonly actor?: string | undefined;
  /** Stops between batches; what was stored stays, and running again adds the rest. */
  readonly signal?: AbortSignal | undefined;
  /** Called after every batch with the number of documents dealt with so far. */
  readonly onProgress?: ((documents: number) => void) | undefined;
}

/**
 * Imports a file of `[name, document]` pairs: a JSON array or JSON Lines, plain or gzip, up to `importBytesMax` bytes
 * of JSON. The whole file is parsed and checked before anything is stored; memory is that of the parsed file.
 *
 * - A run is a record: id = uid of the start document, kind `run`, attributes = the start document. Its stop document
 *   updates it (`attributes.stop`, tag `exit_status`); without one it stays open.
 * - A stream is a record: id `RUN/STREAM`, kind `stream`, attributes = its newest descriptor, derived from its run with
 *   the role `run`.
 * - The events of a stream are counted into `attributes.events` (`RowCount` says what is hashed), once per import. So
 *   are documents about outside files, by kind, into `attributes.asset_documents` of their run.
 * - A run changes when it stops, so its streams are derived anew from the stopped version, in the update that brings
 *   their counts: no stream is stale by the import itself.
 *
 * Event ids follow from the uids of the documents, so a file imported again adds nothing, and a longer file of the
 * same run adds what is new.
 *
 * @throws `file-unreadable`, `import-invalid`, `event-too-large` with nothing stored, `aborted`, and the codes of
 * `Store.append`
 */
export async function importBluesky(
  store: Store,
  path: string,
  options: BlueskyImportOptions = {},
): Promise<BlueskySummary> {
  throwIfAborted(options.signal);
  const documents = await readDocuments(path);
  const { steps, ...counts } = foldDocuments(documents);
  await checkSizes(steps);
  const sender = new StepSender(store, options);
  for (const step of steps) await sender.send(step);
  await sender.flush();
  options.onProgress?.(documents.length);
  const { stored, duplicates } = sender;
  return {
    format: "bluesky",
    documents: documents.length,
    ...counts,
    stored,
    duplicates,
    head: store.head,
  };
}

/** Only the store knows the packed size of an event, so it is asked about the large ones before the first is stored. */
async function checkSizes(steps: readonly Step[]): Promise<void> {
  const probe = await openMemoryStore();
  try {
    for (const step of steps) {
      const event = probeEvent(step);
      if (jsonBytes(event) < doubtfulJsonBytes) continue;
      await probe.append([event]).catch((error: unknown) => {
        throw atDocument(error, step);
      });
    }
  } finally {
    await probe.close();
  }
}

/** The step as if it made a record of its own, without sources, which the probe does not have. */
function probeEvent(step: Step): NewEvent {
  const { recordId, eventId: id } = step;
  const empty = { kind: "run", name: recordId, tags: {}, attributes: {}, derivedFrom: [] };
  const lists = { uris: [], artifacts: [], onInvalidate: [] };
  const document =
    step.type === "create" ? step.document(1) : step.change({ ...empty, ...lists }, 1)?.after;
  const data = { ...(document ?? empty), derivedFrom: [] };
  return { type: "record.created", recordId: id, id, data };
}

/** Sends steps in batches, in order. */
class StepSender {
  readonly #store: Store;
  readonly #options: BlueskyImportOptions;
  readonly #timelines = new Map<RecordId, RecordTimeline>();
  #events: NewEvent[] = [];
  #steps: Step[] = [];
  #jsonBytes = 0;
  stored = 0;
  duplicates = 0;

  constructor(store: Store, options: BlueskyImportOptions) {
    this.#store = store;
    this.#options = options;
  }

  async send(step: Step): Promise<void> {
    const timeline = await this.#timeline(step.recordId);
    const run = step.runId === undefined ? timeline : await this.#timeline(step.runId);
    const event = timeline.next(step, run.importedVersion, this.#options.actor);
    if (event === undefined) {
      this.duplicates += 1;
      return;
    }
    const bytes = jsonBytes(event);
    const isFull =
      this.#events.length >= batchEventsMax || this.#jsonBytes + bytes > batchJsonBytesMax;
    if (isFull) await this.flush();
    this.#events.push(event);
    this.#steps.push(step);
    this.#jsonBytes += bytes;
  }

  async flush(): Promise<void> {
    const steps = this.#steps;
    const last = steps.at(-1);
    if (last === undefined) return;
    const { signal, onProgress } = this.#options;
    throwIfAborted(signal);
    try {
      const { events } = await this.#store.append(this.#events, { signal });
      for (const { status } of events) {
        if (status === "stored") this.stored += 1;
        else this.duplicates += 1;
      }
    } catch (error) {
      const index = isStoreError(error) ? error.details["index"] : undefined;
      throw typeof index === "number" ? atDocument(error, steps[index] ?? last) : error;
    }
    [this.#events, this.#steps, this.#jsonBytes] = [[], [], 0];
    onProgress?.(last.index + 1);
  }

  async #timeline(recordId: RecordId): Promise<RecordTimeline> {
    let timeline = this.#timelines.get(recordId);
    if (timeline === undefined) {
      timeline = await RecordTimeline.load(this.#store, recordId);
      this.#timelines.set(recordId, timeline);
    }
    return timeline;
  }
}

/** Names the document that an error of the store is about. */
function atDocument(error: unknown, { pointer, recordId }: Step): unknown {
  if (!isStoreError(error)) return error;
  return new StoreError(error.code, `Document ${pointer} (record ${recordId}): ${error.message}`, {
    hint: error.hint,
    details: { ...error.details, document: pointer },
    cause: error,
  });
}

function jsonBytes(event: NewEvent): number {
  return Buffer.byteLength(JSON.stringify(event));
}
