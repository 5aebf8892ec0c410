/** The reader of a store in this process that also answers what needs an index. */
import {
  parseRef,
  StoreError,
  type Blame,
  type BlameOptions,
  type ChangesOptions,
  type CommonAncestors,
  type CommonAncestorsOptions,
  type History,
  type HistoryOptions,
  type Impact,
  type ImpactOptions,
  type Lineage,
  type LineageDiff,
  type LineageOptions,
  type LineagePaths,
  type LineageRefs,
  type OutdatedSource,
  type PathsOptions,
  type Position,
  type ReadOptions,
  type Reader,
  type RecordDiff,
  type RecordedEvent,
  type RecordId,
  type RecordView,
  type Replay,
  type ReplayOptions,
  type StoreChange,
  type StoreDiff,
  type StoreSummary,
  type SummaryOptions,
} from "@sennit/core";

import type { Observable } from "rxjs/internal/Observable";

import { formatCursor, readCursor, type CursorScope } from "./cursor.ts";
import { compileQuery, type ListQuery } from "./list-query.ts";
import type { Follower } from "./live/follower.ts";
import {
  lineageDeltas,
  type FollowLineageOptions,
  type LineageDelta,
} from "./live/lineage-deltas.ts";
import { observe, untilClosed } from "./live/observe.ts";
import {
  recordDeltas,
  type LiveQuery,
  type FollowRecordsOptions,
  type RecordsDelta,
} from "./live/record-deltas.ts";
import { fitsQuery } from "./search/evaluate.ts";
import { formatQuery } from "./search/format-query.ts";
import { labelOf } from "./search/plan.ts";
import { Search, type SearchSettings } from "./search/search-records.ts";
import { mapSources, type SearchNode } from "./search/search-query.ts";
import { findByName } from "./read-models/record-spans.ts";
import { recordsProjection } from "./read-models/records.ts";
import { readTimeline, type Timeline, type TimelineQuery } from "./read-models/timeline.ts";
import type { ProjectionRows } from "./projection-rows.ts";
import type {
  Explanation,
  ListOptions,
  ListPage,
  StaleEdge,
  StaleReport,
  ViewReader,
} from "./view-reader.ts";

const limitDefault = 100;
const limitMax = 10_000;

/** What a reader needs of the views. */
export interface ViewSource {
  /** The rows of a projection once they have got to the reader's instant: others once they have been made anew. */
  readonly rows: (name: string, signal?: AbortSignal) => Promise<ProjectionRows>;
  readonly storeId: string;
  /** Gives readers of later instants to live queries. */
  readonly follower: Follower;
}

/** An immutable reader of one position, of the store and its views. */
export class EmbeddedViewReader implements ViewReader {
  readonly #reader: Reader;
  readonly #source: ViewSource;

  constructor(reader: Reader, source: ViewSource) {
    this.#reader = reader;
    this.#source = source;
  }

  get asOf(): Position {
    return this.#reader.asOf;
  }

  async *records(
    query: string | ListQuery = {},
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<RecordView> {
    const search = await this.#search(compileQuery(query), {
      after: 0,
      signal: options.signal,
    });
    for await (const { record } of search.matches()) yield record;
  }

  async list(query: string | ListQuery = {}, options: ListOptions = {}): Promise<ListPage> {
    return (await this.#page(compileQuery(query), options)).page;
  }

  async explain(query: string | ListQuery = {}, options: ListOptions = {}): Promise<Explanation> {
    const node = compileQuery(query);
    const { page, search } = await this.#page(node, options);
    return {
      asOf: page.asOf,
      query: formatQuery(node),
      index: labelOf(search.plan.source),
      filter: formatQuery(search.plan.filter),
      examined: search.examined,
      found: page.records.length,
    };
  }

  async *followRecords(
    query: string | ListQuery = {},
    { initial, signal }: FollowRecordsOptions = {},
  ): AsyncGenerator<RecordsDelta> {
    const live = this.#liveQuery(query);
    const { follower } = this.#source;
    yield* untilClosed(recordDeltas(this, follower, live, { initial }, signal));
  }

  async *followLineage(
    ref: string,
    options: FollowLineageOptions = {},
  ): AsyncGenerator<LineageDelta> {
    yield* untilClosed(lineageDeltas(this, this.#source.follower, ref, options));
  }

  /** `followRecords` as an Observable. @throws the codes of `list` at once */
  records$(
    query: string | ListQuery = {},
    options: Omit<FollowRecordsOptions, "signal"> = {},
  ): Observable<RecordsDelta> {
    const live = this.#liveQuery(query);
    return observe((signal) => recordDeltas(this, this.#source.follower, live, options, signal));
  }

  /** `followLineage` as an Observable. */
  lineage$(ref: string, options: LineageOptions = {}): Observable<LineageDelta> {
    return observe((signal) =>
      lineageDeltas(this, this.#source.follower, ref, { ...options, signal }),
    );
  }

  #liveQuery(query: string | ListQuery): LiveQuery {
    const node = compileQuery(query);
    return {
      all: (reader, signal) => reader.records(query, { signal }),
      one: (reader, recordId) => reader.fitting(node, recordId),
    };
  }

  /** The record as it stands at this reader's instant, if it fits the query. */
  async fitting(node: SearchNode, recordId: RecordId): Promise<RecordView | undefined> {
    const record = await this.#reader.findRecord(recordId);
    if (record === undefined) return undefined;
    const resolved = await mapSources(node, (ref) => this.resolve(ref));
    return fitsQuery(resolved, record) ? record : undefined;
  }

  async timeline(query: TimelineQuery = {}): Promise<Timeline> {
    const rows = await this.#source.rows(recordsProjection.name, query.signal);
    return readTimeline(this.#reader, rows, query);
  }

  async stale(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<StaleReport> {
    const records: RecordView[] = [];
    const outdated: StaleEdge[] = [];
    for await (const record of this.records({ status: "stale" }, options)) {
      records.push(record);
      const ref = { recordId: record.id, version: record.version };
      for (const { source, now } of await this.#reader.outdatedSources(record.id)) {
        outdated.push({ record: ref, source, now });
      }
    }
    return { asOf: this.asOf, records, outdated };
  }

  async record(ref: string): Promise<RecordView> {
    return this.#reader.record(await this.resolve(ref));
  }

  async findRecord(ref: string): Promise<RecordView | undefined> {
    return this.#reader.findRecord(await this.resolve(ref));
  }

  async history(ref: string, options?: HistoryOptions): Promise<History> {
    return this.#reader.history(await this.resolve(ref, options), options);
  }

  async diff(from: string, to: string): Promise<RecordDiff> {
    return this.#reader.diff(await this.resolve(from), await this.resolve(to));
  }

  async blame(ref: string, options?: BlameOptions): Promise<Blame> {
    return this.#reader.blame(await this.resolve(ref, options), options);
  }

  async lineage(ref: string, options?: LineageOptions): Promise<Lineage> {
    return this.#reader.lineage(await this.resolve(ref, options), options);
  }

  async lineageRefs(ref: string, options?: LineageOptions): Promise<LineageRefs> {
    return this.#reader.lineageRefs(await this.resolve(ref, options), options);
  }

  async paths(one: string, other: string, options?: PathsOptions): Promise<LineagePaths> {
    return this.#reader.paths(
      await this.resolve(one, options),
      await this.resolve(other, options),
      options,
    );
  }

  async commonAncestors(
    first: string,
    second: string,
    options?: CommonAncestorsOptions,
  ): Promise<CommonAncestors> {
    const [one, other] = [await this.resolve(first, options), await this.resolve(second, options)];
    return this.#reader.commonAncestors(one, other, options);
  }

  async lineageDiff(ref: string, from: Position, options?: LineageOptions): Promise<LineageDiff> {
    return this.#reader.lineageDiff(await this.resolve(ref, options), from, options);
  }

  async impact(ref: string, options?: ImpactOptions): Promise<Impact> {
    return this.#reader.impact(await this.resolve(ref, options), options);
  }

  async replay(ref: string, options?: ReplayOptions): Promise<Replay> {
    return this.#reader.replay(await this.resolve(ref, options), options);
  }

  async outdatedSources(ref: string): Promise<readonly OutdatedSource[]> {
    return this.#reader.outdatedSources(await this.resolve(ref));
  }

  allRecords(options?: { readonly signal?: AbortSignal | undefined }): AsyncIterable<RecordView> {
    return this.#reader.allRecords(options);
  }

  summary(options?: SummaryOptions): Promise<StoreSummary> {
    return this.#reader.summary(options);
  }

  changes(from: Position, options?: ChangesOptions): AsyncIterable<StoreChange> {
    return this.#reader.changes(from, options);
  }

  changesSince(
    from: Position,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<StoreDiff> {
    return this.#reader.changesSince(from, options);
  }

  async *events(
    options: ReadOptions & { readonly recordId?: RecordId | undefined } = {},
  ): AsyncGenerator<RecordedEvent> {
    const { recordId } = options;
    yield* this.#reader.events(
      recordId === undefined
        ? options
        : { ...options, recordId: await this.resolve(recordId, options) },
    );
  }

  async resolve(
    ref: string,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<string> {
    const { target, version } = parseRef(ref);
    if (!target.includes("/") || (await this.#reader.findRecord(target)) !== undefined) return ref;
    const ids = await this.#idsByName(target, options.signal);
    const [id, ...others] = ids;
    // The reader then says that there is no such record.
    if (id === undefined) return ref;
    if (others.length > 0) {
      throw new StoreError(
        "ref-ambiguous",
        `${ids.length} records are called ${JSON.stringify(target)}: ${ids.slice(0, 5).join(", ")}.`,
        {
          details: { ref, ids },
        },
      );
    }
    return version === undefined ? id : `${id}@${version}`;
  }

  async #page(
    query: SearchNode,
    { limit = limitDefault, cursor, signal }: ListOptions,
  ): Promise<{ readonly page: ListPage; readonly search: Search }> {
    if (!Number.isInteger(limit) || limit < 1 || limit > limitMax) {
      throw new StoreError(
        "argument-invalid",
        `limit must be a whole number from 1 to ${limitMax}.`,
        { details: { limit } },
      );
    }
    const { asOf } = this;
    const records: RecordView[] = [];
    const scope = { query, storeId: this.#source.storeId };
    let last = cursor === undefined ? 0 : this.#pageStart(cursor, scope);
    // One more than the page has: it says whether there is another one.
    const search = await this.#search(query, { after: last, wanted: limit + 1, signal });
    for await (const { record, created } of search.matches()) {
      if (records.length === limit) {
        const nextCursor = formatCursor({ asOf, after: last }, scope);
        return { page: { asOf, records, nextCursor }, search };
      }
      records.push(record);
      last = created;
    }
    return { page: { asOf, records }, search };
  }

  async #search(
    query: SearchNode,
    range: Pick<SearchSettings, "after" | "wanted" | "signal">,
  ): Promise<Search> {
    const { signal } = range;
    const resolved = await mapSources(query, (ref) => this.resolve(ref, { signal }));
    const rows = await this.#source.rows(recordsProjection.name, signal);
    return Search.plan(resolved, { ...range, reader: this.#reader, rows });
  }

  #pageStart(cursor: string, scope: CursorScope): Position {
    const { asOf, after } = readCursor(cursor, scope);
    if (asOf === this.asOf) return after;
    throw new StoreError(
      "cursor-invalid",
      `The cursor speaks for position ${asOf}, not for ${this.asOf}.`,
      {
        details: { asOf, requested: this.asOf },
      },
    );
  }

  /** Kinds and names may hold slashes themselves, so every split is tried. */
  async #idsByName(ref: string, signal?: AbortSignal): Promise<RecordId[]> {
    const { target } = parseRef(ref);
    const ids: RecordId[] = [];
    for (let slash = target.indexOf("/"); slash !== -1; slash = target.indexOf("/", slash + 1)) {
      const found = findByName(
        await this.#source.rows(recordsProjection.name, signal),
        this.asOf,
        target.slice(0, slash),
        target.slice(slash + 1),
      );
      for await (const { recordId } of found) ids.push(recordId);
    }
    return ids;
  }
}
