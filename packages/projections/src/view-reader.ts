/** A reader that also answers what needs an index: listing, staleness, records by kind and name. */
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
  type RecordVersionRef,
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
import { lineageDeltas, type LineageDelta } from "./live/lineage-deltas.ts";
import { observe } from "./live/observe.ts";
import {
  recordDeltas,
  type LiveQuery,
  type LiveRecordsOptions,
  type RecordsDelta,
} from "./live/record-deltas.ts";
import { fitsQuery } from "./search/evaluate.ts";
import { formatQuery } from "./search/format-query.ts";
import { labelOf } from "./search/plan.ts";
import { Search } from "./search/search-records.ts";
import { mapSources, type SearchNode } from "./search/search-query.ts";
import { findByName } from "./read-models/record-spans.ts";
import type { ProjectionRows } from "./projection-rows.ts";

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

const limitDefault = 100;
const limitMax = 10_000;

/** Every question of `Reader`, where a ref may also be `KIND/NAME`, and those that need an index. */
export class ViewReader implements Reader {
  readonly #reader: Reader;
  readonly #records: (signal?: AbortSignal) => Promise<ProjectionRows>;
  readonly #storeId: string;
  readonly #follower: Follower;

  /**
   * @param records gives rows that have got to the reader's instant: others once they have been made anew
   * @param follower gives readers of later instants to live queries
   */
  constructor(
    reader: Reader,
    records: (signal?: AbortSignal) => Promise<ProjectionRows>,
    storeId: string,
    follower: Follower,
  ) {
    this.#reader = reader;
    this.#records = records;
    this.#storeId = storeId;
    this.#follower = follower;
  }

  get asOf(): Position {
    return this.#reader.asOf;
  }

  /**
   * Records that fit a query, one at a time, in the order of their creation.
   *
   * @throws the codes of `list`
   */
  async *records(
    query: string | ListQuery = {},
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<RecordView> {
    const search = await this.#search(compileQuery(query), 0, options.signal);
    for await (const { record } of search.matches()) yield record;
  }

  /**
   * One page of the records that fit a query: text such as `kind:model tag.loss<0.1`, or an object.
   *
   * @throws `query-invalid` pointing at the place in a text, `argument-invalid` naming the member of an object or the limit,
   * `cursor-invalid`, `ref-ambiguous` for a source that is called like others, `aborted`
   */
  async list(query: string | ListQuery = {}, options: ListOptions = {}): Promise<ListPage> {
    return (await this.#page(compileQuery(query), options)).page;
  }

  /** How `list` finds that page, which it does. @throws the codes of `list` */
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

  /**
   * The records that fit a query as of this reader's instant, then what every later instant makes of the answer. It ends
   * when the views close.
   *
   * @throws the codes of `list` at once
   */
  records$(
    query: string | ListQuery = {},
    options: LiveRecordsOptions = {},
  ): Observable<RecordsDelta> {
    const node = compileQuery(query);
    const live: LiveQuery = {
      all: (reader, signal) => reader.records(query, { signal }),
      one: (reader, recordId) => reader.#fitting(node, recordId),
    };
    return observe((signal) => recordDeltas(this, this.#follower, live, options, signal));
  }

  /** A lineage as of this reader's instant, then what every later instant makes of it. It ends when the views close. */
  lineage$(ref: string, options: LineageOptions = {}): Observable<LineageDelta> {
    return observe((signal) => lineageDeltas(this, this.#follower, ref, options, signal));
  }

  async #fitting(node: SearchNode, recordId: RecordId): Promise<RecordView | undefined> {
    const record = await this.#reader.findRecord(recordId);
    if (record === undefined) return undefined;
    const resolved = await mapSources(node, (ref) => this.resolve(ref));
    return fitsQuery(resolved, record) ? record : undefined;
  }

  /** The valid records that rest on something that has changed, and on what. @throws `aborted` */
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

  /**
   * The ref with `KIND/NAME` replaced by the record's id. An id that fits is taken first.
   *
   * @throws `ref-invalid`, `record-not-found`, `ref-ambiguous`, `aborted`
   */
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
    const scope = { query, storeId: this.#storeId };
    let last = cursor === undefined ? 0 : this.#pageStart(cursor, scope);
    const search = await this.#search(query, last, signal);
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

  async #search(query: SearchNode, after: Position, signal?: AbortSignal): Promise<Search> {
    const resolved = await mapSources(query, (ref) => this.resolve(ref, { signal }));
    const rows = await this.#records(signal);
    return Search.plan(resolved, { reader: this.#reader, rows, after, signal });
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
        await this.#records(signal),
        this.asOf,
        target.slice(0, slash),
        target.slice(slash + 1),
      );
      for await (const { recordId } of found) ids.push(recordId);
    }
    return ids;
  }
}
