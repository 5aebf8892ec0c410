/** What can be asked of a store, now or as of any instant, and the shapes of the answers. */
import type { Artifact, Derivation, TagValue } from "../event/document.ts";
import type { InvalidationRoot, RecordedEvent } from "../event/event.ts";
import type { JsonValue } from "../event/json.ts";
import type { EventId, Position, RecordId, RecordVersionRef, Version } from "../ids.ts";
import type { ReadOptions } from "../log/event-log.ts";
import type {
  CommonAncestors,
  CommonAncestorsOptions,
  Lineage,
  LineageDiff,
  LineageEdge,
  LineageOptions,
  LineagePaths,
  LineageRefs,
  PathsOptions,
} from "./lineage-shapes.ts";

export type * from "./lineage-shapes.ts";

/** An instant of the store. A time is RFC 3339 with a zone. */
export type AsOf =
  | { readonly position: Position }
  | { readonly time: string }
  | { readonly label: string };

/** Why a version is withdrawn. */
export interface InvalidationView {
  readonly cause: string;
  readonly position: Position;
  readonly recordedAt: string;
  /** The invalidation it started with; the event itself when it did not come by a cascade. */
  readonly root: InvalidationRoot;
  /** The withdrawn source it came through; null when it did not come by a cascade. */
  readonly via: RecordVersionRef | null;
}

/** What became of content that was erased. */
export interface ErasureView {
  /** The record that says so, of kind `erasure`, and its event. */
  readonly recordId: RecordId;
  readonly position: Position;
  readonly recordedAt: string;
  readonly cause: string;
}

/** One version of a record as it stood at the reader's instant. */
export interface RecordView {
  readonly id: RecordId;
  readonly kind: string;
  readonly name: string;
  readonly version: Version;
  readonly status: "valid" | "invalid";
  /** Valid, but some source's current content differs from the pinned one. */
  readonly stale: boolean;
  readonly tags: Readonly<Record<string, TagValue>>;
  readonly uris: readonly string[];
  readonly attributes: JsonValue;
  readonly artifacts: readonly Artifact[];
  readonly onInvalidate: readonly RecordId[];
  readonly derivedFrom: readonly Derivation[];
  /** Times are RFC 3339, UTC, six digits: of the record's first event, and of this version's event. */
  readonly createdAt: string;
  readonly recordedAt: string;
  readonly occurredAt: string | null;
  readonly actor: string | null;
  /** The position of the event that made this version. */
  readonly position: Position;
  readonly invalidation: InvalidationView | null;
  /** There only when the content was erased: name, tags and all other content are then empty, as of any instant. */
  readonly erased?: ErasureView;
}

export interface History {
  readonly recordId: RecordId;
  /** Oldest first. */
  readonly versions: readonly RecordView[];
  readonly events: readonly RecordedEvent[];
  /** There only when a limit left versions out: the last one told, for `after`. */
  readonly nextAfter?: Version;
}

export interface HistoryOptions {
  /** Only versions after this one. Default 0. */
  readonly after?: Version | undefined;
  /** Versions at most. Default: all. */
  readonly limit?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One member that differs, by its JSON pointer in the record's document. */
export interface FieldChange {
  readonly pointer: string;
  readonly change: "added" | "removed" | "changed";
  readonly before?: JsonValue | undefined;
  readonly after?: JsonValue | undefined;
}

export interface RecordDiff {
  readonly from: RecordVersionRef;
  readonly to: RecordVersionRef;
  readonly changes: readonly FieldChange[];
}

/** A range of versions that would be withdrawn. */
export interface ImpactRow {
  readonly recordId: RecordId;
  readonly versions: { readonly from: Version; readonly to: Version };
  readonly kind: string;
  readonly name: string;
  readonly via: RecordVersionRef | null;
  /** There only when the content of the last version was erased, and the name is empty. */
  readonly isErased?: true;
}

/** What would become of an action named by a withdrawn record. */
export interface ImpactAction {
  readonly recordId: RecordId;
  readonly actionId: RecordId;
  /** `known`: the action's record is valid. `withdrawn`: it is not. `unknown`: there is no such record. */
  readonly verdict: "known" | "withdrawn" | "unknown";
}

/** A version made after the instant of a what-if, which rests on what would have been withdrawn then. */
export interface ImpactSince extends RecordVersionRef {
  readonly kind: string;
  readonly name: string;
  readonly position: Position;
  readonly recordedAt: string;
  /** The version it pins through which it rests on the record. */
  readonly via: RecordVersionRef;
  /** There only when its content was erased, and the name is empty. */
  readonly isErased?: true;
}

export interface Impact {
  readonly of: { readonly recordId: RecordId; readonly version: Version | null };
  readonly asOf: Position;
  /** There only when asked for: the position for which `withdrawn` and `actions` speak. */
  readonly at?: Position;
  /** The record itself first. */
  readonly withdrawn: readonly ImpactRow[];
  readonly actions: readonly ImpactAction[];
  /**
   * There only with `at`: what was made between then and the reader's instant and rests on the versions of the ref,
   * directly or transitively, whether it is valid or not; in the order of the positions.
   */
  readonly since?: readonly ImpactSince[];
}

export interface ImpactOptions {
  /** What if it had been known at this position? 0 to the reader's. The ref means what it meant then. */
  readonly at?: Position | undefined;
  /** With a version in the ref: withdraw it and all later ones. Default false. */
  readonly since?: boolean | undefined;
  /** Default true. */
  readonly cascade?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The event that made a field what it is. */
export interface BlameSetter {
  readonly version: Version;
  readonly position: Position;
  readonly recordedAt: string;
  readonly eventId: EventId;
  readonly type: "record.created" | "record.updated";
  readonly actor: string | null;
  /** The reason of an update, where it gave one. */
  readonly reason: string | null;
  /** The version that an update brought back. */
  readonly restores: Version | null;
  /** There only when the event's content was erased, and with it the actor and the reason. */
  readonly isErased?: true;
}

/**
 * The largest part of a document that one event made what it is: since that event its value has stood unchanged, and
 * before it, it was another or none.
 */
export interface BlameField extends BlameSetter {
  /** A JSON pointer in the record's document. */
  readonly pointer: string;
  readonly value: JsonValue;
  /** There only when the version before was erased: whether it held the same is not known any more. */
  readonly isErasedBefore?: true;
}

export interface Blame {
  readonly of: RecordVersionRef;
  readonly asOf: Position;
  /** In the order of the document's members; together they are the whole document. */
  readonly fields: readonly BlameField[];
  /** There only when the version's content was erased: of it only the kind and the sources are left. */
  readonly erased?: ErasureView;
}

export interface BlameOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface ReplayOptions {
  readonly signal?: AbortSignal | undefined;
}

export type Verdict = "same" | "superseded" | "withdrawn-since" | "already-withdrawn";

/** One input of a decision, then and now. */
export interface InputVerdict extends RecordVersionRef {
  readonly verdict: Verdict;
  /** The record's version at the reader's instant. */
  readonly now: Version;
}

export interface Replay {
  /** The decision as it stood when it was made. */
  readonly decision: RecordView;
  /** The position of the event that made it. */
  readonly decidedAt: Position;
  /** The decision and all its ancestors at their pinned versions, as they stood then; sources before dependants. */
  readonly closure: readonly RecordView[];
  readonly edges: readonly LineageEdge[];
  /** One per input, in the order of `closure`. */
  readonly verdicts: readonly InputVerdict[];
  /**
   * SHA-256 over the content of the closure, 64 hexadecimal digits: the same at every replay. Null once content of it has
   * been erased.
   */
  readonly digest: string | null;
}

/** A source whose current content differs from the pinned one. */
export interface OutdatedSource {
  /** The version pinned. */
  readonly source: RecordVersionRef;
  /** The source's version at the reader's instant. */
  readonly now: Version;
}

/** One record that differs between two instants. */
export interface StoreChange {
  readonly recordId: RecordId;
  readonly kind: string;
  readonly name: string;
  /** `created`, with `withdrawn` if it is not valid any more; or any of the others. A record with another version and the same content and validity is `touched`. */
  readonly changes: readonly ("created" | "updated" | "withdrawn" | "restored" | "touched")[];
  /** The position of its first event between the two. */
  readonly position: Position;
  readonly fromVersion: Version | null;
  readonly toVersion: Version;
  /** What an update changed; empty when content to compare was erased. */
  readonly fields: readonly FieldChange[];
  /** There only when content to compare was erased. */
  readonly isErased?: true;
}

export interface StoreDiff {
  readonly from: Position;
  readonly to: Position;
  /** In the order of their first event between the two. */
  readonly records: readonly StoreChange[];
}

export interface ChangesOptions {
  /** Only records whose first event stands after this position: the `position` of the last one told. Default: `from`. */
  readonly after?: Position | undefined;
  /** Records at most. Default: all. */
  readonly limit?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How many records of one kind there are. */
export interface KindSummary {
  readonly kind: string;
  readonly valid: number;
  readonly withdrawn: number;
  /** Of the valid ones. There only when asked for. */
  readonly stale?: number;
}

/** A label that is not withdrawn. */
export interface LabelSummary {
  readonly name: string;
  /** What it names. */
  readonly position: Position;
}

/** The whole store in a few figures. */
export interface StoreSummary {
  readonly asOf: Position;
  /** The Merkle root of the log up to there, 64 hexadecimal digits. */
  readonly root: string;
  /** Times of the first and the last event; null for an empty store. */
  readonly firstRecordedAt: string | null;
  readonly lastRecordedAt: string | null;
  readonly events: {
    readonly created: number;
    readonly updated: number;
    readonly invalidated: number;
  };
  readonly records: number;
  readonly valid: number;
  readonly withdrawn: number;
  /** Of the valid ones. There only when asked for. */
  readonly stale?: number;
  /** In the order of their names. */
  readonly kinds: readonly KindSummary[];
  /** In the order of the positions they name. */
  readonly labels: readonly LabelSummary[];
}

export interface SummaryOptions {
  /** Count what is stale too, which reads the lineage of everything. Default false. */
  readonly stale?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Questions about the store at one instant. Two readers of the same position give equal answers, for ever.
 *
 * A ref is `ID` or `ID@VERSION`. Every method throws `record-not-found` or `version-not-found` for what was not there
 * at the instant, `ref-invalid` for what is no ref, and `checksum-mismatch` or `log-gap` rather than a wrong answer.
 */
export interface Reader {
  /** The position this reader speaks for. */
  readonly asOf: Position;
  record(ref: string): Promise<RecordView>;
  /** Like `record`, with undefined for what is not there. */
  findRecord(ref: string): Promise<RecordView | undefined>;
  /** Of all versions: a ref to one of them is `ref-invalid`. @throws `argument-invalid`, `aborted` also */
  history(recordId: RecordId, options?: HistoryOptions): Promise<History>;
  /** @throws `content-erased` also */
  diff(from: string, to: string): Promise<RecordDiff>;
  /** Which event set each field of a version's document. Cost: the versions back to the oldest of those events. */
  blame(ref: string, options?: BlameOptions): Promise<Blame>;
  lineage(ref: string, options?: LineageOptions): Promise<Lineage>;
  /** The nodes of `lineage`, named and no more. */
  lineageRefs(ref: string, options?: LineageOptions): Promise<LineageRefs>;
  /** All paths between two versions, named in either order. */
  paths(one: string, other: string, options?: PathsOptions): Promise<LineagePaths>;
  /** What two versions both rest on. */
  commonAncestors(
    first: string,
    second: string,
    options?: CommonAncestorsOptions,
  ): Promise<CommonAncestors>;
  /** What joined the lineage of a version, or was withdrawn in it, between an earlier position and this reader's. */
  lineageDiff(ref: string, from: Position, options?: LineageOptions): Promise<LineageDiff>;
  /** What an invalidation of the ref would withdraw: without a version, all versions so far. */
  impact(ref: string, options?: ImpactOptions): Promise<Impact>;
  /** @throws `aborted` also */
  replay(ref: string, options?: ReplayOptions): Promise<Replay>;
  /** The sources that make a version stale; none when it is not. */
  outdatedSources(ref: string): Promise<readonly OutdatedSource[]>;
  /** Every record as it stood, in the order of their creation, read as it is asked for. @throws `aborted` also */
  allRecords(options?: { readonly signal?: AbortSignal | undefined }): AsyncIterable<RecordView>;
  /** The store in figures. Cost: the events since the nearest snapshot of its state. */
  summary(options?: SummaryOptions): Promise<StoreSummary>;
  /**
   * What became different between an earlier position and this reader's, record by record in the order of their first
   * event between the two, as it is asked for. Cost: the events read.
   *
   * @throws `argument-invalid`, `aborted` also
   */
  changes(from: Position, options?: ChangesOptions): AsyncIterable<StoreChange>;
  /** All of `changes` at once. */
  changesSince(
    from: Position,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<StoreDiff>;
  /** Events up to the reader's instant. */
  events(
    options?: ReadOptions & { readonly recordId?: RecordId | undefined },
  ): AsyncIterable<RecordedEvent>;
}
