/** Streams: the log as it grows, and answers as they change. */
import { StoreError, type EmbeddedStore, type Position } from "@sennit/core";
import { Type } from "typebox";

import { asOfQuery, instantOf } from "../instant.ts";
import { fitsFilter, type EventFilter } from "../live/event-filter.ts";
import { sendEventStream } from "../live/event-stream.ts";
import type { Frame } from "../live/frame.ts";
import { recordAsked, refParams, refQuery, versionQuery } from "../record-ref.ts";
import { defineRoute, type Exchange, type Route } from "../route.ts";
import { position } from "../schemas/common.ts";
import { eventType } from "../schemas/store.ts";
import { filterOf, filterQuery } from "./lineage.ts";
import { queryOf, recordsQuery, tagQuery } from "./records.ts";

const contentTypes = ["text/event-stream"];
const resuming =
  "Messages have the position to resume after as their id: a request with Last-Event-ID goes on from there. " +
  "The last message of a stream that the server ends is of type closing, cut-off (it was not read in time) or problem.";

const tail = (messages: string) => ({
  200: { description: messages, schema: Type.String(), contentTypes },
});

const initialQuery = {
  initial: Type.Optional(
    Type.Boolean({
      description: "false: not the answer as of the instant, but only what differs from it",
      default: true,
    }),
  ),
};

const streamEvents = defineRoute({
  method: "GET",
  url: "/v1/events/stream",
  operationId: "streamEvents",
  scope: "read",
  summary: "The log from a position on, then each event as it becomes durable",
  description: resuming,
  tag: "Live",
  shape: {
    query: Type.Object({
      from: Type.Optional(position),
      recordId: Type.Optional(Type.String({ minLength: 1 })),
      type: Type.Optional(Type.Array(eventType)),
      kind: Type.Optional(Type.Array(Type.String())),
    }),
  },
  answers: tail("Messages of the event's type, with the event as their data"),
  problems: [],
  async handle(exchange) {
    const { query, store } = exchange;
    const last = lastEventId(exchange);
    const from = last === undefined ? query.from : last + 1;
    const { type: types, kind: kinds, recordId } = query;
    const filter = {
      ...(types !== undefined && { types }),
      ...(kinds !== undefined && { kinds }),
      ...(recordId !== undefined && { recordId }),
    };
    const messages = (signal: AbortSignal) => eventMessages(store, filter, from, signal);
    await sendEventStream(exchange, { position: store.head, start: last, messages });
    return undefined;
  },
});

/** Events that fit, and the positions of those that do not: a stream that is resumed need not look at them again. */
async function* eventMessages(
  store: EmbeddedStore,
  filter: EventFilter,
  from: Position | undefined,
  signal: AbortSignal,
): AsyncGenerator<Frame | Position> {
  for await (const event of store.follow({ from, signal })) {
    const { position: id } = event;
    yield (await fitsFilter(store, filter, event)) ? { id, event: event.type, data: event } : id;
  }
}

const streamRecords = defineRoute({
  method: "GET",
  // Not below /v1/records, where it could not be told from a record of that name.
  url: "/v1/live/records",
  operationId: "streamRecords",
  scope: "read",
  summary: "The records that fit a query, then what every later instant makes of them",
  description: resuming,
  tag: "Live",
  shape: {
    query: Type.Object({ ...asOfQuery, ...initialQuery, ...recordsQuery }, tagQuery),
  },
  answers: tail("Messages of type records, with a RecordsDelta as their data"),
  problems: [],
  async handle(exchange) {
    const asked = queryOf(exchange.query);
    const { last, at, initial } = startOf(exchange);
    const reader = await (await instantOf(exchange, { ...exchange.query, ...at })).views();
    // What is wrong with the query is said with a status, while there still is one to say.
    await reader.explain(asked, { limit: 1, signal: exchange.signal });
    await sendEventStream(exchange, {
      position: reader.asOf,
      start: last,
      async *messages(signal) {
        for await (const delta of reader.followRecords(asked, { initial, signal })) {
          // A part of an answer is nothing to resume from.
          const id = delta.isComplete ? delta.asOf : undefined;
          yield { id, event: "records", data: delta };
        }
      },
    });
    return undefined;
  },
});

const streamLineage = defineRoute({
  method: "GET",
  url: "/v1/records/:ref/lineage/stream",
  operationId: "streamLineage",
  scope: "read",
  summary: "A lineage, then what every later instant makes of it",
  description: resuming,
  tag: "Live",
  shape: {
    params: refParams,
    query: Type.Object({
      ...asOfQuery,
      ...refQuery,
      ...versionQuery,
      ...initialQuery,
      direction: Type.Optional(Type.Enum(["ancestors", "descendants"])),
      depth: Type.Optional(Type.Integer({ minimum: 1 })),
      ...filterQuery,
    }),
  },
  answers: tail("Messages of type lineage, with a LineageDelta as their data"),
  problems: [404],
  async handle(exchange) {
    const { params, query } = exchange;
    const { last, at, initial } = startOf(exchange);
    const { instant, ref } = await recordAsked(exchange, params, { ...query, ...at });
    const { direction, depth } = query;
    const reader = await instant.views();
    await reader.lineageRefs(ref, { direction, depth: 1, signal: exchange.signal });
    await sendEventStream(exchange, {
      position: reader.asOf,
      start: last,
      async *messages(signal) {
        const options = { direction, depth, initial, signal, ...filterOf(query) };
        for await (const delta of reader.followLineage(ref, options)) {
          yield { id: delta.asOf, event: "lineage", data: delta };
        }
      },
    });
    return undefined;
  },
});

interface Start {
  /** The last message the caller had. */
  readonly last: Position | undefined;
  /** The instant that follows from it, in the place of the one asked for. */
  readonly at: { readonly "as-of"?: string };
  /** Whether the answer as of the instant is sent, too. */
  readonly initial: boolean;
}

/** Where a live query begins: after the last message the caller had, else at the instant it asks for. */
function startOf(exchange: Exchange & { readonly query: { readonly initial?: boolean } }): Start {
  const last = lastEventId(exchange);
  if (last === undefined) return { last, at: {}, initial: exchange.query.initial ?? true };
  return { last, at: { "as-of": String(last) }, initial: false };
}

/** @throws `argument-invalid` for what is no position, `as-of-ahead-of-head` for one that this log has not got to */
function lastEventId({ request, store }: Exchange): Position | undefined {
  const header = request.headers["last-event-id"];
  if (header === undefined || header === "") return undefined;
  const last = typeof header === "string" && /^\d{1,16}$/.test(header) ? Number(header) : NaN;
  if (!Number.isSafeInteger(last)) {
    throw new StoreError("argument-invalid", "Last-Event-ID must be a position.", {
      details: { header: "Last-Event-ID", value: header },
    });
  }
  if (last > store.head) {
    throw new StoreError(
      "as-of-ahead-of-head",
      `Last-Event-ID is ${last}, and the log ends at position ${store.head}.`,
      {
        hint: "The position is one of another log: begin without Last-Event-ID.",
        details: { header: "Last-Event-ID", position: last, head: store.head },
      },
    );
  }
  return last;
}

export const liveRoutes: readonly Route[] = [streamEvents, streamRecords, streamLineage];
