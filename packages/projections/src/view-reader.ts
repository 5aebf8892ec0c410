/** A reader that also answers what needs an index: listing, staleness, records by kind and name, times. */
import type { Position, Reader, RecordVersionRef, RecordView } from "@sennit/core";

import type { ListQuery } from "./list-query.ts";
import type { FollowLineageOptions, LineageDelta } from "./live/lineage-deltas.ts";
import type { FollowRecordsOptions, RecordsDelta } from "./live/record-deltas.ts";
import type { Timeline, TimelineQuery } from "./read-models/timeline.ts";

export interface ListOptions {
  /** Records at most, 1-10 000. Default 100. */
  readonly limit?: number | undefined;
  /** The `nextCursor` of the page before. */
  readonly cursor?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ListPage {
  readonly asOf: Position;
  /** In the order of their creation. */
  readonly records: readonly RecordView[];
  /** There when more may follow. */
  readonly nextCursor?: string;
}

/** How a page of a query was found. */
export interface Explanation {
  readonly asOf: Position;
  /** The query as it was understood. */
  readonly query: string;
  /** What was looked up. */
  readonly index: string;
  /** What the records looked up were checked for beside it; empty for nothing. */
  readonly filter: string;
  /** Records looked up and read, and those of them on the page. */
  readonly examined: number;
  readonly found: number;
}

/** A record, and a source of it that has moved on. */
export interface StaleEdge {
  readonly record: RecordVersionRef;
  readonly source: RecordVersionRef;
  /** The source's version at the reader's instant. */
  readonly now: number;
}

export interface StaleReport {
  readonly asOf: Position;
  readonly records: readonly RecordView[];
  readonly outdated: readonly StaleEdge[];
}

/**
 * Every question of `Reader`, where a ref may also be `KIND/NAME`, and those that need an index; of a store in this
 * process or behind a URL.
 */
export interface ViewReader extends Reader {
  /**
   * Records that fit a query, one at a time, in the order of their creation.
   *
   * @throws the codes of `list`
   */
  records(
    query?: string | ListQuery,
    options?: { readonly signal?: AbortSignal | undefined },
  ): AsyncIterable<RecordView>;
  /**
   * One page of the records that fit a query: text such as `kind:model tag.loss<0.1`, or an object.
   *
   * @throws `query-invalid` pointing at the place in a text, `argument-invalid` naming the member of an object or the limit,
   * `cursor-invalid`, `ref-ambiguous` for a source that is called like others, `aborted`
   */
  list(query?: string | ListQuery, options?: ListOptions): Promise<ListPage>;
  /** How `list` finds that page, which it does. @throws the codes of `list` */
  explain(query?: string | ListQuery, options?: ListOptions): Promise<Explanation>;
  /** The valid records that rest on something that has changed, and on what. @throws `aborted` */
  stale(options?: { readonly signal?: AbortSignal | undefined }): Promise<StaleReport>;
  /** How many events there were up to this reader's instant, and when. @throws the codes of `readTimeline` */
  timeline(query?: TimelineQuery): Promise<Timeline>;
  /**
   * The ref with `KIND/NAME` replaced by the record's id. An id that fits is taken first.
   *
   * @throws `ref-invalid`, `record-not-found`, `ref-ambiguous`, `aborted`
   */
  resolve(ref: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<string>;
  /**
   * The records that fit a query as of this reader's instant, then what every later instant makes of the answer. It ends
   * when the views close.
   *
   * @throws the codes of `list`
   */
  followRecords(
    query?: string | ListQuery,
    options?: FollowRecordsOptions,
  ): AsyncIterable<RecordsDelta>;
  /** A lineage as of this reader's instant, then what every later instant makes of it. It ends when the views close. */
  followLineage(ref: string, options?: FollowLineageOptions): AsyncIterable<LineageDelta>;
}
