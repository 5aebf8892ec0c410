/** The log: its events in order. */
import type { EventType, ReadOptions, RecordedEvent } from "@sennit/core";
import { Type } from "typebox";

import { asOfQuery, instantOf } from "../instant.ts";
import { wholeRefOf } from "../record-ref.ts";
import { defineRoute, type Route } from "../route.ts";
import { position } from "../schemas/common.ts";
import { eventPage } from "../schemas/event.ts";
import { eventType } from "../schemas/store.ts";
import { eventColumns } from "./columns.ts";

const limitDefault = 100;

const getEvents = defineRoute({
  method: "GET",
  url: "/v1/events",
  operationId: "listEvents",
  scope: "read",
  summary: "The events, in order",
  tag: "Events",
  shape: {
    query: Type.Object({
      ...asOfQuery,
      from: Type.Optional(
        Type.Integer({
          ...position,
          minimum: 1,
          description: "First position. Default: 1, or the last one with `reverse`.",
        }),
      ),
      until: Type.Optional(Type.Integer({ ...position, description: "Last position considered." })),
      limit: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: 10_000,
          description: "Events at most. Default: 100; in NDJSON and CSV, all.",
        }),
      ),
      reverse: Type.Optional(Type.Boolean({ description: "Newest first." })),
      recordId: Type.Optional(
        Type.String({
          minLength: 1,
          description: "Only those of this record: its id or KIND/NAME.",
        }),
      ),
      type: Type.Optional(Type.Enum(eventType.enum, { description: "Only those of this type." })),
    }),
  },
  answers: { 200: { description: "Events, and where to go on", schema: eventPage } },
  rows: { member: "events", columns: eventColumns },
  problems: [404],
  async handle(exchange) {
    const { query, signal, form } = exchange;
    const { from, until, reverse, type } = query;
    const whole = form === "ndjson" || form === "csv" ? Infinity : limitDefault;
    const { limit = whole } = query;
    const instant = await instantOf(exchange, query);
    const recordId =
      query.recordId === undefined
        ? undefined
        : await instant.resolve(wholeRefOf({ ref: query.recordId }, {}));
    const options = { from, until, reverse, recordId, signal };
    const events = instant.reader.events(
      // One more than asked for says whether there is a next page.
      type === undefined && limit !== Infinity ? { ...options, limit: limit + 1 } : options,
    );
    const page = new EventPage(events, limit, type);
    const tail = () => (page.nextFrom === undefined ? {} : { nextFrom: page.nextFrom });
    const next = () => (page.nextFrom === undefined ? undefined : { from: page.nextFrom });
    return { head: { asOf: instant.asOf }, items: page.events(), tail, next, ...instant.said };
  },
});

/** The first so many events of a type, and the position of the one behind them. */
class EventPage {
  readonly #all: AsyncIterable<RecordedEvent>;
  readonly #limit: number;
  readonly #type: EventType | undefined;
  nextFrom: ReadOptions["from"];

  constructor(all: AsyncIterable<RecordedEvent>, limit: number, type: EventType | undefined) {
    this.#all = all;
    this.#limit = limit;
    this.#type = type;
  }

  async *events(): AsyncGenerator<RecordedEvent> {
    let count = 0;
    for await (const event of this.#all) {
      if (this.#type !== undefined && event.type !== this.#type) continue;
      if (count === this.#limit) {
        this.nextFrom = event.position;
        return;
      }
      count += 1;
      yield event;
    }
  }
}

export const logRoutes: readonly Route[] = [getEvents];
