/** Durable subscriptions: events read and acknowledged by name, each at least once. */
import { StoreError, type EmbeddedStore, type Position, type RecordedEvent } from "@sennit/core";
import { Type } from "typebox";

import type { Caller } from "../caller.ts";
import { fitsFilter } from "../live/event-filter.ts";
import { defineRoute, type Route } from "../route.ts";
import { position } from "../schemas/common.ts";
import { recordedEvent } from "../schemas/event.ts";
import {
  subscription as shape,
  subscriptionFilter,
  subscriptionList,
} from "../schemas/subscription.ts";
import type { Subscription } from "../subscriptions/subscription.ts";

const params = Type.Object(
  {
    name: Type.String({
      description: "1-100 small letters, digits, dots, underlines and minuses.",
      examples: ["beamline-7"],
    }),
  },
  { additionalProperties: false },
);

const tag = "Subscriptions";

/** A subscription with how far behind its reader is. */
function told(subscription: Subscription, { head }: EmbeddedStore): unknown {
  const { name, maker, filter, from, acknowledged, delivered, createdAt } = subscription;
  const lag = Math.max(0, head - acknowledged);
  return { name, maker, filter, from, acknowledged, delivered, lag, createdAt };
}

/**
 * What is acknowledged is not read again, so nobody acknowledges what was another's to read. A key that takes the place of
 * one has its name, and so is the same actor.
 *
 * @throws `forbidden`
 */
function assertIsOwn({ name, maker }: Subscription, { actor, scopes }: Caller): void {
  if (maker === null || actor === null || actor === maker || scopes.has("admin")) return;
  throw new StoreError("forbidden", `The subscription "${name}" is another's.`, {
    hint: "Make a subscription of your own, or use a credential of its maker or with the scope admin.",
    details: { name, maker },
  });
}

const putSubscription = defineRoute({
  method: "PUT",
  url: "/v1/subscriptions/:name",
  operationId: "createSubscription",
  scope: "append",
  summary: "Make a subscription, durable before it is answered",
  description:
    "One that is there with the same filter and start stays as it is. Only credentials of the actor that made it, and those with the scope admin, read, acknowledge and delete it.",
  tag,
  shape: {
    params,
    body: Type.Object(
      {
        filter: Type.Optional(subscriptionFilter),
        from: Type.Optional(
          Type.Integer({ ...position, minimum: 1, description: "Default: what comes next." }),
        ),
      },
      { additionalProperties: false },
    ),
  },
  answers: {
    200: { description: "It was there", schema: shape },
    201: { description: "It has been made", schema: shape },
  },
  problems: [409, 413, 415],
  async handle({ params: { name }, body, subscriptions, store, caller }) {
    const { filter = {}, from } = body;
    const wanted = { filter, from, maker: caller.actor };
    const { subscription, isNew } = await subscriptions.create(name, wanted);
    return {
      value: told(subscription, store),
      position: store.head,
      status: isNew ? 201 : 200,
    };
  },
});

const listSubscriptions = defineRoute({
  method: "GET",
  url: "/v1/subscriptions",
  operationId: "listSubscriptions",
  scope: "read",
  summary: "The subscriptions, by name",
  tag,
  shape: {},
  answers: { 200: { description: "All of them", schema: subscriptionList } },
  rows: {
    member: "subscriptions",
    columns: ["name", "from", "acknowledged", "delivered", "lag", "createdAt"],
  },
  problems: [],
  async handle({ subscriptions, store }) {
    const all = subscriptions.list().map((one) => told(one, store));
    return { value: { subscriptions: all }, position: store.head };
  },
});

const getSubscription = defineRoute({
  method: "GET",
  url: "/v1/subscriptions/:name",
  operationId: "getSubscription",
  scope: "read",
  summary: "A subscription: how far it is acknowledged, and how far behind",
  tag,
  shape: { params },
  answers: { 200: { description: "The subscription", schema: shape } },
  problems: [404],
  async handle({ params: { name }, subscriptions, store }) {
    return { value: told(subscriptions.get(name), store), position: store.head };
  },
});

const readSubscription = defineRoute({
  method: "GET",
  url: "/v1/subscriptions/:name/events",
  operationId: "readSubscription",
  scope: "read",
  summary: "The events after what is acknowledged",
  description:
    "The same again until they are acknowledged. `upTo` is the position to acknowledge once they are dealt with; it is past events that the filter left out.",
  tag,
  shape: {
    params,
    query: Type.Object({
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, default: 100 })),
      wait: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: 60,
          default: 0,
          description: "Seconds to wait for the first event when there is none.",
        }),
      ),
    }),
  },
  answers: {
    200: {
      description: "Events in order; none when nothing came in time",
      schema: Type.Object({
        acknowledged: position,
        upTo: position,
        head: position,
        events: Type.Array(recordedEvent),
      }),
    },
  },
  problems: [404],
  async handle({ params: { name }, query, subscriptions, store, streams, signal, caller }) {
    const { limit = 100, wait = 0 } = query;
    const subscription = subscriptions.get(name);
    assertIsOwn(subscription, caller);
    let found = await stored(store, subscription, limit, signal);
    if (found.events.length === 0 && wait > 0 && found.upTo >= store.head) {
      const place = streams.take();
      try {
        const ends = [signal, place.closing, AbortSignal.timeout(wait * 1000)];
        found = await next(store, subscription.filter, found.upTo, AbortSignal.any(ends));
      } finally {
        place.release();
      }
    }
    const { events, upTo } = found;
    await subscriptions.deliver(name, upTo);
    const { acknowledged } = subscription;
    return { value: { acknowledged, upTo, head: store.head, events }, position: store.head };
  },
});

/** Text of events in one answer, beside one event more, and events looked at for it. */
const answerCharsMax = 8 * 1024 * 1024;
const examinedMax = 100_000;

interface Found {
  readonly events: readonly RecordedEvent[];
  /** The position that was reached. */
  readonly upTo: Position;
}

/** The events that are there after what is acknowledged. */
async function stored(
  store: EmbeddedStore,
  { acknowledged, filter }: Subscription,
  limit: number,
  signal: AbortSignal,
): Promise<Found> {
  const events: RecordedEvent[] = [];
  let upTo = acknowledged;
  let chars = 0;
  for await (const event of store.events({ from: acknowledged + 1, limit: examinedMax, signal })) {
    upTo = event.position;
    if (!(await fitsFilter(store, filter, event))) continue;
    events.push(event);
    chars += JSON.stringify(event).length;
    if (events.length >= limit || chars >= answerCharsMax) break;
  }
  return { events, upTo };
}

/** The first event that fits after a position, if it comes before the signal fires. */
async function next(
  store: EmbeddedStore,
  filter: Subscription["filter"],
  after: Position,
  signal: AbortSignal,
): Promise<Found> {
  let upTo = after;
  try {
    for await (const event of store.follow({ from: after + 1, signal })) {
      upTo = event.position;
      if (await fitsFilter(store, filter, event)) return { events: [event], upTo };
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return { events: [], upTo };
}

const acknowledge = defineRoute({
  method: "POST",
  url: "/v1/subscriptions/:name/acknowledge",
  operationId: "acknowledgeSubscription",
  scope: "read",
  summary: "Take everything up to a position as dealt with",
  tag,
  shape: { params, body: Type.Object({ position }, { additionalProperties: false }) },
  answers: { 200: { description: "The subscription", schema: shape } },
  problems: [404, 409, 413, 415],
  async handle({ params: { name }, body, subscriptions, store, caller }) {
    assertIsOwn(subscriptions.get(name), caller);
    const subscription = await subscriptions.acknowledge(name, body.position);
    return { value: told(subscription, store), position: store.head };
  },
});

const deleteSubscription = defineRoute({
  method: "DELETE",
  url: "/v1/subscriptions/:name",
  operationId: "deleteSubscription",
  scope: "append",
  summary: "Forget a subscription",
  tag,
  shape: { params },
  answers: {
    200: { description: "It is gone", schema: Type.Object({ name: Type.String() }) },
  },
  problems: [404],
  async handle({ params: { name }, subscriptions, store, caller }) {
    // Whose a damaged one was cannot be told, and it is of no use to anybody.
    if (subscriptions.has(name)) assertIsOwn(subscriptions.get(name), caller);
    await subscriptions.remove(name);
    return { value: { name }, position: store.head };
  },
});

export const subscriptionRoutes: readonly Route[] = [
  listSubscriptions,
  putSubscription,
  getSubscription,
  readSubscription,
  acknowledge,
  deleteSubscription,
];
