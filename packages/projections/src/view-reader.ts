/** A reader that also answers what needs an index: listing, staleness, records by kind and name. */
import {
  parseRef,
  StoreError,
  type Blame,
  type BlameOptions,
  type CommonAncestors,
  type CommonAncestorsOptions,
  type History,
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
import type { SearchNode } from "./search/search-query.ts";
import { findByName, findRecords } from "./read-models/records.ts";
import type { ProjectionRows } from "./projection-rows.ts";

export interface ListOptions {
  /** Records at most, 1-10 000. Default 100. */
  readonly limit?: number | undefined;
  /** The `nextCursor` of the page before. */
  readonly cursor?: string | undefined;
}

export interface ListPage {
  readonly asOf: Position;
  /** In the order of their creation. */
  readonly records: readonly RecordView[];
  /** There when more may follow. */
  readonly nextCursor?: string;
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
  readonly #records: () => Promise<ProjectionRows>;
  readonly #storeId: string;
  readonly #follower: Follower;

  /**
   * @param records gives rows that have got to the reader's instant: others once they have been made anew
   * @param follower gives readers of later instants to live queries
   */
  constructor(
    reader: Reader,
    records: () => Promise<ProjectionRows>,
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
  async *records(query: string | ListQuery = {}): AsyncGenerator<RecordView> {
    for await (const { record } of this.#matches(compileQuery(query), 0)) yield record;
  }

  /**
   * One page of the records that fit a query: text such as `kind:model tag.loss<0.1`, or an object.
   *
   * @throws `query-invalid` pointing at the place in a text, `argument-invalid` naming the member of an object or the limit,
   * `cursor-invalid`
   */
  async list(query: string | ListQuery = {}, options: ListOptions = {}): Promise<ListPage> {
    const { limit = limitDefault, cursor } = options;
    if (!Number.isInteger(limit) || limit < 1 || limit > limitMax) {
      throw new StoreError(
        "argument-invalid",
        `limit must be a whole number from 1 to ${limitMax}.`,
        { details: { limit } },
      );
    }
    const node = compileQuery(query);
    const { asOf } = this;
    const records: RecordView[] = [];
    const scope = { query: node, storeId: this.#storeId };
    let last = cursor === undefined ? 0 : this.#pageStart(cursor, scope);
    for await (const { record, created } of this.#matches(node, last)) {
      if (records.length === limit) {
        return { asOf, records, nextCursor: formatCursor({ asOf, after: last }, scope) };
      }
      records.push(record);
      last = created;
    }
    return { asOf, records };
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
      all: (reader) => reader.records(query),
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
    return record !== undefined && fitsQuery(node, record) ? record : undefined;
  }

  /** The valid records that rest on something that has changed, and on what. */
  async stale(): Promise<StaleReport> {
    const records: RecordView[] = [];
    const outdated: StaleEdge[] = [];
    for await (const record of this.records({ status: "stale" })) {
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

  async history(ref: string): Promise<History> {
    return this.#reader.history(await this.resolve(ref));
  }

  async diff(from: string, to: string): Promise<RecordDiff> {
    return this.#reader.diff(await this.resolve(from), await this.resolve(to));
  }

  async blame(ref: string, options?: BlameOptions): Promise<Blame> {
    return this.#reader.blame(await this.resolve(ref), options);
  }

  async lineage(ref: string, options?: LineageOptions): Promise<Lineage> {
    return this.#reader.lineage(await this.resolve(ref), options);
  }

  async lineageRefs(ref: string, options?: LineageOptions): Promise<LineageRefs> {
    return this.#reader.lineageRefs(await this.resolve(ref), options);
  }

  async paths(one: string, other: string, options?: PathsOptions): Promise<LineagePaths> {
    return this.#reader.paths(await this.resolve(one), await this.resolve(other), options);
  }

  async commonAncestors(
    first: string,
    second: string,
    options?: CommonAncestorsOptions,
  ): Promise<CommonAncestors> {
    const [one, other] = [await this.resolve(first), await this.resolve(second)];
    return this.#reader.commonAncestors(one, other, options);
  }

  async lineageDiff(ref: string, from: Position, options?: LineageOptions): Promise<LineageDiff> {
    return this.#reader.lineageDiff(await this.resolve(ref), from, options);
  }

  async impact(ref: string, options?: ImpactOptions): Promise<Impact> {
    return this.#reader.impact(await this.resolve(ref), options);
  }

  async replay(ref: string): Promise<Replay> {
    return this.#reader.replay(await this.resolve(ref));
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

  changesSince(from: Position): Promise<StoreDiff> {
    return this.#reader.changesSince(from);
  }

  async *events(
    options: ReadOptions & { readonly recordId?: RecordId | undefined } = {},
  ): AsyncGenerator<RecordedEvent> {
    const { recordId } = options;
    yield* this.#reader.events(
      recordId === undefined ? options : { ...options, recordId: await this.resolve(recordId) },
    );
  }

  /**
   * The ref with `KIND/NAME` replaced by the record's id. An id that fits is taken first.
   *
   * @throws `ref-invalid`, `record-not-found`, `ref-ambiguous`
   */
  async resolve(ref: string): Promise<string> {
    const { target, version } = parseRef(ref);
    if (!target.includes("/") || (await this.#reader.findRecord(target)) !== undefined) return ref;
    const ids = await this.#idsByName(target);
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

  async *#matches(
    query: SearchNode,
    after: Position,
  ): AsyncGenerator<{ readonly record: RecordView; readonly created: Position }> {
    const candidates = findRecords(await this.#records(), this.asOf, {}, after);
    for await (const { recordId, created } of candidates) {
      const record = await this.#reader.record(recordId);
      if (fitsQuery(query, record)) yield { record, created };
    }
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
  async #idsByName(ref: string): Promise<RecordId[]> {
    const { target } = parseRef(ref);
    const ids: RecordId[] = [];
    for (let slash = target.indexOf("/"); slash !== -1; slash = target.indexOf("/", slash + 1)) {
      const found = findByName(
        await this.#records(),
        this.asOf,
        target.slice(0, slash),
        target.slice(slash + 1),
      );
      for await (const { recordId } of found) ids.push(recordId);
    }
    return ids;
  }
}
