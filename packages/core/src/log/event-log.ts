/** The event log port: append with an expectation, read, head, subscribe. */
import type { NewEvent, RecordedEvent } from "../event/event.ts";
import type { EventId, Position, RecordId, Version } from "../ids.ts";

/** Refuses a batch when something it relies on has changed. */
export interface UnchangedSince {
  readonly position: Position;
  /** With a version: it is still the record's content and was not withdrawn. Without: nothing happened to the record. */
  readonly records: readonly {
    readonly recordId: RecordId;
    readonly version?: Version | undefined;
  }[];
}

export interface AppendOptions {
  /** Refuse the batch unless the head is here. */
  readonly expectedHead?: Position | undefined;
  /** The same key with the same batch returns the first result, for the life of the store. 1-256 bytes. */
  readonly idempotencyKey?: string | undefined;
  readonly unchangedSince?: UnchangedSince | undefined;
  /** Gives up waiting. A batch that has been decided is stored all the same. */
  readonly signal?: AbortSignal | undefined;
}

/** What became of one event given. */
export interface AppendedEvent {
  /** `duplicate`: the same event stood in the log already, and this is where. */
  readonly status: "stored" | "duplicate";
  readonly eventId: EventId;
  readonly recordId: RecordId;
  readonly position: Position;
  readonly version: Version;
  /** RFC 3339, UTC, six digits. */
  readonly recordedAt: string;
  /** Records of kind `unknown` the store made for sources that were not there; they stand before the event. */
  readonly placeholders: readonly RecordedEvent[];
  /** Events the store added because of this one; they follow it directly. */
  readonly consequences: readonly RecordedEvent[];
}

export interface AppendResult {
  /** Position of the last event of this batch, consequences included; for duplicates alone, the head. */
  readonly head: Position;
  /** One per event given, in the same order. */
  readonly events: readonly AppendedEvent[];
}

export interface ReadOptions {
  /** First position delivered. Default 1, or the last position when `reverse`. */
  readonly from?: Position | undefined;
  /** Last position considered. Default: the head. */
  readonly until?: Position | undefined;
  /** Newest first. */
  readonly reverse?: boolean | undefined;
  /** Events at most. Default: all. */
  readonly limit?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface FollowOptions {
  /** First position delivered. Default 1. */
  readonly from?: Position | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * An append-only log of events with one order.
 *
 * Every implementation guarantees S1-S5 and S7-S9 of SPEC.md: positions without gaps, whole batches, durability before
 * `append` resolves, idempotent ids and keys, immutability, and the consequences of each event in its batch.
 */
export interface EventLog {
  /** Position of the last durable event; 0 when empty. */
  readonly head: Position;
  /**
   * Stores a batch whole or not at all. After `disk-full` and `write-failed` nothing of it is stored and none of it will
   * be; only after `outcome-unknown` it may be, and sending it again with its ids or its key is safe.
   *
   * @throws `event-invalid`, `event-too-large`, `batch-too-large`, `record-not-found`, `record-already-exists`,
   * `version-conflict`, `head-conflict`, `condition-failed`, `kind-immutable`, `source-unknown`, `event-id-reused`,
   * `idempotency-key-reused`, `too-many-pending-appends`, `disk-full`, `write-failed`, `outcome-unknown`,
   * `store-closed`, `aborted`
   */
  append(events: readonly NewEvent[], options?: AppendOptions): Promise<AppendResult>;
  /** Events in order, in chunks read as they are asked for. @throws `checksum-mismatch`, `log-gap`, `aborted` */
  read(options?: ReadOptions): AsyncIterable<RecordedEvent>;
  /**
   * Every event from a position on, first those stored, then each as it becomes durable, without gap or duplicate.
   * It ends when the log is closed, and reads from the log as it is asked for.
   *
   * @throws the codes of `read`
   */
  follow(options?: FollowOptions): AsyncIterable<RecordedEvent>;
  close(): Promise<void>;
}
