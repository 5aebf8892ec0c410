/** What a route is: its address, who may call it, the shapes of what it takes and gives, and what it does. */
import type { EmbeddedStore, Position } from "@sennit/core";
import type { Views } from "@sennit/projections";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Static, TObject, TSchema } from "typebox";

import type { Intake } from "./body/intake.ts";
import type { Caller } from "./caller.ts";
import type { AnswerForm } from "./forms/negotiate.ts";
import type { Settings } from "./config/settings.ts";
import type { Streams } from "./live/streams.ts";
import type { Metrics } from "./operations/metrics.ts";
import type { Readiness } from "./operations/readiness.ts";
import type { Subscriptions } from "./subscriptions/subscriptions.ts";
import type { Scope } from "./scopes.ts";

/** What every route works with. */
export interface Services {
  readonly store: EmbeddedStore;
  readonly views: Views;
  readonly settings: Settings;
  /** What is being received. */
  readonly intake: Intake;
  /** The streams that are open. */
  readonly streams: Streams;
  readonly subscriptions: Subscriptions;
  readonly readiness: Readiness;
  readonly metrics: Metrics;
}

/** Parameters that turn the request into the one for what comes behind; undefined when nothing does. A `Link` says so. */
type NextPage = () => Readonly<Record<string, string | number>> | undefined;

/** An answer in one piece: JSON, unless the caller asks for another form. */
export interface ValueAnswer {
  /** Members that are a `LongList` are sent as they are read. */
  readonly value: unknown;
  /** The position it speaks for. */
  readonly position: Position;
  /** Asked as of an instant that never means another position: it may be kept for ever. Default false. */
  readonly isFixed?: boolean;
  /** Default 200. */
  readonly status?: number;
  /** Put before the digest in the ETag, for answers that are one version of a record. */
  readonly version?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The answer of a change, and a few kilobytes at most: it is written at once. Default false. */
  readonly isShort?: boolean;
  readonly next?: NextPage;
}

/** An answer that is a list of any length, sent as it is read. In JSON it is an object whose list comes last but for `tail`. */
export interface ListAnswer {
  /** The members before the list. */
  readonly head: Readonly<Record<string, unknown>>;
  readonly items: AsyncIterable<unknown>;
  /** The members behind the list, once it has been read. */
  readonly tail?: () => Readonly<Record<string, unknown>>;
  /** Asked once the list has been read. */
  readonly next?: NextPage;
  readonly position: Position;
  readonly isFixed?: boolean;
}

/** An answer in pieces, of any length, sent as fast as it is taken. */
export interface StreamAnswer {
  readonly stream: AsyncIterable<string | Uint8Array>;
  readonly contentType: string;
  readonly position: Position;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Answer = ValueAnswer | ListAnswer | StreamAnswer;

/** The list in the answers of a route, for NDJSON (one item in a line) and CSV. */
export interface RowsForm {
  /** The member that is the list; undefined when the answer itself is. */
  readonly member?: string;
  /** Columns of CSV: members of an item, with dots for those inside. */
  readonly columns: readonly string[];
}

/** The shapes of what a route takes. */
export interface RouteShape {
  readonly params?: TObject;
  readonly query?: TObject;
  /** Checked before the handler is called, unless the route has `checksBody`. */
  readonly body?: TSchema;
}

type ShapeOf<Schema> = Schema extends TSchema ? Static<Schema> : undefined;

/** One request to a route. */
export interface Exchange<Shape extends RouteShape = RouteShape> extends Services {
  readonly params: ShapeOf<Shape["params"]>;
  readonly query: ShapeOf<Shape["query"]>;
  readonly body: ShapeOf<Shape["body"]>;
  readonly caller: Caller;
  /** Fires when the caller has gone, or its credential has ended. */
  readonly signal: AbortSignal;
  readonly request: FastifyRequest;
  /** For the few routes that write to the socket themselves and return undefined. */
  readonly reply: FastifyReply;
  /** The form that the caller gets. */
  readonly form: AnswerForm;
}

/** A successful answer as the document tells it. */
interface DeclaredAnswer {
  readonly description: string;
  /** Undefined for an answer without a body. */
  readonly schema?: TSchema;
  /** Default: JSON and MessagePack; with `rows`, NDJSON and CSV too. */
  readonly contentTypes?: readonly string[];
}

export interface Route<Shape extends RouteShape = RouteShape> {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** With parameters as `:name`. */
  readonly url: string;
  /** Its name in the document and in generated clients. */
  readonly operationId: string;
  /** What a credential must allow; `none` asks for no credential. */
  readonly scope: Scope | "none";
  readonly summary: string;
  readonly description?: string;
  readonly tag: string;
  readonly shape: Shape;
  /** Whether the handler checks the body itself, with a better word on what is wrong than a schema has. Default false. */
  readonly checksBody?: boolean;
  /** Types of body it takes. Default: JSON. */
  readonly bodyTypes?: readonly string[];
  /** By status. */
  readonly answers: Readonly<Record<number, DeclaredAnswer>>;
  /** There for answers with a list. */
  readonly rows?: RowsForm;
  /** Statuses of problems it may answer with, beside those any route may. */
  readonly problems: readonly number[];
  /** @returns undefined when it has answered through the reply itself */
  readonly handle: (exchange: Exchange<Shape>) => Promise<Answer | undefined>;
}

/** Declares a route. */
export function defineRoute<const Shape extends RouteShape>(route: Route<Shape>): Route {
  return route;
}
