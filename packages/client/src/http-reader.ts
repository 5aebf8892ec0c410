/** Asks a server: about the present, each question anew, or about one position for good. */
import type {
  Blame,
  BlameOptions,
  ChangesOptions,
  CommonAncestors,
  CommonAncestorsOptions,
  History,
  HistoryOptions,
  Impact,
  ImpactOptions,
  Lineage,
  LineageDiff,
  LineageOptions,
  LineagePaths,
  LineageRefs,
  OutdatedSource,
  PathsOptions,
  Position,
  ReadOptions,
  RecordDiff,
  RecordedEvent,
  RecordId,
  RecordView,
  Replay,
  ReplayOptions,
  StoreChange,
  StoreDiff,
  StoreSummary,
  SummaryOptions,
} from "@sennit/core";
import type {
  Explanation,
  FollowRecordsOptions,
  LineageDelta,
  ListOptions,
  ListPage,
  ListQuery,
  RecordsDelta,
  StaleReport,
  Timeline,
  TimelineQuery,
  ViewReader,
} from "@sennit/projections";

import { ClientError } from "./client-error.ts";
import {
  filterParameters,
  listParameters,
  positionText,
  refPart,
  type Query,
} from "./parameters.ts";
import { rowsOf } from "./rows.ts";
import { liveMessages } from "./server-sent-events.ts";
import type { Transport } from "./transport.ts";

export interface Signalled {
  readonly signal?: AbortSignal | undefined;
}

type FollowLineageOptions = LineageOptions & { readonly initial?: boolean | undefined };

/** Records of the first answer to a live query in one delta. */
const firstRecordsMax = 500;

const missing: ReadonlySet<string> = new Set(["record-not-found", "version-not-found"]);

/** One class for both: a reader of an instant has resolved it, and asks by position, so that answers may be kept. */
export class HttpReader implements ViewReader {
  protected readonly transport: Transport;
  readonly #position: Position | undefined;

  /** @param position undefined for the present */
  constructor(transport: Transport, position?: Position) {
    this.transport = transport;
    this.#position = position;
  }

  /** The position it speaks for; for a reader of the present, the last one it has heard of. */
  get asOf(): Position {
    return this.#position ?? this.transport.head;
  }

  async record(ref: string, options?: Signalled): Promise<RecordView> {
    return this.#ofRecord(ref, [], {}, options);
  }

  async findRecord(ref: string, options?: Signalled): Promise<RecordView | undefined> {
    try {
      return await this.record(ref, options);
    } catch (error) {
      if (error instanceof ClientError && missing.has(error.code)) return undefined;
      throw error;
    }
  }

  async history(recordId: RecordId, options: HistoryOptions = {}): Promise<History> {
    const { after, limit } = options;
    return this.#ofRecord(recordId, ["history"], { after, limit }, options);
  }

  async diff(from: string, to: string, options?: Signalled): Promise<RecordDiff> {
    return this.#ofRecord(from, ["diff"], { with: to }, options);
  }

  async blame(ref: string, options?: BlameOptions): Promise<Blame> {
    return this.#ofRecord(ref, ["blame"], {}, options);
  }

  async lineage(ref: string, options: LineageOptions = {}): Promise<Lineage> {
    return this.#ofRecord(ref, ["lineage"], lineageParameters(options), options);
  }

  async lineageRefs(ref: string, options: LineageOptions = {}): Promise<LineageRefs> {
    const query = { ...lineageParameters(options), refs: true };
    return this.#ofRecord(ref, ["lineage"], query, options);
  }

  async lineageDiff(
    ref: string,
    from: Position,
    options: LineageOptions = {},
  ): Promise<LineageDiff> {
    const query = { ...lineageParameters(options), since: positionText("from", from) };
    return this.#ofRecord(ref, ["lineage"], query, options);
  }

  async paths(one: string, other: string, options: PathsOptions = {}): Promise<LineagePaths> {
    const query = { to: other, limit: options.limit, ...filterParameters(options) };
    return this.#ofRecord(one, ["paths"], query, options);
  }

  async commonAncestors(
    first: string,
    second: string,
    options: CommonAncestorsOptions = {},
  ): Promise<CommonAncestors> {
    const query = { with: second, ...filterParameters(options) };
    return this.#ofRecord(first, ["common-ancestors"], query, options);
  }

  async impact(ref: string, options: ImpactOptions = {}): Promise<Impact> {
    const { since, cascade } = options;
    const query = { at: positionText("at", options.at), since, cascade };
    return this.#ofRecord(ref, ["impact"], query, options);
  }

  async replay(ref: string, options?: ReplayOptions): Promise<Replay> {
    return this.#ofRecord(ref, ["replay"], {}, options);
  }

  async outdatedSources(ref: string, options?: Signalled): Promise<readonly OutdatedSource[]> {
    return this.#ofRecord(ref, ["outdated-sources"], {}, options);
  }

  allRecords({ signal }: Signalled = {}): AsyncIterable<RecordView> {
    return this.#rows(["state"], {}, { signal });
  }

  async summary(options: SummaryOptions = {}): Promise<StoreSummary> {
    return this.ask(["summary"], { stale: options.stale }, options);
  }

  async *changes(from: Position, options: ChangesOptions = {}): AsyncIterable<StoreChange> {
    const { after, limit = Infinity, signal } = options;
    const query = {
      from: positionText("from", from),
      to: this.#position,
      after: positionText("after", after),
      limit: Number.isFinite(limit) ? limit : undefined,
    };
    yield* rowsOf<StoreChange>(this.transport, {
      path: ["v1", "diff"],
      query,
      instant: "to",
      signal,
      rest: ({ position }, delivered) => ({
        query: { after: position, ...(query.limit !== undefined && { limit: limit - delivered }) },
      }),
    });
  }

  async changesSince(from: Position, { signal }: Signalled = {}): Promise<StoreDiff> {
    const query = { from: positionText("from", from), to: this.#position };
    return this.transport.json({ path: ["v1", "diff"], query, signal });
  }

  async *events(
    options: ReadOptions & { readonly recordId?: RecordId | undefined } = {},
  ): AsyncIterable<RecordedEvent> {
    const { reverse = false, limit = Infinity, recordId, signal } = options;
    if (limit < 1) return;
    const query = {
      "as-of": this.#position,
      from: positionText("from", options.from),
      until: positionText("until", options.until),
      reverse: reverse || undefined,
      limit: Number.isFinite(limit) ? limit : undefined,
      recordId,
    };
    yield* rowsOf<RecordedEvent>(this.transport, {
      path: ["v1", "events"],
      query,
      instant: "as-of",
      signal,
      rest: ({ position }, delivered) => ({
        query: {
          from: reverse ? position - 1 : position + 1,
          ...(query.limit !== undefined && { limit: limit - delivered }),
        },
      }),
    });
  }

  async *records(
    query: string | ListQuery = "",
    { signal }: Signalled = {},
  ): AsyncIterable<RecordView> {
    yield* this.#rows<RecordView>(["records"], listParameters(query), { signal });
  }

  async list(query: string | ListQuery = "", options: ListOptions = {}): Promise<ListPage> {
    return this.ask(["records"], pageParameters(query, options), options);
  }

  async explain(query: string | ListQuery = "", options: ListOptions = {}): Promise<Explanation> {
    return this.ask(["records"], { ...pageParameters(query, options), explain: true }, options);
  }

  async stale(options?: Signalled): Promise<StaleReport> {
    return this.ask(["stale"], {}, options);
  }

  async timeline(query: TimelineQuery = {}): Promise<Timeline> {
    const { bucket, by, kind, type, actor, from, to } = query;
    // No actor is called nothing, so nothing stands for none.
    return this.ask(
      ["timeline"],
      { bucket, by, kind, type, actor: actor ?? noActor(actor), from, to },
      query,
    );
  }

  async resolve(ref: string, options?: Signalled): Promise<string> {
    const answer = await this.ask<{ readonly ref: string }>(["resolve"], { ref }, options);
    return answer.ref;
  }

  /** What `ViewReader` says, also across connections that break and servers that start anew. It ends with the client. */
  async *followRecords(
    query: string | ListQuery = "",
    { initial = true, signal }: FollowRecordsOptions = {},
  ): AsyncIterable<RecordsDelta> {
    const start = this.#position ?? (await this.#present(signal));
    const parameters = listParameters(query);
    if (initial) {
      // The first answer is a list like any other, of which no row comes twice when a connection breaks.
      const records = new HttpReader(this.transport, start).records(query, { signal });
      yield* firstDeltas(start, records);
    }
    yield* this.#deltas<RecordsDelta>(
      ["live", "records"],
      {
        ...parameters,
        "as-of": start,
        initial: false,
      },
      signal,
    );
  }

  /** What `ViewReader` says, also across connections that break and servers that start anew. It ends with the client. */
  async *followLineage(
    ref: string,
    options: FollowLineageOptions = {},
  ): AsyncIterable<LineageDelta> {
    const { part, query } = refPart(ref);
    yield* this.#deltas<LineageDelta>(
      ["records", part, "lineage", "stream"],
      {
        ...query,
        ...lineageParameters(options),
        initial: options.initial === false ? false : undefined,
        "as-of": this.#position,
      },
      options.signal,
    );
  }

  async *#deltas<Delta extends { readonly asOf: Position }>(
    path: readonly string[],
    query: Query,
    signal: AbortSignal | undefined,
  ): AsyncIterable<Delta> {
    const ask = { path: ["v1", ...path], query, signal };
    for await (const { data } of liveMessages(this.transport, ask)) {
      const delta = JSON.parse(data) as Delta;
      this.transport.reached(delta.asOf);
      yield delta;
    }
  }

  async #present(signal: AbortSignal | undefined): Promise<Position> {
    const path = ["v1", "instant"];
    const { asOf } = await this.transport.json<{ readonly asOf: Position }>({ path, signal });
    return asOf;
  }

  /** Asks as of this reader's instant. */
  protected ask<T>(path: readonly string[], query: Query, options: Signalled = {}): Promise<T> {
    const asked = { ...query, "as-of": this.#position };
    return this.transport.json({ path: ["v1", ...path], query: asked, signal: options.signal });
  }

  #ofRecord<T>(
    ref: string,
    path: readonly string[],
    query: Query,
    options?: Signalled,
  ): Promise<T> {
    const { part, query: completion } = refPart(ref);
    return this.ask(["records", part, ...path], { ...completion, ...query }, options);
  }

  #rows<Row>(path: readonly string[], query: Query, { signal }: Signalled): AsyncIterable<Row> {
    return rowsOf<Row>(this.transport, {
      path: ["v1", ...path],
      query: { ...query, "as-of": this.#position },
      instant: "as-of",
      signal,
    });
  }
}

/** The first answer in pieces, as readers in the server's process give it. */
async function* firstDeltas(
  asOf: Position,
  records: AsyncIterable<RecordView>,
): AsyncGenerator<RecordsDelta> {
  let added: RecordView[] = [];
  for await (const record of records) {
    if (added.length === firstRecordsMax) {
      yield { asOf, added, changed: [], removed: [], isComplete: false };
      added = [];
    }
    added.push(record);
  }
  yield { asOf, added, changed: [], removed: [], isComplete: true };
}

function noActor(actor: null | undefined): string | undefined {
  return actor === null ? "" : undefined;
}

function pageParameters(query: string | ListQuery, { limit, cursor }: ListOptions): Query {
  return { ...listParameters(query), limit, cursor };
}

function lineageParameters(options: LineageOptions): Query {
  const { direction, depth } = options;
  return { direction, depth, ...filterParameters(options) };
}
